"""Who may move people and who may change the journey under them.

Batches of the engine share a journey; pausing, ending and going live want it alone, wait for the batches under way, and
are not overtaken by new ones (advisory locks queue fairly, row locks do not). Held until the transaction ends.
"""

from django.db import connection


def share(journey_id: int) -> None:
    """For whoever moves or enters people: many at a time."""
    _lock("pg_advisory_xact_lock_shared", f"journey:{journey_id}")


def alone(journey_id: int) -> None:
    """For whoever changes the journey's state or version: nobody moves meanwhile."""
    _lock("pg_advisory_xact_lock", f"journey:{journey_id}")


def take_enrolment(journey_id: int) -> bool:
    """Take the turn of going through the journey's audience; False if another worker has it."""
    return _lock("pg_try_advisory_xact_lock", f"enrol:{journey_id}") is True


def _lock(function: str, key: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [key])
        return cursor.fetchone()[0]
