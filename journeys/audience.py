"""Whom a journey is for: the root tile's settings as SQL over the segments' members."""

from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from journeys.happenings import Opening, openings
from journeys.models import Journey
from pages.models import Form
from tenants.registry import Text

# What the root tile may start with, beside what apps above journeys add.
SEGMENTS, FORM = "segments", "form"
openings.add(Opening(FORM, _("Whoever submits a form"), "form.submitted", "forms", _("Forms"), Form, order=10))


def sources() -> list[tuple[str, Text]]:
    """Who may enter: members of segments, or whoever does something."""
    return [(SEGMENTS, _("Members of segments")), *((opening.key, opening.label) for opening in openings)]


def opening_of(settings: dict[str, Any]) -> Opening | None:
    """The kind of fact that the root tile starts with; None: segments."""
    return openings.get(settings.get("source", SEGMENTS))


def members(settings: dict[str, Any]) -> sql.Composed:
    """SQL: contact_id of those in the audience's segments now (`any` of them or `all`), without the excluded ones.

    Index: in_a_segment_once (tenant, segment, contact); a form's audience is nobody until it is submitted.
    """
    include = settings.get("include", []) if settings.get("source") == SEGMENTS else []
    needed = len(include) if settings.get("match") == "all" else 1
    return sql.SQL(
        """SELECT contact_id FROM segments_segmentmember WHERE segment_id = ANY({include})
           GROUP BY contact_id HAVING count(*) >= {needed}
           EXCEPT SELECT contact_id FROM segments_segmentmember WHERE segment_id = ANY({exclude})"""
    ).format(
        include=sql.Literal(list(include)) + sql.SQL("::bigint[]"),
        needed=sql.Literal(needed),
        exclude=sql.Literal(list(settings.get("exclude", []))) + sql.SQL("::bigint[]"),
    )


def admissible(journey: Journey, candidates: sql.Composable) -> sql.Composed:
    """SQL: contact_id of the candidates whom the journey may take."""
    return sql.SQL(
        """SELECT contact.id AS contact_id FROM ({candidates}) candidate
           JOIN contacts_contact contact ON contact.id = candidate.contact_id WHERE {may_take_part}"""
    ).format(candidates=candidates, may_take_part=may_take_part(journey))


def may_take_part(journey: Journey) -> sql.Composed:
    """SQL condition over `contact`: it is active, consents enough, and is not excluded by the journey."""
    return sql.SQL(
        """contact.is_active AND contact.consent_level >= {consent} AND NOT EXISTS (
             SELECT FROM segments_segmentmember excluded
             WHERE excluded.segment_id = {exclusion} AND excluded.contact_id = contact.id)"""
    ).format(
        consent=sql.Literal(journey.minimum_consent),
        exclusion=sql.Literal(journey.exclusion_segment_id or 0),
    )


def count(query: sql.Composable) -> int:
    """How many rows a query has."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM ({}) counted").format(query))
        return cursor.fetchone()[0]
