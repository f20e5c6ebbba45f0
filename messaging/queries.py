"""What the pages of messaging read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from messaging.models import Email, EmailVersion, Link, LinkClick, Message, Suppression
from messaging.personalization import readable
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

# How the numbers are called on the e-mail's page, in this order; those that are rare are shown when there are any.
RESULTS: dict[str, str | Promise] = {
    "sent": _("Sent"),
    "opened": _("Opened"),
    "clicked": _("Clicked"),
    "unsubscribed": _("Unsubscribed"),
    "waiting": _("Waiting"),
    "blocked": _("Not allowed"),
    "failed": _("Failed"),
    "uncertain": _("Uncertain"),
}
SHARED = ("opened", "clicked", "unsubscribed")
RARE = ("uncertain",)


@dataclass(frozen=True)
class EmailRow:
    """An e-mail in the list."""

    email: Email
    live: EmailVersion | None
    draft: EmailVersion | None
    figures: dict[str, int]

    @property
    def subject(self) -> str:
        """What inboxes show, with placeholders as what they stand for."""
        version = self.live or self.draft
        return readable(version.subject) if version else ""


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


def results(figures: dict[str, int]) -> list[tuple[str, str | Promise, int, float | None]]:
    """(name, label, number, per hundred sent) of what came of an e-mail, in the order they are shown."""
    sent = figures["sent"]
    return [
        (name, label, figures[name], 100 * figures[name] / sent if sent and name in SHARED else None)
        for name, label in RESULTS.items()
        if figures[name] or name not in RARE
    ]


def people(email: Email, what: str, link: Link | None = None) -> QuerySet[Message]:
    """The messages behind a number of an e-mail (or of one of its links), to be listed latest first."""
    messages = Message.objects.filter(email=email, contact__isnull=False).select_related("contact__account")
    if link is not None:
        return messages.filter(pk__in=LinkClick.objects.filter(link=link).values("message_id"))
    return messages.filter(PEOPLE[what])


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
