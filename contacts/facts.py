"""What lists show about contacts (ContactFacts), kept by a reader in sets, so that no list counts the timeline."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.utils import timezone

from contacts import reactor, timeline
from contacts.models import ContactFacts

WEEKS = 12
# What makes a contact's facts change besides what she does herself.
_RECORD_KINDS = ("contact.created", "contact.merged", "contact.unmerged")


def read(batch: reactor.Batch) -> None:
    """The reader "facts": refresh whom the batch is about."""
    touching = {*timeline.activity_kinds(), *_RECORD_KINDS}
    refresh({row.contact_id for row in batch.rows if row.contact_id and row.kind in touching})


def refresh(contact_ids: Iterable[int]) -> None:
    """Write the last activity and the activities per week of these contacts.

    One statement: reads the last twelve weeks of the contacts by interaction_of_contact in the partitions of that
    time, and upserts a row per contact, in the order of ids so that two writers wait for each other instead of
    locking each other out. An older last activity stays as it is.
    """
    ids = sorted(set(contact_ids))
    if not ids:
        return
    this_week = week_of(timezone.now())
    since = this_week - timedelta(weeks=WEEKS - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO contacts_contactfacts AS facts
                       (contact_id, grade, stage, last_activity_kind, last_activity_at, weeks, weeks_until)
                WITH done AS (
                  SELECT contact_id, kind, occurred_at,
                         (occurred_at AT TIME ZONE 'UTC')::date - %(since)s::date AS day
                  FROM {timeline.TABLE}
                  WHERE contact_id = ANY(%(ids)s) AND kind = ANY(%(kinds)s)
                    AND occurred_at >= %(from)s AND recorded_at >= %(from)s),
                last AS (SELECT DISTINCT ON (contact_id) contact_id, kind, occurred_at
                         FROM done ORDER BY contact_id, occurred_at DESC),
                per_week AS (SELECT contact_id, day / 7 AS week, count(*)::int AS count FROM done GROUP BY 1, 2)
                SELECT contact.id, '', '', coalesce(last.kind, ''), last.occurred_at,
                       ARRAY(SELECT coalesce(per_week.count, 0) FROM generate_series(0, {WEEKS - 1}) AS place
                             LEFT JOIN per_week ON per_week.contact_id = contact.id AND per_week.week = place
                             ORDER BY place),
                       %(this_week)s
                FROM contacts_contact contact LEFT JOIN last ON last.contact_id = contact.id
                WHERE contact.id = ANY(%(ids)s) ORDER BY contact.id
                ON CONFLICT (contact_id) DO UPDATE SET
                  last_activity_at = coalesce(excluded.last_activity_at, facts.last_activity_at),
                  last_activity_kind = coalesce(nullif(excluded.last_activity_kind, ''), facts.last_activity_kind),
                  weeks = excluded.weeks, weeks_until = excluded.weeks_until""",
            {
                "ids": ids,
                "kinds": timeline.activity_kinds(),
                "since": since,
                "from": datetime(since.year, since.month, since.day, tzinfo=UTC),
                "this_week": this_week,
            },
        )


def week_of(moment: datetime) -> date:
    """The Monday (UTC) of a moment's week."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def weeks(facts: ContactFacts | None) -> Sequence[int]:
    """Activities in each of the last twelve weeks up to now, oldest first; empty if there was none.

    The stored weeks end with the week of the last one; those passed since are added as empty ones.
    """
    if facts is None or not facts.weeks or facts.weeks_until is None:
        return []
    passed = (week_of(timezone.now()) - facts.weeks_until).days // 7
    shown = [*facts.weeks, *[0] * max(passed, 0)][-WEEKS:]
    return shown if any(shown) else []


READER = reactor.Reader("facts", read)
