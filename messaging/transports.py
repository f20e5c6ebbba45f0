"""Through which server a tenant's mail leaves, and when a server is left alone for a while."""

import hashlib
import time
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from tenants import preferences
from tenants.models import Setting, Tenant

# Seconds that a failing server is left alone: doubled by each failure in a row, up to the last.
FIRST_PAUSE, LONGEST_PAUSE = 5, 300
# Where a tenant's pages find why its mail does not leave.
TROUBLE = "mail.trouble"
preferences.declare(TROUBLE, "")


@dataclass(frozen=True)
class Transport:
    """An SMTP server. `security` is "", "starttls" or "tls"."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = ""
    is_catcher: bool = False

    @property
    def name(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"


def of(tenant: Tenant) -> Transport:
    """The mail catcher for a sample company, whatever EMAIL_URL says; else the configured server."""
    return catcher() if tenant.is_sample else configured()


def catcher() -> Transport:
    """Where CATCHER_URL leads."""
    address = urlsplit(settings.CATCHER_URL)
    return Transport(address.hostname or "127.0.0.1", address.port or 1025, is_catcher=True)


def configured() -> Transport:
    """Where EMAIL_URL leads; it may well be the catcher."""
    config = settings.EMAIL_CONFIG
    host, port = config["EMAIL_HOST"], int(config["EMAIL_PORT"] or 25)
    caught = catcher()
    if (host, port) == (caught.host, caught.port):
        return caught
    return Transport(
        host=host,
        port=port,
        user=unquote(config["EMAIL_HOST_USER"] or ""),
        password=unquote(config["EMAIL_HOST_PASSWORD"] or ""),
        security="tls" if config.get("EMAIL_USE_SSL") else "starttls" if config.get("EMAIL_USE_TLS") else "",
    )


def paused_until(transport: Transport) -> datetime | None:
    """The moment until which nothing is sent through the server, if it has failed lately."""
    failures, until = cache.get(_key(transport), (0, 0.0))
    wait = until - time.time()
    return timezone.now() + timedelta(seconds=wait) if failures and wait > 0 else None


def failed(transport: Transport, *, is_ours: bool = False) -> datetime:
    """Note that the server could not be used, by our own configuration perhaps; returns when to try again."""
    failures, _until = cache.get(_key(transport), (0, 0.0))
    pause = LONGEST_PAUSE if is_ours else min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE)
    cache.set(_key(transport), (min(failures + 1, 10), time.time() + pause), LONGEST_PAUSE * 2)
    return timezone.now() + timedelta(seconds=pause)


def worked(transport: Transport) -> None:
    """Note that the server took a connection."""
    cache.delete(_key(transport))


def tell(words: str) -> None:
    """Keep for the scope's tenant why its mail does not leave; no words: it does."""
    if words:
        preferences.put(TROUBLE, words)
    else:
        Setting.objects.filter(key=TROUBLE).delete()


def _key(transport: Transport) -> str:
    """A server whose password has been corrected is another one."""
    return f"transport:{hashlib.sha256(repr(astuple(transport)).encode()).hexdigest()}"
