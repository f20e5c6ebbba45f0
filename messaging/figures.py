"""How the mail of journeys fares, per tile: every batch appends what it did, so that no page counts messages.

Each figure of a message is appended once, in the transaction that changes the message: when it is sent, and when it is
opened, clicked or unsubscribed from for the first time. Messages without a contact (tests, notices) count nowhere.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import Sum

from messaging.models import MessageFigure
from tenants.housekeeping import chore
from tenants.models import Tenant
from tenants.scope import tenant_scope

SENT, OPENED, CLICKED, UNSUBSCRIBED, BLOCKED, FAILED = WHAT = (
    "sent", "opened", "clicked", "unsubscribed", "blocked", "failed",
)  # fmt: skip


def count(what: str, message_ids: Sequence[int]) -> None:
    """Note that `what` has happened to these messages, each for the first time. One step per message, by its key."""
    if not message_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO messaging_messagefigure (journey_id, tile, what, day, count)
               SELECT journey_id, tile, %s, current_date, count(*) FROM messaging_message
               WHERE id = ANY(%s) AND journey_id IS NOT NULL AND contact_id IS NOT NULL GROUP BY journey_id, tile""",
            [what, list(message_ids)],
        )


def of_journeys(journey_ids: Iterable[int]) -> dict[int, dict[str, Counter[str]]]:
    """By journey and tile: how many messages under each name of WHAT. One index range per journey."""
    found: dict[int, dict[str, Counter[str]]] = {}
    rows = MessageFigure.objects.filter(journey_id__in=list(journey_ids)).order_by()
    for journey_id, tile, what, total in rows.values_list("journey_id", "tile", "what").annotate(total=Sum("count")):
        found.setdefault(journey_id, {}).setdefault(tile, Counter())[what] = total
    return found


@chore("fold message figures", every=timedelta(hours=1))
def fold() -> None:
    """Add up each day's figures of a tile into one row; what is appended meanwhile is left for the next time."""
    for tenant_id in Tenant.objects.values_list("pk", flat=True):
        with tenant_scope(tenant_id), connection.cursor() as cursor:
            cursor.execute(
                """WITH gone AS (
                     DELETE FROM messaging_messagefigure WHERE (journey_id, tile, what, day) IN (
                       SELECT journey_id, tile, what, day FROM messaging_messagefigure
                       GROUP BY 1, 2, 3, 4 HAVING count(*) > 1)
                     RETURNING journey_id, tile, what, day, count)
                   INSERT INTO messaging_messagefigure (journey_id, tile, what, day, count)
                   SELECT journey_id, tile, what, day, sum(count) FROM gone GROUP BY 1, 2, 3, 4"""
            )
