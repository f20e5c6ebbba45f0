"""Making sets of records findable, behind the work that has made or changed them.

A contact has some seven words, so writing them takes as long as everything else that is written of her; nothing but
search waits for it. So a large set leaves its ids in a row of its own, in its own transaction, and the queue "search"
writes the words: killed anywhere, the row stays, and the set is looked at again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import connection

from contacts import search
from contacts.models import Account, SearchBacklog, SearchTerm
from tenants.postgres.statistics import Statistics
from tenants.scope import tenant_scope
from tenants.wakeups import Outcome, announce, queue

QUEUE = "search"
# Sets up to this size are made findable at once: whoever has just entered somebody looks for her.
AT_ONCE = 100

# (id, texts) of those of these records that are there, by whose words they are found.
TextsOf = Callable[[Collection[int]], Iterable[tuple[int, Sequence[str | None]]]]
texts_of: dict[str, TextsOf] = {}


def note(kind: str, ids: Collection[int]) -> None:
    """Let records be found by what they are called now: at once if they are few, else by the queue."""
    if len(ids) <= AT_ONCE:
        index(kind, ids)
    else:
        with connection.cursor() as cursor:
            # As one text: the driver spells an array out value by value, which takes longer than all the rest.
            texts = "{" + ",".join(map(str, sorted(ids))) + "}"
            cursor.execute("INSERT INTO contacts_searchbacklog (kind, object_ids) VALUES (%s, %s)", [kind, texts])
        announce(QUEUE)


def index(kind: str, ids: Collection[int]) -> None:
    """Let records be found by what they are called now."""
    if ids:
        search.reindex_many(kind, texts_of[kind](ids))


@queue(QUEUE)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Make findable what waits, until the deadline."""
    return Outcome(has_more=not catch_up(tenant_id, deadline))


def catch_up(tenant_id: int, deadline: float | None = None) -> bool:
    """Make findable what waits, set by set; False if the deadline (`time.monotonic()` seconds) came first.

    Called outside any scope. Of two who do this at once, one waits for the other.
    """
    statistics = Statistics(tenant_id, SearchTerm)
    while True:
        statistics.keep_up()
        with tenant_scope(tenant_id):
            waiting = SearchBacklog.objects.order_by("pk").first()
            if waiting is None:
                return True
            # Gone if another worker was faster: then the next one is looked at.
            if row := SearchBacklog.objects.select_for_update().filter(pk=waiting.pk).first():
                index(row.kind, row.object_ids)
                row.delete()
        if deadline is not None and time.monotonic() >= deadline:
            return False


# Both lock what they read: somebody erased meanwhile would be found by words that were read before.


def _of_contacts(ids: Collection[int]) -> Iterable[tuple[int, Sequence[str | None]]]:
    """By the same words as `contacts.people.index_contact`. By primary key."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT contact.id, contact.first_name, contact.last_name, contact.email, account.name,
                      ltrim(contact.phone, '+'), contact.external_id
               FROM contacts_contact contact LEFT JOIN contacts_account account ON account.id = contact.account_id
               WHERE contact.id = ANY(%s) AND contact.is_active ORDER BY contact.id FOR NO KEY UPDATE OF contact""",
            [list(ids)],
        )
        return [(pk, texts) for pk, *texts in cursor.fetchall()]


def _of_accounts(ids: Collection[int]) -> Iterable[tuple[int, Sequence[str | None]]]:
    rows = Account.objects.filter(pk__in=ids, is_active=True).order_by("pk").values_list("pk", "name", "domain", "city")
    return [(pk, texts) for pk, *texts in rows.select_for_update(no_key=True)]


texts_of |= {"contact": _of_contacts, "account": _of_accounts}
