"""Group commit: whatever arrives while a transaction is under way goes into the next one, all of it."""

import asyncio
import logging
import time

import psycopg

from messaging.tracking import spool
from messaging.tracking.hits import Hit
from messaging.tracking.store import Store

logger = logging.getLogger(__name__)

LARGEST_GROUP = 2_000
# Seconds within which the database answers, or the hits are spooled.
PATIENCE = 2.0
# Seconds for which a database that was away is not tried again.
PAUSE = 1.0
DRAIN_EVERY = 2.0


class Recorder:
    """Takes hits and answers when each is durable: in the database, or in the spool while that is away."""

    def __init__(self) -> None:
        self._store = Store()
        self._spool = spool.Spool()
        self._pending: list[tuple[Hit, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._away_until = 0.0
        self._drain_at = 0.0
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def record(self, hit: Hit) -> None:
        """Return when the hit is durable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((hit, done))
        self._arrived.set()
        await done

    async def close(self) -> None:
        """Write what is pending, then stop."""
        while self._pending:
            await asyncio.sleep(0.01)
        self._task.cancel()
        await self._store.close()
        self._spool.release()

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._arrived.wait(), DRAIN_EVERY)
            except TimeoutError:
                await self._drain()
                continue
            self._arrived.clear()
            while self._pending:
                group, self._pending = self._pending[:LARGEST_GROUP], self._pending[LARGEST_GROUP:]
                await self._keep([hit for hit, _done in group])
                for _hit, done in group:
                    if not done.done():
                        done.set_result(None)
            if time.monotonic() >= self._drain_at:
                await self._drain()

    async def _keep(self, hits: list[Hit]) -> None:
        if not await self._write(hits):
            await asyncio.to_thread(self._spool.add, hits)

    async def _write(self, hits: list[Hit]) -> bool:
        """Whether the database has taken the hits."""
        if time.monotonic() < self._away_until:
            return False
        try:
            await asyncio.wait_for(self._store.write(hits), PATIENCE)
        except (psycopg.Error, OSError, TimeoutError) as error:
            logger.warning("Hits are spooled, the database is away: %s", error)
            self._away_until = time.monotonic() + PAUSE
            await self._store.close()
            return False
        return True

    async def _drain(self) -> None:
        """Bring spooled hits into the database, of processes that have ended too."""
        self._drain_at = time.monotonic() + DRAIN_EVERY
        paths = await asyncio.to_thread(spool.waiting)
        if not paths or time.monotonic() < self._away_until:
            return
        self._spool.release()
        for path in paths:
            try:
                with spool.reading(path) as hits:
                    for start in range(0, len(hits), LARGEST_GROUP):
                        if not await self._write(hits[start : start + LARGEST_GROUP]):
                            raise BlockingIOError
            except (BlockingIOError, FileNotFoundError):
                continue  # somebody else's, or the database is away again
