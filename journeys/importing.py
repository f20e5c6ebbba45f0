"""Which journeys an import would start: asked in its trial, while the contacts that it would make are there."""

from collections.abc import Sequence

from django.db import connection
from psycopg import sql

from journeys import audience
from journeys.models import Journey, JourneyVersion
from segments import membership
from segments.compiler import condition, rule_settings
from segments.models import Segment, SegmentMember
from segments.rules import RuleError


def would_start(contact_ids: Sequence[int]) -> dict[str, int]:
    """How many of the contacts would enter each live journey by coming into one of its segments, by its name.

    One statement per segment that a live journey listens to, restricted to these contacts.
    """
    versions = JourneyVersion.objects.select_related("journey").filter(
        state=JourneyVersion.State.LIVE, journey__state=Journey.State.LIVE
    )
    roots = {version.journey: version.tiles["tiles"][version.tiles["root"]]["settings"] for version in versions}
    listening = {j: s for j, s in roots.items() if s.get("source") == audience.SEGMENTS and s.get("include")}
    asked = {pk for settings in listening.values() for pk in (*settings["include"], *settings.get("exclude", []))}
    before, after = _members(asked, contact_ids), _members_to_be(asked, contact_ids)
    found = {}
    for journey, settings in listening.items():
        entering = _chosen(settings, after) - _chosen(settings, before)
        if count := _admissible(journey, entering):
            found[journey.name] = count
    return found


def _chosen(settings: dict, members: dict[int, set[int]]) -> set[int]:
    """Who is in the audience, given who is in which segment."""
    sets = [members.get(pk, set()) for pk in settings["include"]]
    chosen = set.intersection(*sets) if settings.get("match") == "all" else set().union(*sets)
    return chosen.difference(*(members.get(pk, set()) for pk in settings.get("exclude", [])))


def _members(segment_ids: set[int], contact_ids: Sequence[int]) -> dict[int, set[int]]:
    """Of the contacts, those in each segment now."""
    found: dict[int, set[int]] = {}
    rows = SegmentMember.objects.filter(segment__in=segment_ids, contact__in=contact_ids)
    for segment_id, contact_id in rows.values_list("segment", "contact"):
        found.setdefault(segment_id, set()).add(contact_id)
    return found


def _members_to_be(segment_ids: set[int], contact_ids: Sequence[int]) -> dict[int, set[int]]:
    """Of the contacts, those in each segment once it has looked at them: as its rule says, lists as they are."""
    found = _members(segment_ids, contact_ids)
    dynamic = Segment.objects.filter(pk__in=segment_ids, kind=Segment.Kind.DYNAMIC, state=Segment.State.LIVE)
    for segment in dynamic:
        try:
            rule = membership.rule_of(segment)
        except RuleError:
            continue
        with rule_settings(is_full=False), connection.cursor() as cursor:
            cursor.execute(condition(rule, contact_ids))
            found[segment.pk] = {contact_id for (contact_id,) in cursor.fetchall()}
    return found


def _admissible(journey: Journey, contact_ids: set[int]) -> int:
    candidates = sql.SQL("SELECT unnest({}::bigint[]) AS contact_id").format(sql.Literal(sorted(contact_ids)))
    return audience.count(audience.admissible(journey, candidates)) if contact_ids else 0
