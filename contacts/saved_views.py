"""Saved views of a list: kept, changed, deleted, and shown as tabs."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from contacts.models import SavedView
from tenants.access import Right, may
from tenants.models import Member

# What of an address is the place in the list, not what it asks for.
PLACE = ("after", "before", "view")


class NameTaken(ValueError):
    """Another view of the list already has the name; the text says so."""


@dataclass(frozen=True)
class Tabs:
    """A list's saved views as a page shows them."""

    page: str
    rows: list[SavedView]
    current: SavedView | None
    query: str
    is_mine: bool

    @property
    def is_changed(self) -> bool:
        """Whether the page asks for something else than the view that it came from."""
        return self.current is not None and self.query != self.current.query

    @property
    def may_save(self) -> bool:
        """Whether there is something to keep that is no view yet."""
        return bool(self.query) and (self.current is None or self.is_changed)


def of(page: str, member: Member) -> QuerySet[SavedView]:
    """The views of a list that a member sees: everybody's and her own."""
    return SavedView.objects.filter(Q(member=None) | Q(member=member), page=page)


def may_change(view: SavedView, member: Member) -> bool:
    """Her own; everybody's for those who work on records."""
    return view.member_id == member.pk or (view.member_id is None and may(member, Right.WORK_LEADS))


def tabs(page: str, params: QueryDict, member: Member) -> Tabs:
    """The views of a list, with the one that the address names."""
    rows, wanted = list(of(page, member)), params.get("view", "")
    current = next((row for row in rows if str(row.pk) == wanted), None)
    is_mine = current is not None and may_change(current, member)
    return Tabs(page, rows, current, query_of(params), is_mine)


def query_of(params: QueryDict) -> str:
    """What an address asks for, in one form: sorted, without empty values and the place in the list."""
    kept = QueryDict(mutable=True)
    for name in sorted(params):
        if name not in PLACE and (value := params.get(name)):
            kept[name] = str(value)
    return kept.urlencode()[:2000]


def save(page: str, name: str, params: QueryDict, *, is_shared: bool, by: Member) -> SavedView:
    """Keep what an address asks for under a name. Raises NameTaken."""
    try:
        with transaction.atomic():
            return SavedView.objects.create(
                page=page, name=name, query=query_of(params), member=None if is_shared else by
            )
    except IntegrityError:
        raise NameTaken(_("There is a view “%(name)s” already.") % {"name": name}) from None


def change(view: SavedView, params: QueryDict) -> None:
    """Let a view ask for something else."""
    view.query = query_of(params)
    view.save(update_fields=["query"])


def delete(view: SavedView) -> None:
    """Take a view away; the records stay."""
    view.delete()
