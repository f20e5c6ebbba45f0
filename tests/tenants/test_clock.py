from datetime import timedelta

import pytest
from django.utils import timezone

from contacts import timeline
from contacts.models import Contact, Interaction
from contacts.timeline import Kind
from tenants import clock, wakeups
from tenants.models import Tenant, Wakeup
from tenants.scope import tenant_scope

timeline.register(Kind("test.happened", title="Happened", icon="bolt", sentence="saw {what}"))


@pytest.fixture
def sample(acme: Tenant) -> Tenant:
    acme.is_sample = True
    acme.save()
    return acme


def test_a_day_passes_for_everything_a_sample_company_has(sample: Tenant) -> None:
    with tenant_scope(sample):
        contact = Contact.objects.create(first_name="A")
        timeline.record("test.happened", contact=contact)
        before = Interaction.objects.get()
        wakeups.announce("some", due_at=timezone.now() + timedelta(hours=12))
    clock.forward(sample, days=40)
    with tenant_scope(sample):
        after = Interaction.objects.get()
        assert before.occurred_at - after.occurred_at == timedelta(days=40)
        assert before.recorded_at - after.recorded_at == timedelta(days=40)
    assert Wakeup.objects.get(queue="some").due_at < timezone.now(), "what was due tomorrow is due"


def test_another_companys_time_stands_still(sample: Tenant, rival: Tenant) -> None:
    with tenant_scope(rival):
        theirs = Contact.objects.create(first_name="B")
        theirs.refresh_from_db()
    clock.forward(sample)
    with tenant_scope(rival):
        assert Contact.objects.get().created_at == theirs.created_at


def test_a_real_companys_clock_cannot_be_moved(rival: Tenant) -> None:
    with pytest.raises(clock.NotASample):
        clock.forward(rival)
