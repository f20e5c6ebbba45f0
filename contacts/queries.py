"""Shared reads: the timeline of a contact, an account or a lead, as pages show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Model, Q, QuerySet
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import custom, registry
from contacts import timeline as facts
from contacts.models import Account, Contact, Interaction
from tenants.models import Member
from tenants.paging import Page, page_of

PAGE = 40
# The groups that a timeline can be narrowed to, with the colour of their entries.
GROUPS: dict[str, tuple[str | Promise, str]] = {
    "email": (gettext_lazy("E-mails"), "blue"),
    "web": (gettext_lazy("Web"), "teal"),
    "journey": (gettext_lazy("Journeys"), "purple"),
    "sales": (gettext_lazy("Sales"), "green"),
    "score": (gettext_lazy("Score"), "orange"),
    "segment": (gettext_lazy("Segments"), "indigo"),
    "consent": (gettext_lazy("Consent"), "yellow"),
    "record": (gettext_lazy("Record"), "secondary"),
}
# A kind whose sentence is only this holds a person's own words: shown below its title.
FREE_TEXT = "{text}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the timeline in words; `headline` is safe HTML."""

    at: datetime
    icon: str
    tone: str
    headline: SafeString
    text: str = ""
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    actor: Member | None = None
    because: SafeString | str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a timeline, newest first; `before` is the mark of the page of older ones (empty: there is none)."""

    subject: str
    pk: int
    entries: list[Entry]
    groups: list[tuple[str, str | Promise]]
    group: str = ""
    before: str = ""

    @property
    def path(self) -> str:
        """Where a fragment with other parameters comes from."""
        return reverse("contacts:timeline", args=[self.subject, self.pk])


def timeline(
    *,
    contact: Model | int | None = None,
    account: Model | int | None = None,
    lead: Model | int | None = None,
    group: str | None = None,
    before: str | None = None,
) -> Timeline:
    """A page of what happened to exactly one of contact, account or lead; for `contacts/_timeline.html`.

    `group` narrows it to one of GROUPS, `before` continues it (an unknown group or mark counts as none). Two to four
    queries, whatever its length. Indexes: interaction_of_contact, interaction_of_account, interaction_of_lead.
    """
    subjects = {"contact": contact, "account": account, "lead": lead}
    subject, target = next((name, target) for name, target in subjects.items() if target is not None)
    pk = target.pk if isinstance(target, Model) else target
    known = [(key, label) for key, (label, _tone) in GROUPS.items() if _kinds_of(key)]
    group = group if group in dict(known) else ""
    rows = Interaction.objects.filter(**{f"{subject}_id": pk})
    if group:
        rows = rows.filter(kind__in=_kinds_of(group))
    found = list(_older(rows, before or "").order_by("-occurred_at", "-id")[: PAGE + 1])
    shown = found[:PAGE]
    mark = f"{shown[-1].occurred_at.isoformat()}|{shown[-1].pk}" if len(found) > PAGE else ""
    return Timeline(subject, pk, _entries(shown, names_person=subject != "contact"), known, group, mark)


def sentence(row: Interaction) -> SafeString:
    """What a row says, as safe HTML: "clicked Book a demo in Invitation", with a link to what it is about."""
    kind = _kind(row.kind)
    words = _Words((key, _value(kind, row, key, value)) for key, value in row.detail.items() if value is not None)
    # The template's own text is escaped with its braces intact, each value by itself.
    return mark_safe(escape(str(kind.sentence)).format_map(words).strip())  # noqa: S308


def in_words(row: Interaction) -> str:
    """What a row says as plain text, for whoever has none of our pages: a task, a mail, another system."""
    words = _Words((key, str(value)) for key, value in row.detail.items() if value is not None)
    return str(_kind(row.kind).sentence).format_map(words).strip()


class _Words(dict):
    """The values of a sentence; what a row does not have is left open."""

    def __missing__(self, key: str) -> str:
        return "…"


def _entries(rows: list[Interaction], *, names_person: bool) -> list[Entry]:
    causes = Interaction.objects.in_bulk({row.cause_id for row in rows if row.cause_id})
    actors = _in_bulk(Member.objects.select_related("user"), (row.actor_id for row in rows))
    people = _in_bulk(Contact.objects.all(), (row.contact_id for row in rows)) if names_person else {}
    return [_entry(row, causes.get(row.cause_id), people.get(row.contact_id), actors.get(row.actor_id)) for row in rows]


def _entry(row: Interaction, cause: Interaction | None, who: Contact | None, actor: Member | None) -> Entry:
    kind = _kind(row.kind)
    is_free = kind.sentence == FREE_TEXT
    return Entry(
        at=row.occurred_at,
        icon=kind.icon,
        tone=str(GROUPS[kind.group][1]) if kind.group in GROUPS else "secondary",
        headline=_headline(row, kind, who),
        text=str(row.detail.get("text", "")) if is_free else "",
        changes=changes_in_words(row.detail.get("fields")),
        actor=actor,
        because=_because(row, cause),
    )


def _headline(row: Interaction, kind: facts.Kind, who: Contact | None) -> SafeString:
    """The sentence as a line of its own, with the person as its subject where several may be meant."""
    name = format_html('<a href="{}">{}</a>', reverse("contacts:detail", args=[who.pk]), who) if who else None
    if kind.sentence == FREE_TEXT:
        return format_html("{} · {}", kind.title, name) if name else escape(str(kind.title))
    if name:
        return format_html("{} {}", name, sentence(row))
    return mark_safe(capfirst(sentence(row)))  # noqa: S308 - of a safe text, the case of one letter


def _because(row: Interaction, cause: Interaction | None) -> SafeString | str:
    """Why it happened: in the words of the step that did it, else the row that caused it."""
    if words := row.detail.get("because"):
        return str(words)
    return sentence(cause) if cause is not None else ""


def changes_in_words(fields: Any) -> list[tuple[str, str, str]]:
    """(field, before, after) in words, from the detail of a change."""
    if not isinstance(fields, Mapping):
        return []
    found = []
    for name, (before, after) in fields.items():
        if isinstance(after, Mapping):
            before = before or {}
            found += [(k, before.get(k), v) for k, v in after.items() if before.get(k) != v]
        else:
            found.append((_field_name(name), before, after))
    return [(str(name), _shown(before), _shown(after)) for name, before, after in found]


def _field_name(name: str) -> str:
    try:
        label = getattr(Contact._meta.get_field(name), "verbose_name", name)
    except FieldDoesNotExist:
        label = name.removeprefix("custom.").replace("_", " ")
    return capfirst(str(label))


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "–"
    return {True: _("yes"), False: _("no")}[value] if isinstance(value, bool) else str(value)


def _value(kind: facts.Kind, row: Interaction, key: str, value: Any) -> SafeString:
    """A word of the sentence; the name of the row's object leads to its page."""
    if key == kind.object_kind and row.object_id and key in registry.object_pages:
        return format_html('<a href="{}">{}</a>', reverse(registry.object_pages[key], args=[row.object_id]), value)
    return conditional_escape(value)


def _kind(key: str) -> facts.Kind:
    """The row's kind; of an app that is gone, one that says the key."""
    try:
        return facts.kind(key)
    except KeyError:
        return facts.Kind(key, title=key, icon="circle", sentence=key)


def _kinds_of(group: str) -> list[str]:
    return [kind.key for kind in facts.kinds() if kind.group == group]


def _older(rows: QuerySet[Interaction], mark: str) -> QuerySet[Interaction]:
    """The rows after a mark `moment|id`; all for one that cannot be read."""
    moment, _bar, pk = mark.partition("|")
    try:
        at = parse_datetime(moment)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return rows
    return rows.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, id__lt=int(pk)), occurred_at__lte=at)


def _in_bulk(rows: QuerySet[Any], ids: Iterable[int | None]) -> dict[int | None, Any]:
    wanted = {id_ for id_ in ids if id_}
    return rows.in_bulk(wanted) if wanted else {}


def own_fields(entity: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(label, value in words) of the tenant's own fields that have a value."""
    if not values:
        return []
    known = custom.fields(entity)
    return [(known[key].label, _shown(value)) for key, value in values.items() if key in known and value is not None]


def people_of(account: Account, limit: int = 10) -> list[Contact]:
    """The people of an account with the highest scores; one more than `limit` says that there are others."""
    rows = Contact.objects.filter(account=account, is_active=True).select_related("facts")
    return list(rows.order_by(F("facts__score").desc(nulls_last=True), "sort_key", "pk")[: limit + 1])


def all_people_of(account: Account, params: Mapping[str, str]) -> Page[Contact]:
    """A page of everybody at an account, by name."""
    rows = Contact.objects.filter(account=account, is_active=True).select_related("facts", "owner__user")
    return page_of(rows, ("sort_key", "pk"), params)
