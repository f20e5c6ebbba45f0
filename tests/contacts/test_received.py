"""What came from outside is known again for as long as others may deliver it again, and is forgotten then."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contacts import received
from contacts.models import Received
from tenants import housekeeping
from tenants.models import Tenant
from tenants.scope import tenant_scope


@pytest.mark.django_db
def test_a_fact_counts_once_for_ninety_days(acme: Tenant, rival: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "BATCH", 2)
    ids = [f"m{n}" for n in range(5)]
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            assert received.claim("linkedin:1", [*ids, "m0"]) == ids
            assert received.claim("linkedin:1", ids) == []
            Received.objects.update(at=timezone.now() - timedelta(days=91))
            Received.objects.filter(external_id="m4").update(at=timezone.now() - timedelta(days=89))
    housekeeping.run()
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            assert list(Received.objects.values_list("external_id", flat=True)) == ["m4"]
            assert received.claim("linkedin:1", ids) == ids[:4]
