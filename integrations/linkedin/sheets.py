"""Submissions and figures as lines of a CSV file (`contacts.exporting`)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from integrations.linkedin import queries
from integrations.linkedin.answers import Questions
from integrations.models import LeadFormVersion, LeadSubmission

_HEAD = (
    *("id", "submitted_at", "form", "campaign", "channel", "is_test", "state", "reason"),
    *("contact", "email", "lead", "consents", "answers"),
)


class SubmissionSheet:
    """The lines of submissions; of one form, each of its questions is a column as well. In the tenant's scope."""

    def __init__(self, form: int = 0) -> None:
        versions = LeadFormVersion.objects.filter(form=form).order_by("number") if form else ()
        self._labels = {asked["key"]: asked["label"] for version in versions for asked in version.questions}

    def head(self) -> list[str]:
        return [*_HEAD, *self._labels.values()]

    @staticmethod
    def rows(submissions: QuerySet[LeadSubmission]) -> QuerySet[LeadSubmission]:
        """The submissions with all that their lines show, in one query."""
        return submissions.select_related("form", "campaign", "contact", "lead")

    def lines(self, rows: Sequence[LeadSubmission]) -> Iterator[list[str]]:
        """A line of cells per submission; two queries more for all of them."""
        questions = Questions(rows)
        for row in rows:
            answered = {shown.key: shown for shown in questions.shown(row)}
            yield [
                *(row.external_id, str(row.submitted_at), str(row.form or ""), str(row.campaign or ""), row.channel),
                *("1" if row.is_test else "0", row.state, row.reason),
                *(str(row.contact or ""), row.contact.email or "" if row.contact else "", str(row.lead_id or "")),
                "\n".join(consent.text for consent in questions.consents(row) if consent.is_accepted),
                "\n".join(f"{shown.label}: {shown.text}" for shown in questions.shown(row)),
                *(answered[key].text if key in answered else "" for key in self._labels),
            ]


def figures(by: str) -> Iterable[Sequence[Any]]:
    """What the charts show, as lines: `by` "week", "form" or "campaign"; forms and campaigns to the last."""
    if by == "week":
        yield "week", "submissions"
        yield from ((week.monday, week.count) for week in queries.per_week())
        return
    yield by, "submissions", "new_leads"
    shares = queries.by_form(None) if by == "form" else queries.by_campaign(None)
    yield from ((share.name, share.submissions, share.leads) for share in shares)
