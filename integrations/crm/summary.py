"""What sales reads first: where a lead comes from, what speaks for it, what the person did and agreed to."""

from collections.abc import Iterator, Mapping, Sequence

from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from contacts.models import Interaction
from contacts.queries import in_words
from leads.models import Lead
from leads.registry import strongest_reasons

# How many parts of the score are named.
PARTS = 8


def text(lead: Lead, refusals: Mapping[str, bool], latest: Sequence[Interaction], longest: int) -> str:
    """The summary in lines, cut where the column ends."""
    whole = "\n".join(_lines(lead, refusals, latest))
    return whole if _length(whole) <= longest else _cut(whole, longest)


def _lines(lead: Lead, refusals: Mapping[str, bool], latest: Sequence[Interaction]) -> Iterator[str]:
    if lead.description:
        yield f"{lead.description}\n"
    yield _("Source: %(source)s") % {"source": lead.source_name}
    if lead.stage_reason:
        yield _("Handed over: %(reason)s") % {"reason": lead.stage_reason}
    if lead.score is not None:
        grade = f" ({lead.grade})" if lead.grade else ""
        yield _("Score: %(score)d%(grade)s") % {"score": lead.score, "grade": grade}
        yield from (f"  {reason.points:+d} {reason.text}" for reason in strongest_reasons(lead, PARTS))
    if latest:
        yield _("Last interactions:")
        yield from (f"  {localtime(row.occurred_at):%Y-%m-%d %H:%M} {_said(row)}" for row in latest)
    yield _("Contact: %(what)s") % {"what": allowed(refusals)}


def allowed(refusals: Mapping[str, bool]) -> str:
    """What a person agreed to, in words."""
    if refusals["do_not_email"]:
        mail = _("no e-mail")
    elif refusals["do_not_bulk_email"]:
        mail = _("no marketing e-mail")
    else:
        mail = _("marketing e-mail agreed to")
    return f"{mail}, {_('no phone calls')}" if refusals["do_not_phone"] else mail


def follow_up(lead: Lead, refusals: Mapping[str, bool]) -> tuple[str, str]:
    """(subject, text) of the task for whoever gets the lead."""
    subject = _("Follow up: %(person)s") % {"person": lead.person}
    lines = [lead.topic, *(f"{reason.points:+d} {reason.text}" for reason in strongest_reasons(lead))]
    return subject[:200], "\n".join([*lines, _("Contact: %(what)s") % {"what": allowed(refusals)}])[:2_000]


def _said(row: Interaction) -> str:
    return capfirst(in_words(row))


def _length(whole: str) -> int:
    return len(whole.encode("utf-16-le")) // 2


def _cut(whole: str, longest: int) -> str:
    """As much of it as fits, counted as the column counts, with a sign that there was more."""
    units = whole.encode("utf-16-le")[: 2 * (longest - 1)]
    return units.decode("utf-16-le", "ignore").rstrip() + "…"
