"""The fixed cast: company Acme (Ana, Max, Sam, Ava) and company Rival (Rob), in every test that needs people."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tenants.models import Member, Tenant, User


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme", time_zone="Europe/Berlin", country="DE", currency="EUR")


@pytest.fixture
def rival(db: None) -> Tenant:
    return Tenant.objects.create(slug="rival", name="Rival", time_zone="America/New_York", country="US", currency="USD")


def join(tenant: Tenant, name: str, role: str) -> Member:
    """A person of the tenant, e.g. `join(acme, "Ana", Member.Role.OWNER)`; her password is `secret-<name>`."""
    email = f"{name.lower()}@{tenant.slug}.example"
    user = User.objects.create_user(email, f"secret-{name.lower()}", name=f"{name} {tenant.name}")
    return Member.objects.create(tenant=tenant, user=user, role=role)


@pytest.fixture
def ana(acme: Tenant) -> Member:
    """The owner of Acme."""
    return join(acme, "Ana", Member.Role.OWNER)


@pytest.fixture
def max_(acme: Tenant) -> Member:
    """A marketer of Acme."""
    return join(acme, "Max", Member.Role.MARKETER)


@pytest.fixture
def sam(acme: Tenant) -> Member:
    """A sales rep of Acme."""
    return join(acme, "Sam", Member.Role.SALES_REP)


@pytest.fixture
def ava(acme: Tenant) -> Member:
    """An analyst of Acme, who may only look."""
    return join(acme, "Ava", Member.Role.ANALYST)


@pytest.fixture
def rob(rival: Tenant) -> Member:
    """The owner of Rival: a stranger at Acme."""
    return join(rival, "Rob", Member.Role.OWNER)


class TenantClient(Client):
    """A signed-in client whose paths start at the tenant's pages: `get("/segments/")` asks `/t/acme/segments/`."""

    def __init__(self, slug: str, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.prefix = f"/t/{slug}"

    def generic(self, method: str, path: Any, *args: Any, **kwargs: Any) -> Any:
        path = str(path)
        return super().generic(method, path if path.startswith("/t/") else self.prefix + path, *args, **kwargs)


@pytest.fixture
def client_of() -> Callable[..., TenantClient]:
    """`client_of(sam)`: a client signed in as Sam, at Sam's company unless another slug is given."""

    def make(member: Member, slug: str = "") -> TenantClient:
        client = TenantClient(slug or member.tenant.slug)
        client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make
