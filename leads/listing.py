"""The list of leads: its tabs, filters and orders, all of them read from the address."""

from collections.abc import Mapping
from datetime import date

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import listing, search
from contacts.listing import Chip, Choice, Listing
from contacts.models import Contact
from contacts.registry import Choices
from leads import queries, stage_names
from leads.creation import SEARCH_KIND
from leads.models import SOURCES, Lead, Stage, StageChange
from leads.transitions import OFFERED, OPEN
from tenants.days import begin_of, read_day
from tenants.models import Member

TABS = {
    "open": gettext_lazy("All open"),
    "ready": gettext_lazy("Sales-ready, unassigned"),
    "mine": gettext_lazy("Mine"),
    "recycled": gettext_lazy("Recycled"),
    "closed": gettext_lazy("Closed"),
    "all": gettext_lazy("All"),
}
GRADES = ("A", "B", "C", "D")
ORDERS = {
    "score": (gettext_lazy("Best score first"), ("-rank", "-pk")),
    "latest": (gettext_lazy("Newest first"), ("-created_at", "-pk")),
}
# Days (in the viewer's zone) that a figure elsewhere narrows the list by, and what that means.
DAYS = {
    "since": gettext_lazy("created since %(day)s"),
    "until": gettext_lazy("created before %(day)s"),
    "qualified_since": gettext_lazy("sales-ready since %(day)s"),
}


def leads(params: QueryDict, member: Member) -> Listing:
    """The page of leads that the address asks for; what it does not know counts as not asked.

    Indexes: lead_by_rank, lead_latest, lead_of_owner.
    """
    filters, days = _filters(params, member), _days(params)
    rows = _rows(params, member, filters)
    chips = listing.chips_of(filters, params)
    chips += [
        Chip(str(DAYS[name]) % {"day": date_format(day)}, listing.without(params, name)) for name, day in days.items()
    ]
    order = params.get("order", "") if params.get("order", "") in ORDERS else "score"
    kept = [("tab", tab_of(params)), *((name, day.isoformat()) for name, day in days.items())]
    kept += [("view", view)] if (view := params.get("view")) else []
    return listing.listing_of(rows, params, ORDERS, order, _text(params), filters, chips, kept)


def found(params: QueryDict, member: Member) -> QuerySet[Lead]:
    """All leads that the address asks for, in no order."""
    return _rows(params, member, _filters(params, member))


def _text(params: QueryDict) -> str:
    return " ".join(params.get("q", "").split())[:100]


def tab_of(params: Mapping[str, str]) -> str:
    """The tab that an address is about. Without one, the open leads; all of them if it names a stage or a day."""
    tab = params.get("tab", "")
    if tab in TABS:
        return tab
    return "all" if params.get("stage") in Stage.values or _days(params) else "open"


def _filters(params: QueryDict, member: Member) -> list[Choice]:
    offered: tuple[tuple[str, str, Choices], ...] = (
        ("stage", _("Stage"), stage_names.choices()),
        ("source", _("Source"), list(SOURCES.items())),
        ("grade", _("Grade"), [(grade, grade) for grade in GRADES]),
    )
    found = [Choice(name, label, ways, listing.known(params.get(name, ""), ways)) for name, label, ways in offered]
    return [*found, listing.owner_choice(params, member)]


def _rows(params: QueryDict, member: Member, filters: list[Choice]) -> QuerySet[Lead]:
    chosen, days = {choice.name: choice.value for choice in filters}, _days(params)
    rows = queries.shown().filter(_in_tab(tab_of(params), member))
    rows = rows.filter(**{name: chosen[name] for name in ("stage", "source", "grade") if chosen[name]})
    rows = listing.owned(rows, chosen["owner"], member)
    if day := days.get("since"):
        rows = rows.filter(created_at__gte=begin_of(day))
    if day := days.get("until"):
        rows = rows.filter(created_at__lt=begin_of(day))
    if day := days.get("qualified_since"):
        qualified = StageChange.objects.filter(to_stage=Stage.MQL, at__gte=begin_of(day))
        rows = rows.filter(pk__in=qualified.values("lead"))
    if text := _text(params):
        people = Contact.objects.filter(search.matching(text, "contact")).values("pk")
        rows = rows.filter(search.matching(text, SEARCH_KIND) | Q(contact__in=people))
    return rows


def _days(params: Mapping[str, str]) -> dict[str, date]:
    return {name: day for name in DAYS if (day := read_day(params.get(name, "")))}


def _in_tab(tab: str, member: Member) -> Q:
    return {
        "open": Q(stage__in=OPEN),
        "ready": Q(stage__in=OFFERED, owner=None),
        "mine": Q(owner=member, stage__in=OPEN),
        "recycled": Q(stage=Stage.RECYCLED),
        "closed": ~Q(stage__in=OPEN),
        "all": Q(),
    }[tab]
