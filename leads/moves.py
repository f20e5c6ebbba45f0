"""Changing stages: one lead or a set, always with its history and its timeline rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from contacts import timeline
from leads.errors import MovedMeanwhile, NotPossible
from leads.models import Lead, Stage, StageChange
from leads.stage_names import name_of
from leads.transitions import RANK, may_go
from tenants.models import Member


class Cause(Protocol):
    """The row of the timeline that made something happen: an `Interaction`, or a `Fact` that a reader got."""

    @property
    def id(self) -> int: ...

    @property
    def depth(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Move:
    """One lead's change of stage, from where the caller saw it."""

    lead: Lead
    to: Stage
    reason: str = ""
    score: int | None = None
    scoring_model_id: int | None = None
    cause: Cause | None = None
    # Puts back a stage that was just left: any may be.
    is_undo: bool = False


def change_stage(
    lead: Lead,
    to: str,
    *,
    reason: str = "",
    by: Member | None = None,
    score: int | None = None,
    scoring_model_id: int | None = None,
    journey_id: int | None = None,
    cause: Cause | None = None,
    changes: Mapping[str, Any] | None = None,
) -> StageChange:
    """Move a lead from the stage in which the caller saw it. `changes` are more columns to set in the same update.

    Raises NotPossible if `to` cannot follow that stage, MovedMeanwhile if the lead stands there or elsewhere by now.
    """
    if lead.stage == to:
        raise MovedMeanwhile(_what_happened(lead))
    move = Move(lead, Stage(to), reason, score, scoring_model_id, cause)
    done = change_stages([move], by=by, journey_id=journey_id, changes=changes)
    if not done:
        raise MovedMeanwhile(_what_happened(lead))
    return done[0]


@transaction.atomic
def change_stages(
    moves: Sequence[Move],
    *,
    by: Member | None = None,
    journey_id: int | None = None,
    changes: Mapping[str, Any] | None = None,
) -> list[StageChange]:
    """Move a set of leads; those that stand elsewhere by now are left out. Returns the changes that happened.

    Four statements for any number of leads. `changes` (columns of Lead and their values) hold for all of them.
    """
    for move in moves:
        if not move.is_undo and not may_go(move.lead.stage, move.to):
            text = _("A lead cannot go from “%(from)s” to “%(to)s”.")
            raise NotPossible(text % {"from": name_of(move.lead.stage), "to": name_of(move.to)})
    now = timezone.now()
    moved = _update(moves, now, changes or {})
    happened = [move for move in moves if move.lead.pk in moved]
    rows = [_history(move, by, journey_id, now) for move in happened]
    StageChange.objects.bulk_create(rows)
    timeline.record_many("lead.stage_changed", [_fact(move, by, journey_id) for move in happened])
    for move in happened:
        values = {"stage": move.to, "stage_reason": move.reason[:300], "stage_since": now, **(changes or {})}
        for name, value in values.items():
            setattr(move.lead, name, value)
    keep_contact_stages([move.lead.contact_id for move in happened if move.lead.contact_id])
    return rows


def _update(moves: Sequence[Move], now: datetime, changes: Mapping[str, Any]) -> set[int]:
    """Set the stages where they are still what was seen; returns the ids that moved. By primary key, one statement."""
    statement = sql.SQL(
        """UPDATE leads_lead lead SET stage = given.to_stage, stage_reason = given.reason,
                  stage_since = %(now)s, updated_at = %(now)s {more}
           FROM unnest(%(ids)s::bigint[], %(seen)s::text[], %(to)s::text[], %(reasons)s::text[])
                AS given (id, seen, to_stage, reason)
           WHERE lead.id = given.id AND lead.stage = given.seen RETURNING lead.id"""
    ).format(
        more=sql.SQL("").join(
            [sql.SQL(", {} = {}").format(sql.Identifier(name), sql.Placeholder(f"set_{name}")) for name in changes]
        )
    )
    params = {
        "now": now,
        "ids": [move.lead.pk for move in moves],
        "seen": [move.lead.stage for move in moves],
        "to": [move.to.value for move in moves],
        "reasons": [move.reason[:300] for move in moves],
        **{f"set_{name}": value for name, value in changes.items()},
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {id_ for (id_,) in cursor.fetchall()}


def _history(move: Move, by: Member | None, journey_id: int | None, now: datetime) -> StageChange:
    return StageChange(
        lead=move.lead,
        from_stage=move.lead.stage,
        to_stage=move.to,
        reason=move.reason[:300],
        actor=by,
        scoring_model_id=move.scoring_model_id,
        journey_id=journey_id,
        score=move.score,
        at=now,
    )


def _fact(move: Move, by: Member | None, journey_id: int | None) -> dict[str, Any]:
    seen = Stage(move.lead.stage)
    detail = {
        "lead": move.lead.topic,
        "from": seen.value,
        "to": move.to.value,
        "from_name": name_of(seen),
        "to_name": name_of(move.to),
        "reason": move.reason[:300],
        "because": move.reason[:300],
    }
    return {**about(move.lead, by=by, cause=move.cause), "journey_id": journey_id, "detail": detail}


def about(lead: Lead, *, by: Member | None = None, cause: Cause | None = None) -> dict[str, Any]:
    """The ids that every timeline row of a lead carries."""
    ids: dict[str, Any] = {
        "lead_id": lead.pk,
        "contact_id": lead.contact_id,
        "account_id": lead.account_id,
        "object_id": lead.pk,
        "actor_id": by.pk if by else None,
    }
    if cause is not None:
        ids |= {"cause_id": cause.id, "depth": cause.depth + 1}
    return ids


def keep_contact_stages(contact_ids: Sequence[int]) -> None:
    """Note at each contact the stage of her most advanced lead, for lists (`ContactFacts.stage`).

    First the rows are locked in the order of their ids, then computed by a statement that sees what was committed
    before the lock: two leads of one contact that move at once leave the right stage. Index: lead_of_contact.
    """
    if not contact_ids:
        return
    params: dict[str, Any] = {"ids": sorted(set(contact_ids)), "rank": [stage.value for stage in RANK]}
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO contacts_contactfacts AS facts (contact_id, grade, stage, last_activity_kind, weeks)
               SELECT id, '', '', '', '{}' FROM unnest(%(ids)s::bigint[]) AS id ORDER BY id
               ON CONFLICT (contact_id) DO UPDATE SET stage = facts.stage""",
            params,
        )
        cursor.execute(
            """UPDATE contacts_contactfacts facts SET stage = coalesce(
                   (SELECT lead.stage FROM leads_lead lead WHERE lead.contact_id = facts.contact_id
                    ORDER BY array_position(%(rank)s::text[], lead.stage::text) DESC LIMIT 1), '')
               WHERE facts.contact_id = ANY(%(ids)s)""",
            params,
        )


def note_new_leads(contact_ids: Sequence[int]) -> None:
    """The same for contacts who have got a lead at the first stage, by one statement: it is theirs unless another of
    their leads says more. Whoever has a lead has a row, so there is nothing to compute."""
    if not contact_ids:
        return
    says_less = RANK[: RANK.index(Stage.INQUIRY)]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO contacts_contactfacts AS facts (contact_id, stage, grade, last_activity_kind, weeks)
               SELECT id, %(first)s, '', '', '{}' FROM unnest(%(ids)s::bigint[]) AS id ORDER BY id
               ON CONFLICT (contact_id) DO UPDATE SET stage = excluded.stage WHERE facts.stage = ANY(%(less)s)""",
            {"ids": sorted(set(contact_ids)), "first": Stage.INQUIRY, "less": ["", *(s.value for s in says_less)]},
        )


def _what_happened(lead: Lead) -> str:
    """Who was faster, in words."""
    last = StageChange.objects.filter(lead=lead).select_related("actor__user").order_by("-pk").first()
    if last is None:
        return _("This lead is gone.")
    names = {"stage": name_of(last.to_stage), "name": last.actor}
    if last.actor is None:
        return _("Meanwhile this lead became “%(stage)s”.") % names
    return _("%(name)s was faster: this lead is “%(stage)s” now.") % names
