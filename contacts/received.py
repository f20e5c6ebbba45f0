"""Facts from outside, each counted once: others deliver again what they believe we have not taken.

if received.claim("linkedin:7", [message_id]): …       # in the transaction that acts on it
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from contacts.models import Received
from tenants.housekeeping import chore_of_tenants

# Whoever delivers again gives up within days; a signature that bears its moment counts for minutes.
KEPT_FOR = timedelta(days=90)
# Rows that are forgotten in one transaction.
BATCH = 5_000


def claim(source: str, external_ids: Iterable[str]) -> list[str]:
    """Those of these that have not come before; for KEPT_FOR they are not new again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO contacts_received (source, external_id) SELECT %s, unnest(%s::text[])
               ON CONFLICT DO NOTHING RETURNING external_id""",
            [source, sorted(set(external_ids))],
        )
        return [external_id for (external_id,) in cursor.fetchall()]


@chore_of_tenants("received", every=timedelta(days=1))
def forget_old() -> bool:
    """Forget what came longer than KEPT_FOR ago. Index: received_to_prune."""
    old = Received.objects.filter(at__lt=timezone.now() - KEPT_FOR).order_by("at")
    ids = list(old.values_list("pk", flat=True)[:BATCH])
    Received.objects.filter(pk__in=ids).delete()
    return len(ids) == BATCH
