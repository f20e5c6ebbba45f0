"""New leads: one, or a set by one statement; never two from the same cause."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg import sql
from psycopg.types.json import Jsonb

from contacts import search, timeline
from contacts.models import Account, Contact
from contacts.models.timeline import Lane
from leads.models import Lead, Stage, StageChange
from leads.moves import Cause, about, keep_contact_stages
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
    """A lead for each that was asked for, in order, and the ids of those that no cause had made before."""

    leads: list[Lead]
    fresh: set[int]


def create_leads(new: Sequence[NewLead], *, by: Member | None = None) -> list[Lead]:
    """Make a set of leads with their history; returns one for each, in order (those made before included)."""
    return make_leads(new, by=by).leads


@transaction.atomic
def make_leads(new: Sequence[NewLead], *, by: Member | None = None, lane: str = Lane.LIVE) -> Made:
    """As `create_leads`, saying which are new. A fixed number of statements for any number of leads."""
    keys = [lead.origin_key or f"new:{uuid.uuid4()}" for lead in new]
    keyed = dict(zip(keys, new, strict=True))
    if not keyed:
        return Made([], set())
    made = _insert(keyed)
    found = {lead.origin_key: lead for lead in Lead.objects.filter(origin_key__in=list(keyed))}
    fresh = [(found[key], keyed[key]) for key in keyed if key in made]
    _begin_histories(fresh, by)
    timeline.record_many("lead.created", [_fact(lead, new, by) for lead, new in fresh], lane=lane)
    search.index_many(SEARCH_KIND, [(lead.pk, search_texts(lead)) for lead, _ in fresh])
    keep_contact_stages([lead.contact_id for lead, _ in fresh if lead.contact_id])
    return Made([found[key] for key in keys], {lead.pk for lead, _ in fresh})


def _begin_histories(fresh: Sequence[tuple[Lead, NewLead]], by: Member | None) -> None:
    """That each lead stands at the first stage now; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {StageChange._meta.db_table} (lead_id, from_stage, to_stage, reason, actor_id, journey_id)
               SELECT given.lead_id, '', %(stage)s, '', %(actor)s, given.journey_id
               FROM unnest(%(leads)s::bigint[], %(journeys)s::bigint[]) AS given (lead_id, journey_id)""",
            {
                "stage": Stage.INQUIRY,
                "actor": by.pk if by else None,
                "leads": [lead.pk for lead, _new in fresh],
                "journeys": [new.journey_id for _lead, new in fresh],
            },
        )


def search_texts(lead: Lead) -> tuple[str, ...]:
    """By what a lead is found, beside its contact and account."""
    return lead.topic, lead.first_name, lead.last_name, lead.email, lead.company, lead.phone


def _fact(lead: Lead, new: NewLead, by: Member | None) -> dict[str, Any]:
    detail = {"lead": lead.topic, "source": lead.source}
    return {**about(lead, by=by, cause=new.cause), "journey_id": new.journey_id, "detail": detail}


def _insert(keyed: Mapping[str, NewLead]) -> set[str]:
    """Insert what no cause has made yet; returns the origin keys of the rows that are new.

    The unique index one_lead_per_origin decides between two who bring the same cause at once.
    """
    columns = {"topic": "text", "contact_id": "bigint", **dict.fromkeys((*ENTERED, "source"), "text")}
    columns |= dict.fromkeys(("origin_form_id", "origin_page_id", "origin_journey_id"), "bigint")
    columns |= {"origin_key": "text", "custom": "jsonb"}
    statement = sql.SQL(
        """INSERT INTO leads_lead (stage, stage_reason, grade, account_id, {names})
           SELECT 'inquiry', '', '', coalesce(given.account_id, contact.account_id), {given}
           FROM jsonb_to_recordset(%(rows)s) AS given (position int, account_id bigint, {types})
           LEFT JOIN contacts_contact contact ON contact.id = given.contact_id
           ORDER BY given.position
           ON CONFLICT (tenant_id, origin_key) WHERE origin_key IS NOT NULL DO NOTHING RETURNING origin_key"""
    ).format(
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
        given=sql.SQL(", ").join(sql.Identifier("given", name) for name in columns),
        types=sql.SQL(", ").join(sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in columns.items()),
    )
    rows = [{"position": place, **_row(key, new)} for place, (key, new) in enumerate(keyed.items())]
    with connection.cursor() as cursor:
        params: dict[str, Any] = {"rows": Jsonb(rows)}
        cursor.execute(statement, params)
        return {key for (key,) in cursor.fetchall()}


def _row(key: str, new: NewLead) -> dict[str, Any]:
    unknown = set(new.values) - {*ENTERED, "custom"}
    if unknown:
        raise TypeError(f"a lead has no {', '.join(sorted(unknown))}")
    return {
        **{name: fitting(name, value) if (value := new.values.get(name)) else "" for name in ENTERED},
        "topic": new.topic.strip()[:200],
        "source": new.source[:60],
        "contact_id": new.contact_id,
        "account_id": new.account_id,
        "origin_form_id": new.form_id,
        "origin_page_id": new.page_id,
        "origin_journey_id": new.journey_id,
        "origin_key": key,
        "custom": new.values.get("custom") or {},
    }


def fitting(name: str, value: Any) -> str:
    """The value as its column takes it."""
    text, length = str(value or "").strip(), getattr(Lead._meta.get_field(name), "max_length", None)
    text = text.lower() if name == "email" else text
    return text[:length] if length else text
