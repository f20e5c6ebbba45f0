"""Who sends a form becomes a lead."""

from collections.abc import Callable

import pytest

from contacts import timeline
from contacts.models import Contact, Interaction, ReaderCursor
from leads import lifecycle
from leads.models import Lead, Stage
from pages.models import Form, Submission
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(acme: Tenant) -> Form:
    with tenant_scope(acme):
        return Form.objects.create(name="Book a demo", lead_topic="Demo")


def submit(form: Form, contact: Contact | None, **values: str) -> Submission:
    submission = Submission.objects.create(form=form, contact=contact, values=values, token="")
    timeline.record(
        "form.submitted",
        contact=contact,
        object_id=form.pk,
        detail={"form": form.name, "page": "Demo", "page_id": None, "submission": submission.pk},
    )
    return submission


def test_a_submission_makes_one_lead_that_names_its_origin(acme: Tenant, person: Contact, demo: Form) -> None:
    with tenant_scope(acme):
        submission = submit(demo, person, email="priya@initech.example", message="Ten pumps, please")
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get()
        assert (lead.topic, lead.source, lead.contact, lead.account_id) == ("Demo", "form", person, person.account_id)
        assert (lead.origin_form_id, lead.origin_key) == (demo.pk, f"submission:{submission.pk}")
        assert (lead.description, lead.email) == ("Ten pumps, please", ""), "the contact's fields are the contact's"
        submitted = Interaction.objects.get(kind="form.submitted")
        assert Interaction.objects.get(kind="lead.created").cause_id == submitted.pk


def test_reading_a_submission_again_makes_no_second_lead(acme: Tenant, person: Contact, demo: Form) -> None:
    with tenant_scope(acme):
        submit(demo, person)
    wakeups.run_due()
    with tenant_scope(acme):
        Lead.objects.update(stage=Stage.DISQUALIFIED)
        ReaderCursor.objects.all().delete()
        timeline.record("note.written", contact=person, detail={"text": "Hello"})
    wakeups.run_due()
    with tenant_scope(acme):
        assert Lead.objects.count() == 1


def test_the_same_form_again_is_a_raised_hand_not_a_second_lead(acme: Tenant, person: Contact, demo: Form) -> None:
    with tenant_scope(acme):
        submit(demo, person)
        submit(demo, person)
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get()
        lifecycle.recycle(lead, "No time")
        submit(demo, person)
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get()
        assert (lead.stage, lead.stage_reason) == (Stage.ENGAGED, "Sent “Book a demo” again.")
        assert lead.recycled_until is not None, "it still has to rest before it is sales-ready"


def test_another_form_or_a_closed_lead_makes_a_new_one(acme: Tenant, person: Contact, demo: Form) -> None:
    with tenant_scope(acme):
        other = Form.objects.create(name="Contact us")
        submit(demo, person)
        submit(other, person)
    wakeups.run_due()
    with tenant_scope(acme):
        assert sorted(Lead.objects.values_list("topic", flat=True)) == ["Contact us", "Demo"]
        lifecycle.disqualify(Lead.objects.get(topic="Demo"), "Spam")
        submit(demo, person)
    wakeups.run_due()
    with tenant_scope(acme):
        assert Lead.objects.filter(topic="Demo").count() == 2


def test_a_form_that_makes_no_leads_makes_none(acme: Tenant, person: Contact) -> None:
    with tenant_scope(acme):
        submit(Form.objects.create(name="Newsletter", makes_lead=False), person)
    wakeups.run_due()
    with tenant_scope(acme):
        assert not Lead.objects.exists()


def test_a_submission_without_a_contact_keeps_what_was_entered(acme: Tenant, demo: Form) -> None:
    with tenant_scope(acme):
        submit(demo, None, first_name="Ada", company="Globex", phone="+49 30 1234", shoe_size="43")
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get()
        assert (lead.first_name, lead.company, lead.phone, lead.contact) == ("Ada", "Globex", "+49 30 1234", None)


def test_a_score_that_the_hand_raise_brings_qualifies_a_rested_lead(
    acme: Tenant, sam: Member, person: Contact, demo: Form, record_score: Callable[..., None]
) -> None:
    with tenant_scope(acme):
        submit(demo, person)
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get()
        record_score(lead, 40, 55)
        lifecycle.recycle(lead, "No time")
        Lead.objects.update(recycled_until=lead.created_at)
        submit(demo, person)
    wakeups.run_due()
    with tenant_scope(acme):
        lead = Lead.objects.get()
        assert (lead.stage, lead.owner) == (Stage.HANDED_OFF, sam), "above the plain threshold, and it has rested"
