"""What sales reads first: where a lead comes from, what speaks for it, what the person did and agreed to.

It stands in a column that sales writes into as well: only what we wrote ourselves is ever replaced (`put`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from contacts.models import Interaction
from contacts.queries import in_words
from leads.models import Lead
from leads.registry import strongest_reasons

# How many parts of the score are named.
PARTS = 8
# A summary of fewer characters says nothing: rather what sales has written around it stays alone.
SHORTEST = 200


class Put(NamedTuple):
    """What the column is to hold, and which part of it is ours."""

    whole: str
    ours: str


def text(lead: Lead, reason: str, refusals: Mapping[str, bool], latest: Sequence[Interaction]) -> str:
    """The summary in lines; `reason`: why the lead was handed over. Times are in the active zone."""
    return "\n".join(_lines(lead, reason, refusals, latest)).replace("\r\n", "\n").strip()


def put(now: str, before: Sequence[str], theirs: str, longest: int, *, is_anew: bool = False) -> Put | None:
    """The column with a summary in it: in the place of one of before, or, if there was none, above what sales has.

    None leaves the column alone: sales has rewritten or deleted our part, or left no room. `is_anew`: the lead is
    handed over (again), and a new summary goes above whatever is there.
    """
    theirs = theirs.replace("\r\n", "\n")
    ours = next((text for text in reversed(before) if text in theirs), "")
    if before and not ours and not is_anew:
        return None
    head, _ours, tail = theirs.partition(ours) if ours else ("", "", theirs and f"\n\n{theirs}")
    room = longest - _length(head + tail)
    if _length(now) > room:
        if room < SHORTEST:
            return None
        now = _cut(now, room)
    return Put(head + now + tail, now)


def sent(before: Sequence[str], now: str) -> list[str]:
    """The summaries that may stand there once another one is sent: what surely stood there, and the latest two."""
    others = [text for text in before if text != now]
    return [*others[:1], *others[1:][-1:], now]


def _lines(lead: Lead, reason: str, refusals: Mapping[str, bool], latest: Sequence[Interaction]) -> Iterator[str]:
    if lead.description:
        yield f"{lead.description}\n"
    yield _("Source: %(source)s") % {"source": lead.source_name}
    if reason:
        yield _("Handed over: %(reason)s") % {"reason": reason}
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
