"""The list of leads: its tabs, filters and orders, all of them read from the address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from contacts import search
from contacts.models import Contact
from leads import queries
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
SORTS = {"score": ("-rank", "-pk"), "latest": ("-created_at", "-pk")}
# Days (in the viewer's zone) that a figure elsewhere narrows the list by, and what that means.
DAYS = {
    "since": gettext_lazy("created since %(day)s"),
    "until": gettext_lazy("created before %(day)s"),
    "qualified_since": gettext_lazy("sales-ready since %(day)s"),
}


@dataclass(frozen=True)
class Asked:
    """What an address asks for; what it does not know it leaves out."""

    tab: str
    sort: str
    text: str = ""
    exact: dict[str, Any] = field(default_factory=dict)
    days: dict[str, date] = field(default_factory=dict)

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.exact or self.days)

    @property
    def day_filters(self) -> list[tuple[str, date, str]]:
        """(parameter, day, what it means)."""
        return [(name, day, str(DAYS[name]) % {"day": date_format(day)}) for name, day in self.days.items()]


def read(params: Mapping[str, str]) -> Asked:
    """Read an address. Without a tab the open leads are meant, or all of them if it names a stage or a day."""
    exact: dict[str, Any] = {}
    for name, known in (("stage", Stage.values), ("source", SOURCES), ("grade", GRADES)):
        if params.get(name) in known:
            exact[name] = params[name]
    owner = params.get("owner", "")
    if owner.isascii() and owner.isdecimal():
        exact["owner_id"] = int(owner[:18])
    days = {name: day for name in DAYS if (day := read_day(params.get(name, "")))}
    tab = params.get("tab", "")
    if tab not in TABS:
        tab = "all" if days or "stage" in exact else "open"
    sort = params.get("sort", "")
    return Asked(tab, sort if sort in SORTS else "score", params.get("q", "").strip(), exact, days)


def rows(asked: Asked, member: Member) -> QuerySet[Lead]:
    """The leads that are asked for, in no order yet. Indexes: lead_by_rank, lead_latest, lead_of_owner."""
    leads = queries.shown().filter(_in_tab(asked.tab, member), **asked.exact)
    if day := asked.days.get("since"):
        leads = leads.filter(created_at__gte=begin_of(day))
    if day := asked.days.get("until"):
        leads = leads.filter(created_at__lt=begin_of(day))
    if day := asked.days.get("qualified_since"):
        qualified = StageChange.objects.filter(to_stage=Stage.MQL, at__gte=begin_of(day))
        leads = leads.filter(pk__in=qualified.values("lead"))
    if asked.text:
        people = Contact.objects.filter(search.matching(asked.text, "contact")).values("pk")
        leads = leads.filter(search.matching(asked.text, SEARCH_KIND) | Q(contact__in=people))
    return leads


def _in_tab(tab: str, member: Member) -> Q:
    return {
        "open": Q(stage__in=OPEN),
        "ready": Q(stage__in=OFFERED, owner=None),
        "mine": Q(owner=member, stage__in=OPEN),
        "recycled": Q(stage=Stage.RECYCLED),
        "closed": ~Q(stage__in=OPEN),
        "all": Q(),
    }[tab]
