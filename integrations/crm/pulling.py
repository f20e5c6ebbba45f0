"""Reading what sales has changed: page by page, each applied and its position kept in one transaction.

Killed between two pages, the read goes on behind the last one that was applied. A position that they do not know any
more, and the first time, everything is read; what is linked and was not met by that is asked for by itself, because a
read of everything names no deletions.
"""

import logging
import time
from collections.abc import Sequence

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.client import CallFailed, Unavailable
from integrations.connections import runs
from integrations.crm import applying, knowing, links, news
from integrations.crm.interface import Expired, Page, Session, crms
from integrations.models import MAPPED, Connection, CrmCursor, RecordLink, SyncRun
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)

# How many records are asked for by themselves at once.
ASKED = 100


class Puller:
    """One read of everything that has changed since the last one."""

    def __init__(self, connection: Connection, session: Session, deadline: float) -> None:
        self._connection, self._session, self._deadline = connection, session, deadline
        self._tenant_id = connection.tenant_id
        self._crm = crms.of(connection.system)

    def go(self) -> bool:
        """Read all tables; True if that is done, False if the time is over. Raises CallFailed; what was read stays."""
        with tenant_scope(self._tenant_id):
            run, cursors = runs.begin(self._connection, "in"), self._cursors()
        try:
            is_done = self._tables(run, cursors)
        except CallFailed as failure:
            with tenant_scope(self._tenant_id):
                runs.fail(run, failure.text)
            raise
        if is_done:
            with tenant_scope(self._tenant_id):
                runs.finish(run)
        return is_done

    def _tables(self, run: SyncRun, cursors: dict[str, CrmCursor]) -> bool:
        """Read all tables; what they answer and we cannot read at all counts as no answer, and is tried again later."""
        try:
            return all(self._table(run, cursors[table], entity) for table, entity in self._crm.read_tables.items())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            logger.exception("What connection %s answers cannot be read", self._connection.pk)
            raise Unavailable(_("What it answers cannot be read: see the worker’s log.")) from error

    def _cursors(self) -> dict[str, CrmCursor]:
        """How far each table has been read."""
        found = {cursor.table: cursor for cursor in CrmCursor.objects.filter(connection=self._connection)}
        new = [CrmCursor(connection=self._connection, table=t) for t in self._crm.read_tables if t not in found]
        return found | {cursor.table: cursor for cursor in CrmCursor.objects.bulk_create(new)}

    def _table(self, run: SyncRun, cursor: CrmCursor, entity: str) -> bool:
        """Read one table to its end."""
        if cursor.read_at is not None and cursor.read_at >= run.started_at:
            return True  # by this run, before it was interrupted
        has_begun_anew = False
        while time.monotonic() < self._deadline:
            try:
                page = self._session.changes(cursor.table, cursor.position)
            except Expired:
                if has_begun_anew:
                    raise Unavailable("A position that has just come is of no use.") from None
                self._begin_anew(cursor)
                has_begun_anew = True
                continue
            with tenant_scope(self._tenant_id):
                self._apply(run, cursor, entity, page)
            if page.is_last:
                self._ask_for_unseen(cursor, entity)
                return True
        return False

    def _begin_anew(self, cursor: CrmCursor) -> None:
        cursor.position = ""
        with tenant_scope(self._tenant_id):
            cursor.save(update_fields=["position"])

    def _apply(self, run: SyncRun, cursor: CrmCursor, entity: str, page: Page) -> None:
        if not cursor.position:
            cursor.full_since = timezone.now()
        new = applying.apply(self._connection, entity, page.records)
        if cursor.full_since is not None:
            found = links.of_records(self._connection, entity, [r.external_id for r in page.records], [])
            RecordLink.objects.filter(pk__in=[link.pk for link in found.values()]).update(seen_at=Now())
        gone = self._forget(entity, page.deleted) if page.deleted else 0
        cursor.position = page.position
        if page.is_last:
            cursor.read_at = timezone.now()
        cursor.save(update_fields=["position", "full_since", "read_at"])
        counts = {"read": len(page.records), "new": new, "deleted": gone}
        if any(counts.values()):
            runs.count(run, {name: number for name, number in counts.items() if number})

    def _forget(self, entity: str, deleted: Sequence[str]) -> int:
        if entity not in MAPPED:
            return news.forget(self._connection, entity, deleted)
        rows = RecordLink.objects.filter(connection=self._connection, entity=entity, external_id__in=deleted)
        return knowing.unlink(self._connection, list(rows))

    def _ask_for_unseen(self, cursor: CrmCursor, entity: str) -> None:
        """After a read of everything: what is linked and was not in it has been deleted, or came after its page."""
        if cursor.full_since is None:
            return
        while entity in MAPPED and (unseen := self._unseen(cursor, entity)):
            records = self._session.read(entity, [links.reference(link) for link in unseen])
            with tenant_scope(self._tenant_id):
                there = [link.pk for link, record in zip(unseen, records, strict=True) if record is not None]
                RecordLink.objects.filter(pk__in=there).update(seen_at=Now())
                knowing.unlink(
                    self._connection,
                    [link for link, record in zip(unseen, records, strict=True) if record is None],
                )
        cursor.full_since = None
        with tenant_scope(self._tenant_id):
            cursor.save(update_fields=["full_since"])

    def _unseen(self, cursor: CrmCursor, entity: str) -> list[RecordLink]:
        with tenant_scope(self._tenant_id, read_only=True):
            linked = RecordLink.objects.filter(
                Q(seen_at=None) | Q(seen_at__lt=cursor.full_since),
                connection=self._connection, entity=entity, state=RecordLink.State.LINKED,
            ).exclude(external_id="")  # fmt: skip
            return list(linked.order_by("pk")[:ASKED])
