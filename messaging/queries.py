"""What the pages of messaging read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, Interaction
from messaging.models import Email, EmailVersion, Link, LinkClick, Message, Suppression
from tenants.paging import COUNT_UP_TO

State = Message.State
# What the numbers of an e-mail lead to: a name, and which messages it means.
PEOPLE: dict[str, Q] = {
    "waiting": Q(state__in=(State.QUEUED, State.SENDING, State.HELD)),
    "sent": Q(state=State.SENT),
    "opened": Q(opened_at__isnull=False),
    "clicked": Q(clicked_at__isnull=False),
    "unsubscribed": Q(unsubscribed_at__isnull=False),
    "blocked": Q(state=State.BLOCKED),
    "failed": Q(state=State.FAILED),
    "uncertain": Q(state=State.UNCERTAIN),
}

LABELS: dict[str, str | Promise] = {
    "waiting": _("Who will get it"),
    "sent": _("Who got it"),
    "opened": _("Who opened it"),
    "clicked": _("Who clicked"),
    "unsubscribed": _("Who unsubscribed"),
    "blocked": _("Who may not get it"),
    "failed": _("Whom it did not reach"),
    "uncertain": _("Who may have got it"),
}

# What happens to messages, and the fact that says so.
HAPPENED = {"sent": "email.sent", "opened": "email.opened", "clicked": "email.clicked"}


@dataclass(frozen=True)
class EmailResult:
    """How many of an e-mail's messages were sent, opened and clicked within a time."""

    email: Email
    sent: int
    opened: int
    clicked: int

    @property
    def click_rate(self) -> float:
        """Clicked messages per hundred sent."""
        return 100 * self.clicked / self.sent if self.sent else 0.0


@dataclass(frozen=True)
class EmailRow:
    """An e-mail in the list."""

    email: Email
    live: EmailVersion | None
    draft: EmailVersion | None
    figures: dict[str, int]

    @property
    def subject(self) -> str:
        version = self.live or self.draft
        return version.subject if version else ""


class StateCount(NamedTuple):
    """How many messages are in a state; `is_exact` unless there are more than were counted."""

    key: str
    label: str
    number: int
    is_exact: bool


def emails(*, is_archived: bool = False) -> QuerySet[Email]:
    return Email.objects.filter(is_archived=is_archived).select_related("purpose")


def rows_of(emails: list[Email]) -> list[EmailRow]:
    """The list's rows: three queries, however many e-mails."""
    shown = EmailVersion.objects.filter(email__in=emails, state__in=("draft", "live")).defer("html", "text", "blocks")
    by_state = {(version.email_id, version.state): version for version in shown}
    figures = _figures([email.pk for email in emails])
    return [
        EmailRow(e, by_state.get((e.pk, "live")), by_state.get((e.pk, "draft")), figures.get(e.pk, _none()))
        for e in emails
    ]


def figures_of(email: Email) -> dict[str, int]:
    """How many messages of the e-mail there are under each name of PEOPLE."""
    return _figures([email.pk]).get(email.pk, _none())


def people(email: Email, what: str, link: Link | None = None, since: datetime | None = None) -> QuerySet[Message]:
    """The messages behind a number of an e-mail (or of one of its links), to be listed latest first.

    `since`: those to which it happened (`sent`, `opened`, `clicked`) since then, as `results_since` counts them.
    """
    messages = Message.objects.filter(email=email, contact__isnull=False).select_related("contact__account")
    if link is not None:
        return messages.filter(pk__in=LinkClick.objects.filter(link=link).values("message_id"))
    if since is not None and what in HAPPENED:
        return messages.filter(pk__in=_happened(since, what).filter(object_id=email.pk).values("message_id"))
    return messages.filter(PEOPLE[what])


def results_since(since: datetime, limit: int) -> list[EmailResult]:
    """The e-mails sent most since a moment, with what was done to how many of their messages since then.

    Reads interaction_of_kind over the partitions since then.
    """
    counts = {what: Count("message_id", distinct=True, filter=Q(kind=kind)) for what, kind in HAPPENED.items()}
    rows: Any = _happened(since, *HAPPENED).values("object_id").annotate(**counts)
    found = list(rows.order_by("-sent", "object_id")[:limit])
    emails = Email.objects.in_bulk([row["object_id"] for row in found])
    return [
        EmailResult(emails[row["object_id"]], *(row[what] for what in HAPPENED))
        for row in found
        if row["object_id"] in emails
    ]


def _happened(since: datetime, *what: str) -> QuerySet[Interaction]:
    """The timeline's rows about messages since a moment."""
    kinds = [HAPPENED[one] for one in what]
    rows = Interaction.objects.filter(kind__in=kinds, occurred_at__gte=since, recorded_at__gte=since)
    return rows.filter(message_id__isnull=False, contact_id__isnull=False).order_by()


def links_of(email: Email) -> list[Link]:
    """The e-mail's links, each with how many recipients followed it (`people`), most first."""
    links = list(Link.objects.filter(email=email))
    counts = dict(LinkClick.objects.filter(link__in=links).values_list("link").annotate(count=Count("pk")).order_by())
    for link in links:
        link.people = counts.get(link.pk, 0)  # type: ignore[attr-defined]
    return sorted(links, key=lambda link: (-link.people, link.pk))  # type: ignore[attr-defined]


def link_choices(email_ids: Sequence[int] | None = None) -> list[tuple[int, str]]:
    """The links that rules can name, of these e-mails or of all, by their labels."""
    links = Link.objects.order_by("label", "pk")
    if email_ids is not None:
        return list(links.filter(email__in=email_ids).values_list("pk", "label"))
    return [(pk, f"{label} ({email})") for pk, label, email in links.values_list("pk", "label", "email__name")]


def outbox(state: str) -> QuerySet[Message]:
    """Messages in a state, to be listed latest first (index message_of_state)."""
    return Message.objects.filter(state=state).select_related("contact", "email")


def outbox_counts(states: Sequence[str]) -> list[StateCount]:
    """How many messages there are in each state, counted up to a bound; one statement, an index range each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT state, (SELECT count(*) FROM (SELECT 1 FROM messaging_message message
                                                   WHERE message.state = given.state LIMIT %s) bounded)
               FROM unnest(%s::text[]) WITH ORDINALITY AS given (state, place) ORDER BY place""",
            [COUNT_UP_TO + 1, list(states)],
        )
        rows = cursor.fetchall()
    return [
        StateCount(key, str(State(key).label), min(count, COUNT_UP_TO), count <= COUNT_UP_TO) for key, count in rows
    ]


def messages_of(contact: Contact) -> QuerySet[Message]:
    """A contact's messages, to be listed latest first (index message_of_contact)."""
    return Message.objects.filter(contact=contact).select_related("email")


def suppressions() -> QuerySet[Suppression]:
    """What stops mail, or counts towards it."""
    return Suppression.objects.exclude(until__lt=Now())


def _figures(email_ids: list[int]) -> dict[int, dict[str, int]]:
    """Index: message_of_email (tenant, email, state); one pass over the e-mails' messages."""
    counts = {name: Count("pk", filter=condition) for name, condition in PEOPLE.items()}
    grouped = Message.objects.filter(email__in=email_ids, contact__isnull=False).order_by().values("email")
    rows = grouped.annotate(**counts).values_list("email", *PEOPLE)
    return {email: dict(zip(PEOPLE, numbers, strict=True)) for email, *numbers in rows}


def _none() -> dict[str, int]:
    return dict.fromkeys(PEOPLE, 0)
