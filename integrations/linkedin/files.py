"""Campaign Manager's export of leads, and any table like it: the way in without LinkedIn's approval.

Its columns are chosen by whoever exports, so they go by their names: some say which form, campaign and moment, all
others are answers. The file itself is not kept.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.targets import comparable
from integrations.linkedin import columns, parsing, storing
from integrations.linkedin.responses import Response, text_of
from integrations.models import Connection, LeadSubmission
from leads.importing import reading
from leads.importing.reading import Row, Unusable
from tenants import audit, wakeups
from tenants.models import Member

__all__ = ["Taken", "Unusable", "take"]

CHUNK = 2_000
LARGEST = 50 * 1_048_576
# What columns that are no answers are called, compared as `comparable` does.
ABOUT = {
    "id": ("lead id", "response id", "submission id", "lead response id"),
    "at": ("submitted at", "submission date", "submission time", "submitted date", "date submitted", "lead created at"),
    "form": ("form name", "lead gen form", "lead gen form name", "form"),
    "form_id": ("form id", "lead gen form id"),
    "campaign": ("campaign name", "campaign"),
    "campaign_id": ("campaign id",),
    "test": ("test lead", "is test lead", "is test", "test"),
}
_ABOUT_OF = {name: about for about, names in ABOUT.items() for name in names}
_IGNORED = frozenset({"lead type", "campaign group name", "campaign group id", "account name", "account id", "ad id"})
_YES = frozenset({"true", "yes", "y", "1", "ja"})


@dataclass
class Taken:
    """What a file came to: its rows, and how many submissions were new, changed or known already."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    known: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def take(connection: Connection, file: IO[bytes], name: str, *, by: Member | None) -> Taken:
    """Store a file's rows; they are processed by the queue. Raises Unusable.

    `name` is that of the form for rows that name none. In the tenant's scope, in one transaction: all of it or nothing.
    """
    file.seek(0, 2)
    if file.tell() > LARGEST:
        raise Unusable(_("The file is larger than %(count)d MB.") % {"count": LARGEST // 1_048_576})
    table = reading.open_table(file)
    layout = _Layout(table.headers, name)
    if not layout.answers:
        raise Unusable(_("No column of the file is an answer."))
    taken = Taken()
    for rows in _chunks(table.rows):
        responses = _without_linkedins_own(connection, [layout.response(row, taken.faults) for row in rows])
        for ref in dict.fromkeys(response.form for response in responses if response.form):
            columns.learn(connection, ref, [column for _place, column in layout.answers])
        stored = storing.store(connection, responses, LeadSubmission.Channel.FILE)
        taken.rows += len(rows)
        taken.new, taken.changed = taken.new + stored.new, taken.changed + stored.changed
        taken.known += len(rows) - stored.new - stored.changed
    audit.write("linkedin.file_taken", connection, by=by, detail={"rows": taken.rows, "new": taken.new})
    wakeups.announce("linkedin")
    return taken


def _without_linkedins_own(connection: Connection, responses: list[Response]) -> list[Response]:
    """Those that LinkedIn itself has not sent: it says more of them than a file does, their consent above all."""
    rows = LeadSubmission.objects.filter(
        connection=connection,
        external_id__in=[response.external_id for response in responses],
        channel__in=(LeadSubmission.Channel.API, LeadSubmission.Channel.PUSH),
    ).exclude(state=LeadSubmission.State.ANNOUNCED)
    known = set(rows.values_list("external_id", flat=True))
    return [response for response in responses if response.external_id not in known]


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


class _Layout:
    """What the columns of a file are."""

    def __init__(self, headers: list[str], name: str) -> None:
        self._name = name
        self._about: dict[str, int] = {}
        self.answers: list[tuple[int, str]] = []
        for place, header in enumerate(headers):
            plain = comparable(header)
            about = _ABOUT_OF.get(plain)
            if about and about not in self._about:
                self._about[about] = place
            elif plain not in _IGNORED:
                self.answers.append((place, header))

    def response(self, row: Row, faults: Counter[str]) -> Response:
        """A row as a submission."""
        at = columns.when(self._cell(row, "at"))
        if at is None:
            faults[_("no moment that can be read: taken for now")] += 1
        answers = [
            {"question": column[:100], "text": text}
            for place, column in self.answers
            if (text := text_of(row.cells[place] if place < len(row.cells) else ""))
        ]
        form = columns.form_ref(self._cell(row, "form") or self._name, parsing.tail(self._cell(row, "form_id")))
        campaign, campaign_id = self._cell(row, "campaign"), parsing.tail(self._cell(row, "campaign_id"))
        id_ = parsing.tail(self._cell(row, "id"))[:200] or columns.id_of(form, str(at), answers)
        found = Response(id_, at or timezone.now(), form=form, answers=answers)
        found.campaign_id = (campaign_id or (f"name:{campaign}" if campaign else ""))[:100]
        found.campaign_name = campaign[:200]
        found.is_test = self._cell(row, "test").lower() in _YES
        return found

    def _cell(self, row: Row, about: str) -> str:
        place = self._about.get(about)
        return text_of(row.cells[place], 300) if place is not None and place < len(row.cells) else ""
