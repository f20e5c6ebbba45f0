"""What tests of LinkedIn's pages share."""

import re
from collections.abc import Callable
from typing import Any

from tenants.models import Tenant
from tenants.scope import tenant_scope

ClientOf = Callable[..., Any]
ANN = {"EMAIL": "ann@firma.example", "FIRST_NAME": "Ann", "LAST_NAME": "Berg", "COMPANY_NAME": "Firma"}


def text(response: Any, status: int = 200) -> str:
    """The page, with single blanks."""
    assert response.status_code == status, response.content[:2000]
    return re.sub(r"\s+", " ", response.content.decode())


def only(model: Any, tenant: Tenant) -> Any:
    """The one row that there is."""
    with tenant_scope(tenant):
        return model.objects.get()
