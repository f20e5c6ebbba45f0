"""Reads of segments that pages share."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, FilteredRelation, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Contact, Interaction
from contacts.registry import Choices, ContactSet
from segments import membership
from segments.models import Segment, SegmentMember
from segments.rules import RuleError, Vocabulary, in_words

HISTORY = timedelta(days=30)


def in_use() -> QuerySet[Segment]:
    """The segments that are not archived."""
    return Segment.objects.exclude(state=Segment.State.ARCHIVED)


def words_of(segment: Segment, vocabulary: Vocabulary | None = None) -> str:
    """What the segment is: its rule in words, or what is wrong with it."""
    if segment.kind == Segment.Kind.STATIC:
        return _("Chosen by hand")
    if not segment.rule:
        return _("No conditions yet")
    words = vocabulary or Vocabulary()
    try:
        return in_words(membership.rule_of(segment, words), words)
    except RuleError as error:
        return error.message


def members(segment: Segment) -> QuerySet[SegmentMember]:
    """The memberships of active contacts, for a page ordered by since and id."""
    rows = SegmentMember.objects.filter(segment=segment, contact__is_active=True)
    return rows.select_related("contact__account")


def of_contact(contact: Contact) -> tuple[list[Any], Choices]:
    """The segments that a contact is in, latest first, each with `since`; and the lists she may be added to."""
    hers = FilteredRelation("memberships", condition=Q(memberships__contact=contact))
    rows = in_use().annotate(hers=hers).filter(Q(hers__isnull=False) | Q(kind=Segment.Kind.STATIC))
    found: list[Any] = list(rows.annotate(since=F("hers__since")).order_by(F("since").desc(nulls_last=True), "name"))
    return [row for row in found if row.since], [(str(row.pk), row.name) for row in found if not row.since]


def views(limit: int = 5) -> list[tuple[str, str, int]]:
    """The largest live segments, as tabs over the list of contacts; their counts are kept, not counted."""
    rows = Segment.objects.filter(state=Segment.State.LIVE, error="").order_by("-member_count", "name")[:limit]
    return [(f"in=segment:{row.pk}", row.name, row.member_count) for row in rows]


def static_segments() -> Choices:
    """The lists that people may be added to by hand."""
    rows = in_use().filter(kind=Segment.Kind.STATIC).order_by("name")
    return [(str(pk), name) for pk, name in rows.values_list("pk", "name")]


def contact_set(key: str) -> ContactSet | None:
    """A segment's people, as the list of contacts shows them at ?in=segment:<id>."""
    segment = Segment.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    if segment is None:
        return None
    ids = SegmentMember.objects.filter(segment=segment).values("contact_id")
    return ContactSet(_("Segment: %(name)s") % {"name": segment.name}, ids)


@dataclass(frozen=True)
class History:
    """How many entered and left on each of the last days, oldest first."""

    entered: list[int]
    left: list[int]
    sizes: list[int]

    @property
    def entered_count(self) -> int:
        return sum(self.entered)

    @property
    def left_count(self) -> int:
        return sum(self.left)


def history(segment: Segment) -> History:
    """The segment's last 30 days, by the viewer's calendar.

    Index: interaction_of_kind, the two kinds within the days; grouped by Postgres.
    """
    today = timezone.localdate()
    days = [today - timedelta(days=n) for n in range(HISTORY.days - 1, -1, -1)]
    since = timezone.now() - HISTORY
    rows: QuerySet[Any] = (
        Interaction.objects.filter(
            kind__in=("segment.entered", "segment.left"),
            object_id=segment.pk,
            occurred_at__gte=since,
            recorded_at__gte=since,
        )
        .values("kind", day=TruncDate("occurred_at"))
        .annotate(count=Count("id"))
    )
    counts: dict[tuple[str, date], int] = {(row["kind"], row["day"]): row["count"] for row in rows}
    entered = [counts.get(("segment.entered", day), 0) for day in days]
    left = [counts.get(("segment.left", day), 0) for day in days]
    return History(entered, left, _sizes(segment.member_count, entered, left))


def _sizes(now: int, entered: list[int], left: list[int]) -> list[int]:
    """The size at the end of each day, counted back from now."""
    sizes = [now]
    for came, went in zip(reversed(entered[1:]), reversed(left[1:]), strict=True):
        sizes.append(max(0, sizes[-1] - came + went))
    return sizes[::-1]
