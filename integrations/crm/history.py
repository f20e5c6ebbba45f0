"""Taking over what sales has changed, and keeping every overwrite on the record's history."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from contacts import timeline
from contacts.models import Account, Contact
from integrations.crm import ours
from integrations.crm.deciding import STRICTEST
from integrations.crm.mapped import Compared
from integrations.models import Connection, RecordLink
from leads.models import Lead


def take(connection: Connection, link: RecordLink, record: Any, taken: Sequence[Compared]) -> list[Compared]:
    """Set fields of ours to what they have there, in the scope; returns those that we cannot have.

    What cannot be had is noted at the link, one by one: the others are taken all the same.
    """
    try:
        _set(record, taken)
    except ours.NotTaken as error:
        record.refresh_from_db()
        if len(taken) == 1:
            note(link, _("%(field)s: %(why)s") % {"field": taken[0].pair.target.label, "why": error})
            return list(taken)
        return [one for each in taken for one in take(connection, link, record, [each])]
    _record("crm.changed", connection, record, [(one, one.ours, one.theirs) for one in taken])
    return []


def overwritten(connection: Connection, record: Any, pushed: Sequence[Compared]) -> None:
    """Keep that what somebody had changed there was set back."""
    if pushed:
        _record("crm.overwritten", connection, record, [(one, one.theirs, one.ours) for one in pushed])


def note(link: RecordLink, problem: str) -> None:
    """Say at the record why it is not as it should be, as `reasons` keeps it; an empty text: it is."""
    if link.problem != problem:
        link.problem = problem
        RecordLink.objects.filter(pk=link.pk).update(problem=problem)


def about(record: Any) -> dict[str, Any]:
    """The ids that a row of the timeline about one of our records carries."""
    if isinstance(record, Lead):
        return {
            "lead_id": record.pk, "contact_id": record.contact_id, "account_id": record.account_id,
            "object_id": record.pk,
        }  # fmt: skip
    if isinstance(record, Account):
        return {"account_id": record.pk}
    return {"contact_id": record.pk}


def _set(record: Any, taken: Sequence[Compared]) -> None:
    """A refusal that came by way of a lead is its contact's."""
    refusals = {one.pair.target.name: one.theirs for one in taken if one.pair.owner == STRICTEST}
    values = {one.pair.field: one.theirs for one in taken if one.pair.owner != STRICTEST}
    person = record.contact if isinstance(record, Lead) else record
    if refusals and not isinstance(person, Contact):
        raise ours.NotTaken(_("the lead has no contact"))
    if refusals:
        ours.take(person, {f"contact.{name}": value for name, value in refusals.items()})
    if values:
        ours.take(record, values)


def _record(kind: str, connection: Connection, record: Any, found: Sequence[tuple[Compared, Any, Any]]) -> None:
    detail = {
        "system": connection.name,
        "fields": {one.pair.target.name: [before, after] for one, before, after in found},
        "names": ", ".join(str(one.pair.target.label) for one, _before, _after in found),
    }
    timeline.record_many(kind, [{**about(record), "detail": detail}])
