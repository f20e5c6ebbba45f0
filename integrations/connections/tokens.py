"""Bearer tokens of connections, fetched by one caller at a time.

    authoriser = Tokens(connection, fetch)          # fetch(connection) -> Granted, outside of any transaction

However many workers find a token refused at once, one of them fetches another and the others take that one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.client import NeedsAuthorisation, Unavailable
from integrations.connections import verbs
from integrations.models import Connection
from tenants.scope import tenant_scope

# A token that ends within this is not begun with.
MARGIN = timedelta(minutes=2)
# Seconds for which a token is used again without a look: a list of many pages would look it up for each of them, and
# one that is refused meanwhile is renewed anyway.
HELD = 5.0
# Seconds to wait for another caller's fetching, and between looks.
WAIT, LOOK = 60.0, 0.1


@dataclass(frozen=True)
class Granted:
    """What a token endpoint gave; without a refresh token the one before stays.

    `authorisation_ends_at`: when a person has to authorise again; None leaves what is known.
    """

    token: str
    expires_at: datetime
    refresh_token: str = ""
    authorisation_ends_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Granted(until {self.expires_at:%Y-%m-%d %H:%M})"


Fetch = Callable[[Connection], Granted]


class Tokens:
    """The authoriser of a connection (`client.Authoriser`); opens scopes of its own."""

    def __init__(self, connection: Connection, fetch: Fetch) -> None:
        self._pk, self._tenant_id, self._fetch = connection.pk, connection.tenant_id, fetch
        self._held, self._held_until = "", 0.0

    def token(self) -> str:
        """The token that is kept, or another one if it ends soon."""
        if time.monotonic() < self._held_until:
            return self._held
        kept = self._kept()
        is_fresh = kept.token_expires_at is None or kept.token_expires_at > timezone.now() + MARGIN
        if kept.token is not None and is_fresh:
            self._held, self._held_until = kept.token.reveal(), time.monotonic() + HELD
            return self._held
        return self.renew(kept.token.reveal() if kept.token is not None else "")

    def renew(self, used: str) -> str:
        """Another token than `used`. Raises NeedsAuthorisation, having noted it on the connection."""
        self._held_until = 0.0
        with self._alone():
            kept = self._kept()
            if kept.token is not None and (token := kept.token.reveal()) != used:
                return token
            try:
                granted = self._fetch(kept)
            except NeedsAuthorisation as error:
                with tenant_scope(self._tenant_id):
                    verbs.need_authorisation(kept, error.text)
                raise
            with tenant_scope(self._tenant_id):
                keep(kept, granted)
            return granted.token

    def _kept(self) -> Connection:
        with tenant_scope(self._tenant_id, read_only=True):
            found = Connection.objects.filter(pk=self._pk).first()
        if found is None:
            raise NeedsAuthorisation(_("The connection has been removed."))
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the session's lock of this connection's token; one that is killed gives it back with its session."""
        key, until = f"token:{self._pk}", time.monotonic() + WAIT
        while not _ask("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key):
            if time.monotonic() >= until:
                raise Unavailable(_("Somebody else has been fetching a token for too long."))
            time.sleep(LOOK)
        try:
            yield
        finally:
            _ask("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)


def keep(connection: Connection, granted: Granted) -> None:
    """Keep what was granted."""
    connection.token = granted.token  # type: ignore[assignment]
    connection.token_expires_at = granted.expires_at
    if granted.refresh_token:
        connection.refresh_token = granted.refresh_token  # type: ignore[assignment]
    if granted.authorisation_ends_at is not None:
        connection.authorisation_ends_at = granted.authorisation_ends_at
    connection.save(update_fields=["token", "token_expires_at", "refresh_token", "authorisation_ends_at"])


def _ask(query: str, key: str) -> bool:
    with database.cursor() as cursor:
        cursor.execute(query, [key])
        return bool(cursor.fetchone()[0])
