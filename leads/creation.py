"""New leads: one, or a set by one statement; never two from the same cause."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg import sql

from contacts import findable, timeline
from contacts.models import Account, Contact
from contacts.models.timeline import Lane
from leads.importing import staging
from leads.models import Lead, Stage, StageChange
from leads.moves import Cause, note_new_leads
from tenants.models import Member

SEARCH_KIND = "lead"
# What may be entered for a lead, beside its topic, contact and account.
ENTERED = ("first_name", "last_name", "email", "phone", "job_title", "company", "country", "description")


@dataclass(frozen=True, slots=True)
class NewLead:
    """A lead to make. `origin_key` names the cause (`submission:12`): it makes at most one lead."""

    topic: str
    source: str
    contact_id: int | None = None
    account_id: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    origin_key: str = ""
    form_id: int | None = None
    page_id: int | None = None
    journey_id: int | None = None
    cause: Cause | None = None


def create_lead(
    topic: str,
    *,
    contact: Contact | None = None,
    account: Account | None = None,
    values: Mapping[str, Any] | None = None,
    source: str,
    origin_key: str | None = None,
    journey_id: int | None = None,
    by: Member | None = None,
    cause: Cause | None = None,
) -> Lead:
    """Make a lead at the first stage, or return the one that `origin_key` has made before.

    Without `account` it gets the contact's. `values` are ENTERED columns and `custom`; unknown keys are refused.
    """
    new = NewLead(
        topic=topic,
        source=source,
        contact_id=contact.pk if contact else None,
        account_id=account.pk if account else None,
        values=values or {},
        origin_key=origin_key or "",
        journey_id=journey_id,
        cause=cause,
    )
    return create_leads([new], by=by)[0]


class Made(NamedTuple):
    """The id of a lead for each that was asked for, in order, and those that no cause had made before."""

    ids: list[int]
    fresh: set[int]


def create_leads(new: Sequence[NewLead], *, by: Member | None = None) -> list[Lead]:
    """Make a set of leads with their history; returns one for each, in order (those made before included)."""
    ids = make_leads(new, by=by).ids
    found = Lead.objects.in_bulk(ids)
    return [found[id_] for id_ in ids]


@transaction.atomic
def make_leads(new: Sequence[NewLead], *, by: Member | None = None, lane: str = Lane.LIVE) -> Made:
    """As `create_leads`, for sets of any size; says which are new. A fixed number of statements."""
    keys = [lead.origin_key or f"new:{uuid.uuid4()}" for lead in new]
    keyed = dict(zip(keys, new, strict=True))
    if not keyed:
        return Made([], set())
    given = dict(zip(keyed, staging.next_ids(Lead._meta.db_table, len(keyed)), strict=True))
    entered = [name for name in ENTERED if any(lead.values.get(name) for lead in new)]
    rows = (_row(given[key], key, lead, entered) for key, lead in keyed.items())
    staging.stage("given_leads", _GIVEN, rows, [name for name in _GIVEN if name not in ENTERED or name in entered])
    fresh = _insert(given)
    if fresh:
        _begin_histories(by)
        _tell(by, lane)
        findable.note(SEARCH_KIND, fresh)
        note_new_leads([lead.contact_id for key, lead in keyed.items() if lead.contact_id and given[key] in fresh])
    return Made([given[key] for key in keys], fresh)


# Columns of leads that are given, and what is told of how they came about.
_COLUMNS = {
    "id": "bigint",
    "topic": "text",
    "contact_id": "bigint",
    **dict.fromkeys((*ENTERED, "source"), "text"),
    **dict.fromkeys(("origin_form_id", "origin_page_id", "origin_journey_id"), "bigint"),
    "origin_key": "text",
    "custom": "jsonb",
}
_GIVEN = {**_COLUMNS, "account_id": "bigint", "cause_id": "bigint", "depth": "smallint"}


def _row(id_: int, key: str, new: NewLead, entered: Sequence[str]) -> list[Any]:
    """A lead as the temporary table `given_leads` has it; `entered` are the columns that any of the set has."""
    unknown = set(new.values) - {*ENTERED, "custom"}
    if unknown:
        raise TypeError(f"a lead has no {', '.join(sorted(unknown))}")
    return [
        id_,
        new.topic.strip()[:200],
        new.contact_id,
        *(fitting(name, value) if (value := new.values.get(name)) else "" for name in entered),
        new.source[:60],
        new.form_id,
        new.page_id,
        new.journey_id,
        key,
        new.values.get("custom") or {},
        new.account_id,
        new.cause.id if new.cause else None,
        new.cause.depth + 1 if new.cause else 0,
    ]


def _insert(given: dict[str, int]) -> set[int]:
    """Make the leads that are given, except those that their cause has made before; returns the ids that were made.

    The unique index one_lead_per_origin decides between two who bring the same cause at once. Those made before take
    their place in `given` (id by origin key), and leave the temporary table. Indexes: by primary key, and that one.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    statement = sql.SQL(
        """INSERT INTO leads_lead (stage, stage_reason, grade, account_id, {names})
           SELECT 'inquiry', '', '', coalesce(given.account_id, contact.account_id), {given}
           FROM given_leads given
           LEFT JOIN LATERAL (SELECT account_id FROM contacts_contact WHERE id = given.contact_id LIMIT 1) contact
             ON true
           ORDER BY given.id
           ON CONFLICT (tenant_id, origin_key) WHERE origin_key IS NOT NULL DO NOTHING"""
    ).format(names=names, given=sql.SQL(", ").join(map(_given, _COLUMNS)))
    with connection.cursor() as cursor:
        cursor.execute(statement)
        if cursor.rowcount == len(given):
            return set(given.values())
        wanted = set(given.values())
        there = Lead.objects.filter(origin_key__in=list(given)).values_list("origin_key", "pk")
        given |= {key: pk for key, pk in there if key}
        fresh = wanted & set(given.values())
        cursor.execute("DELETE FROM given_leads WHERE NOT id = ANY(%s)", [list(fresh)])
    return fresh


def _given(name: str) -> sql.Composable:
    """SQL: a column of the set, empty where none of it has entered anything."""
    column = sql.Identifier("given", name)
    return sql.SQL("coalesce({}, '')").format(column) if name in ENTERED else column


def _begin_histories(by: Member | None) -> None:
    """That each lead of `given_leads` stands at the first stage now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {StageChange._meta.db_table} (lead_id, from_stage, to_stage, reason, actor_id, journey_id)
               SELECT id, '', %s, '', %s, origin_journey_id FROM given_leads ORDER BY id""",
            [Stage.INQUIRY, by.pk if by else None],
        )


def _tell(by: Member | None, lane: str) -> None:
    """Tell the timeline of the leads in `given_leads`, each by primary key."""
    ids = ("lead_id", "contact_id", "account_id", "object_id", "actor_id", "journey_id", "cause_id")
    timeline.record_select(
        "lead.created",
        """SELECT lead.id AS lead_id, lead.contact_id, lead.account_id, lead.id AS object_id,
                  %(actor)s::bigint AS actor_id, lead.origin_journey_id AS journey_id, given.cause_id, given.depth,
                  jsonb_build_object('lead', lead.topic, 'source', lead.source) AS detail
           FROM given_leads given
           CROSS JOIN LATERAL (SELECT * FROM leads_lead WHERE id = given.id LIMIT 1) lead ORDER BY lead.id""",
        {"actor": by.pk if by else None},
        columns=(*ids, "depth", "detail"),
        lane=lane,
    )


_LONGEST = {field.attname: getattr(field, "max_length", None) for field in Lead._meta.local_fields}


def fitting(name: str, value: Any) -> str:
    """The value as its column takes it."""
    text, length = str(value or "").strip(), _LONGEST[name]
    text = text.lower() if name == "email" else text
    return text[:length] if length else text


def _search_texts(ids: Collection[int]) -> list[tuple[int, list[str]]]:
    """By what leads are found, beside their contact and account; locked, as those of contacts are."""
    names = ("topic", "first_name", "last_name", "email", "company", "phone")
    rows = Lead.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk", *names)
    return [(pk, texts) for pk, *texts in rows]


findable.texts_of[SEARCH_KIND] = _search_texts
