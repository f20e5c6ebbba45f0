"""Making what an import has written findable: a row per word, in a step of its own behind the writing.

A contact has some seven words, so this writes more rows than the import itself; nothing but search waits for it.
"""

import time

from contacts import search
from contacts.models import Account, Contact, SearchTerm
from leads.models.imports import ImportPiece
from tenants import jobs
from tenants.models import Job
from tenants.postgres.statistics import Statistics
from tenants.scope import tenant_scope

KIND = "leads.import"


def run(tenant_id: int, job_id: int, deadline: float | None) -> bool:
    """Index the pieces of a job that are not indexed, then finish it; False if the deadline came first."""
    statistics = Statistics(tenant_id, SearchTerm)
    while True:
        statistics.keep_up()
        with tenant_scope(tenant_id):
            job = Job.objects.select_for_update(of=("self",)).get(pk=job_id)
            rows = ImportPiece.objects.select_for_update().filter(batch=job.arguments["import"], is_indexed=False)
            piece = rows.order_by("position").first()
            if piece is None:
                if job.state in jobs.OPEN:
                    jobs.finish(job)
                return True
            index(piece)
        if deadline is not None and time.monotonic() >= deadline:
            return False


def catch_up(tenant_id: int, deadline: float | None) -> bool:
    """Index what jobs that were cancelled have written: it is to be found too. Index: import_piece_to_index."""
    while True:
        with tenant_scope(tenant_id):
            piece = ImportPiece.objects.select_for_update().filter(is_indexed=False).order_by("pk").first()
            if piece is None:
                return True
            index(piece)
        if deadline is not None and time.monotonic() >= deadline:
            return False


def index(piece: ImportPiece) -> None:
    """Make the contacts and companies findable that a piece has made or changed."""
    contacts = [*piece.created.get("contact", []), *map(int, piece.changed.get("contact", {}))]
    accounts = [*piece.created.get("account", []), *map(int, piece.changed.get("account", {}))]
    index_contacts(contacts)
    index_accounts(accounts)
    ImportPiece.objects.filter(pk=piece.pk).update(is_indexed=True)


def index_contacts(ids: list[int]) -> None:
    """By the same words as `contacts.people.index_contact`."""
    names = ("first_name", "last_name", "email", "account__name", "phone", "external_id")
    rows = Contact.objects.filter(pk__in=ids, is_active=True).order_by("pk").values_list("pk", *names)
    search.reindex_many("contact", ((pk, (*texts[:4], texts[4].lstrip("+"), texts[5])) for pk, *texts in rows))


def index_accounts(ids: list[int]) -> None:
    rows = Account.objects.filter(pk__in=ids, is_active=True).order_by("pk").values_list("pk", "name", "domain", "city")
    search.reindex_many("account", ((pk, texts) for pk, *texts in rows))
