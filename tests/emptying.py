"""Emptying the database after a test that commits: only what has rows in it.

Django's `flush` truncates every table with all its indexes and makes the content types and permissions anew, which took
longer than most of these tests. Rows are deleted by the superuser instead, beside row-level security and foreign keys.
"""

import psycopg
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

# What migrations have made is the same for every test.
KEPT = ["django_content_type", "django_migrations", "auth_permission"]
# Up to so many pages the planner takes a table for one of ten pages if nobody has ever counted its rows, so that
# neither dead rows nor what a test has had counted mean anything to the plans of the next one.
PAGES = 10
# How often emptying begins anew behind somebody who is still at work.
TRIES = 10


def use(superuser_url: str) -> None:
    """Let this follow every test that commits, in place of `flush`."""

    def empty_with(_case: TransactionTestCase) -> None:
        for attempt in range(TRIES):
            try:
                with psycopg.connect(superuser_url, dbname=str(connection.settings_dict["NAME"])) as superuser:
                    return empty(superuser)
            except psycopg.errors.DeadlockDetected:
                # A request that is still being answered holds one table and wants another; it ends meanwhile.
                if attempt == TRIES - 1:
                    raise
        return None

    TransactionTestCase._fixture_teardown = empty_with  # type: ignore[method-assign]


def empty(superuser: psycopg.Connection) -> None:
    """Delete all rows of all tables, but for those of KEPT, in the connection's transaction."""
    tables = superuser.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname <> ALL(%s)",
        [KEPT],
    ).fetchall()
    named = sql.SQL(", ").join(sql.Identifier(name) for (name,) in tables)
    # As TRUNCATE does: who is still at work ends first, so that nothing is written behind this.
    superuser.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(named))
    filled = superuser.execute(
        "SELECT relname, pg_relation_size(oid) > %s * 8192 OR reltuples >= 0 FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL(%s)"
        " AND pg_relation_size(oid) > 0",
        [PAGES, KEPT],
    ).fetchall()
    if any(is_counted_or_large for _name, is_counted_or_large in filled):
        superuser.execute(sql.SQL("TRUNCATE {}").format(named))
        return
    superuser.execute("SET LOCAL session_replication_role = replica")
    for name, _is_not_so in filled:
        superuser.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
