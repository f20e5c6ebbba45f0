"""The reader "capture": who sends a form that makes leads becomes a lead, once."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from contacts.reactor import Batch, Fact, Reader, register
from leads.creation import ENTERED, NewLead, create_leads
from leads.lifecycle import raise_hand
from leads.models import Lead
from leads.transitions import OPEN
from pages.models import Form, Submission

SOURCE = "form"


def capture(batch: Batch) -> None:
    """Make a lead for each submission, or find the contact's open lead of the same form: that is a raised hand."""
    forms = Form.objects.filter(makes_lead=True).in_bulk({row.object_id for row in batch.rows if row.object_id})
    facts = [row for row in batch.rows if row.object_id in forms]
    if not facts:
        return
    submissions = Submission.objects.in_bulk({row.detail["submission"] for row in facts})
    before = _open_leads(facts)
    new: dict[Any, NewLead] = {}
    for fact in facts:
        form = forms[fact.object_id or 0]
        key = (fact.contact_id, form.pk) if fact.contact_id else fact.id
        if lead := before.get(key):
            raise_hand(lead, _("Sent “%(form)s” again.") % {"form": form.name}, cause=fact)
        elif key not in new:
            submission = submissions.get(fact.detail["submission"])
            new[key] = _new_lead(form, fact, submission.values if submission else {})
    create_leads(list(new.values()))


def _open_leads(facts: list[Fact]) -> dict[Any, Lead]:
    """The newest open lead of each contact and form. Index: lead_of_contact."""
    contacts = {fact.contact_id for fact in facts if fact.contact_id}
    leads = Lead.objects.filter(contact_id__in=contacts, origin_form_id__in={fact.object_id for fact in facts})
    return {(lead.contact_id, lead.origin_form_id): lead for lead in leads.filter(stage__in=OPEN).order_by("pk")}


def _new_lead(form: Form, fact: Fact, values: Mapping[str, Any]) -> NewLead:
    entered = {"description": values.get("message"), **values}
    # With a contact, its own fields say who it is; a second copy would have to be kept and erased as well.
    kept = ("description",) if fact.contact_id else ENTERED
    return NewLead(
        topic=form.lead_topic or form.name,
        source=SOURCE,
        contact_id=fact.contact_id,
        account_id=fact.account_id,
        values={name: entered[name] for name in kept if entered.get(name)},
        origin_key=f"submission:{fact.detail['submission']}",
        form_id=form.pk,
        page_id=fact.detail.get("page_id"),
        journey_id=fact.journey_id,
        cause=fact,
    )


register(Reader("capture", run=capture, kinds=frozenset({"form.submitted"})))
