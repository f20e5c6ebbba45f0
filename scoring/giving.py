"""Points given by a journey or a person, beside the rows of a model: entries of the ledger with a reason and an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from contacts.models import Contact
from leads.models import Lead
from leads.transitions import OPEN
from scoring.models import ScoringModel
from scoring.rescore import rescore


@dataclass(frozen=True, slots=True)
class Gift:
    """Points for a lead, or for a contact (her most advanced open lead, if there is one). May be negative.

    They end at `until`. `key` names the cause (`visit:81`): for one cause they are given once.
    """

    points: int
    lead_id: int | None = None
    contact_id: int | None = None
    until: datetime | None = None
    reason: str = ""
    journey_id: int | None = None
    key: str = ""


def adjust(
    subject: Lead | Contact,
    points: int,
    *,
    until: datetime | None = None,
    reason: str = "",
    journey_id: int | None = None,
    key: str = "",
    model: ScoringModel | None = None,
) -> bool:
    """Give a lead or contact points in the primary model (or `model`); False if `key` has been given before."""
    who = {"lead_id": subject.pk} if isinstance(subject, Lead) else {"contact_id": subject.pk}
    return adjust_many([Gift(points, until=until, reason=reason, journey_id=journey_id, key=key, **who)], model) == 1


def adjust_many(gifts: Sequence[Gift], model: ScoringModel | None = None) -> int:
    """Give a set of leads and contacts points; returns how many gifts were new.

    The scores change in the same transaction. Without a live model nobody is scored, and nothing is given.
    """
    model = model or ScoringModel.objects.filter(is_primary=True, state=ScoringModel.State.LIVE).first()
    if model is None or not gifts:
        return 0
    rows = [
        {
            "lead_id": gift.lead_id,
            "contact_id": None if gift.lead_id else gift.contact_id,
            "points": gift.points,
            "until": gift.until.isoformat() if gift.until else None,
            "reason": gift.reason[:200],
            "journey_id": gift.journey_id,
            "origin_key": gift.key or None,
        }
        for gift in gifts
    ]
    with connection.cursor() as cursor:
        params: dict[str, Any] = {"model": model.pk, "rows": Jsonb(rows), "open": [str(stage) for stage in OPEN]}
        cursor.execute(_INSERT, params)
        count = cursor.rowcount
    rescore(
        model.pk,
        lead_ids=[gift.lead_id for gift in gifts if gift.lead_id],
        contact_ids=[gift.contact_id for gift in gifts if gift.contact_id],
    )
    return count


# A gift for a lead that is closed, or of a contact that is gone, is dropped. Unique: points_given_once.
_INSERT = """
INSERT INTO scoring_scoreentry
    (model_id, lead_id, contact_id, hits, points, last_at, until, reason, journey_id, origin_key)
SELECT %(model)s, given.lead_id, given.contact_id, 1, given.points, now(), given.until, given.reason, given.journey_id,
       given.origin_key
FROM jsonb_to_recordset(%(rows)s) AS given (lead_id bigint, contact_id bigint, points int, until timestamptz,
                                            reason text, journey_id bigint, origin_key text)
LEFT JOIN leads_lead lead ON lead.id = given.lead_id
LEFT JOIN contacts_contact contact ON contact.id = given.contact_id
WHERE lead.stage = ANY(%(open)s) OR contact.is_active
ON CONFLICT (tenant_id, origin_key) WHERE origin_key IS NOT NULL DO NOTHING
"""
