"""The lists of contacts and accounts: filters and order from the address, pages by key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import consent, facts, registry, search
from contacts.models import Account, Contact, ContactFacts
from contacts.registry import Choices
from tenants.models import Member
from tenants.paging import Page, count_up_to, page_of
from tenants.postgres import statistics
from tenants.scope import current_tenant_id

CONTACT_ORDERS = {
    "name": (gettext_lazy("Name"), ("sort_key", "pk")),
    "latest": (gettext_lazy("Newest first"), ("-created_at", "-pk")),
    "score": (gettext_lazy("Highest score"), ("-facts__rank", "-pk")),
}
ACCOUNT_ORDERS = {
    "name": (gettext_lazy("Name"), ("name_key", "pk")),
    "latest": (gettext_lazy("Newest first"), ("-created_at", "-pk")),
}
CONSENT = {
    "granted": gettext_lazy("Agreed to marketing"),
    "none": gettext_lazy("No consent to marketing"),
    "no_email": gettext_lazy("Wants no e-mail"),
}


class Choice(NamedTuple):
    """A filter of the list: its name in the address, what it offers, and what is chosen (empty: nothing)."""

    name: str
    label: str
    choices: Choices
    value: str


class Chip(NamedTuple):
    """A filter that is on, in words, and the address's query without it."""

    text: str
    without: str


class Shown(NamedTuple):
    """What a list shows about a contact beside her own fields."""

    score: int | None
    grade: str
    stage: str
    stage_name: str
    weeks: Sequence[int]
    last_activity_at: datetime | None
    has_refused: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, with everything that its page shows."""

    page: Page[Any]
    count: int
    is_exact: bool
    filters: list[Choice]
    orders: Choices
    order: str
    text: str
    chips: list[Chip] = field(default_factory=list)
    # What else of the address the filters' form carries on: (name, value).
    kept: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_filtered(self) -> bool:
        return bool(self.chips or self.text)


def contacts(params: QueryDict, member: Member) -> Listing:
    """The page of contacts that the address asks for; what it does not know counts as not asked.

    Indexes: contact_by_name, contact_latest, facts_by_rank, facts_by_stage. Five queries, whatever the page's length.
    """
    rows, filters, chips = _contact_rows(params, member)
    order = params.get("order", "") if params.get("order", "") in CONTACT_ORDERS else "name"
    if order == "score":
        rows = rows.filter(facts__rank__isnull=False)  # an inner join, which facts_by_rank can lead
    listing = _listing(rows, params, "contact", CONTACT_ORDERS, order, filters, chips)
    add_facts(listing.page.rows)
    return listing


def contacts_to_export(params: QueryDict, member: Member) -> QuerySet[Contact]:
    """All contacts that the list would show, in no order."""
    return _found(_contact_rows(params, member)[0], params, "contact")


def accounts_to_export(params: QueryDict, member: Member) -> QuerySet[Account]:
    """All accounts that the list would show, in no order."""
    rows = owned(Account.objects.filter(is_active=True), owner_choice(params, member).value, member)
    return _found(rows, params, "account")


def accounts(params: QueryDict, member: Member) -> Listing:
    """The page of accounts that the address asks for. Indexes: account_by_name, account_latest, contact_of_account."""
    owner = owner_choice(params, member)
    people = Contact.objects.filter(account=OuterRef("pk"), is_active=True).order_by().values("account")
    rows = Account.objects.filter(is_active=True).select_related("owner__user")
    rows = rows.annotate(
        people_count=Coalesce(Subquery(people.annotate(n=Count("pk")).values("n")), 0),
        last_activity_at=Subquery(people.annotate(last=Max("facts__last_activity_at")).values("last")),
    )
    rows = owned(rows, owner.value, member)
    order = params.get("order", "") if params.get("order", "") in ACCOUNT_ORDERS else "name"
    return _listing(rows, params, "account", ACCOUNT_ORDERS, order, [owner], chips_of([owner], params))


def estimate(rows: QuerySet[Any]) -> int:
    """About how many rows there are, by the planner's statistics, rounded to two figures."""
    count = statistics.believed_count(rows)
    return round(count, 2 - len(str(count)))


def members() -> QuerySet[Member]:
    """The tenant's members by name, for choosing an owner (Member is no table of the tenant's, so it is filtered)."""
    active = Member.objects.filter(tenant=current_tenant_id(), is_active=True)
    return active.select_related("user").order_by("user__name", "pk")


def add_facts(rows: list[Contact], refused: set[int] | None = None) -> None:
    """What the list shows beside a contact's own fields; a contact may have no facts yet.

    `refused` are those who refused some purpose, if that is known already.
    """
    refused = consent.refused_among(row.pk for row in rows) if refused is None else refused
    stages = dict(registry.stages())
    for row in rows:
        known = getattr(row, "facts", None) or ContactFacts()
        row.shown = Shown(  # type: ignore[attr-defined]
            known.score,
            known.grade,
            known.stage,
            str(stages.get(known.stage, known.stage)),
            facts.weeks(known),
            known.last_activity_at,
            row.pk in refused,
        )


def _contact_rows(params: QueryDict, member: Member) -> tuple[QuerySet[Contact], list[Choice], list[Chip]]:
    """The contacts that the address asks for, but for the words to find; its filters, and those that are on."""
    filters = _contact_filters(params, member)
    chosen = {choice.name: choice.value for choice in filters if choice.value}
    rows = Contact.objects.filter(is_active=True).select_related("account", "owner__user", "facts")
    if stage := chosen.get("stage"):
        rows = rows.filter(facts__stage=stage)
    rows = _with_consent(rows, chosen.get("consent", ""))
    rows = owned(rows, chosen.get("owner", ""), member)
    chips = chips_of(filters, params)
    if people := _set(params.get("in", "")):
        rows = rows.filter(pk__in=people.ids)
        chips.append(Chip(people.label, without(params, "in")))
    return rows, filters, chips


def _found(rows: QuerySet[Any], params: QueryDict, kind: str) -> QuerySet[Any]:
    text = _text(params)
    return rows.filter(search.matching(text, kind)) if text else rows


def _text(params: QueryDict) -> str:
    return " ".join(params.get("q", "").split())[:100]


def _listing(
    rows: QuerySet[Any],
    params: QueryDict,
    kind: str,
    orders: Mapping[str, tuple[Any, tuple[str, ...]]],
    order: str,
    filters: list[Choice],
    chips: list[Chip],
) -> Listing:
    kept = [(name, value) for name in ("in", "view") if (value := params.get(name))]
    return listing_of(_found(rows, params, kind), params, orders, order, _text(params), filters, chips, kept)


def listing_of(
    rows: QuerySet[Any],
    params: QueryDict,
    orders: Mapping[str, tuple[Any, tuple[str, ...]]],
    order: str,
    text: str,
    filters: list[Choice],
    chips: list[Chip],
    kept: list[tuple[str, str]],
) -> Listing:
    """The page of rows that the address asks for, with their number and what its page shows around them."""
    count, is_exact = count_up_to(rows)
    if not is_exact:
        count = max(count, estimate(rows))
    page = page_of(rows, orders[order][1], params)
    labels = [(key, label) for key, (label, _columns) in orders.items()]
    return Listing(page, count, is_exact, filters, labels, order, text, chips, kept)


def _contact_filters(params: QueryDict, member: Member) -> list[Choice]:
    asked: list[tuple[str, str, Choices]] = [
        ("stage", _("Stage"), list(registry.stages())),
        ("consent", _("Consent"), list(CONSENT.items())),
    ]
    found = [Choice(name, label, choices, known(params.get(name, ""), choices)) for name, label, choices in asked]
    return [*(choice for choice in found if choice.choices), owner_choice(params, member)]


def owner_choice(params: QueryDict, member: Member) -> Choice:
    """The filter by owner: me, nobody, or a colleague."""
    choices: list[tuple[str, Any]] = [("me", _("Me")), ("none", _("Nobody"))]
    choices += [(str(other.pk), str(other)) for other in members() if other.pk != member.pk]
    return Choice("owner", _("Owner"), choices, known(params.get("owner", ""), choices))


def known(value: str, choices: Choices) -> str:
    """The value if it is one of the choices; empty otherwise."""
    return value if value in {key for key, _label in choices} else ""


def owned(rows: QuerySet[Any], owner: str, member: Member) -> QuerySet[Any]:
    """The rows of the owner that `owner_choice` names."""
    if owner in ("", "none"):
        return rows.filter(owner=None) if owner else rows
    return rows.filter(owner=member if owner == "me" else int(owner))


def _with_consent(rows: QuerySet[Contact], state: str) -> QuerySet[Contact]:
    if state == "granted":
        return rows.filter(consent_level__gte=consent.COMMERCIAL, do_not_email=False)
    if state == "none":
        return rows.filter(consent_level__lt=consent.COMMERCIAL)
    return rows.filter(do_not_email=True) if state == "no_email" else rows


def _set(value: str) -> registry.ContactSet | None:
    name, _colon, key = value.partition(":")
    return registry.contact_sets[name](key) if name in registry.contact_sets else None


def chips_of(filters: list[Choice], params: QueryDict) -> list[Chip]:
    """A chip for each filter that is on."""
    on = [(f.name, f"{f.label}: {dict(f.choices)[f.value]}") for f in filters if f.value]
    return [Chip(text, without(params, name)) for name, text in on]


def without(params: QueryDict, name: str) -> str:
    """The query with neither this filter nor the place in the list."""
    kept = params.copy()
    for gone in (name, "after", "before"):
        kept.pop(gone, None)
    return f"?{kept.urlencode()}"
