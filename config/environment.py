"""What `./onward run` decides for its children: ports, addresses and secrets, written to `var/env`.

The environment always wins. Secrets are made once and kept; addresses are written anew at each start, so that
`manage.py` commands beside the running product find the same database and broker.
"""

import base64
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.embedded import SUPERUSER, Postgres, Redis
from config.programs import CannotStart

HOST = "127.0.0.1"
FIRST_PORT = 8000
# How far an installation's last port is behind its first.
SPAN = 26


@dataclass(frozen=True)
class Ports:
    """The four ports of one installation, derived from the web server's."""

    web: int

    @property
    def tracking(self) -> int:
        return self.web + 1

    @property
    def catcher(self) -> int:
        return self.web + 25

    @property
    def sandbox(self) -> int:
        return self.web + SPAN

    @classmethod
    def wanted(cls, environ: Mapping[str, str]) -> "Ports":
        """PORT, else 8000; refuses what is no port."""
        text = environ.get("PORT", str(FIRST_PORT))
        if not text.isdigit() or not 0 < int(text) <= 65535 - SPAN:
            raise CannotStart(f"PORT is {text!r}: it must be a number from 1 to {65535 - SPAN}.")
        return cls(int(text))

    def taken(self) -> int | None:
        """The first of the ports that somebody else listens on."""
        ports = (self.web, self.tracking, self.catcher, self.sandbox)
        return next((port for port in ports if not _is_free(port)), None)

    def check(self) -> None:
        """Refuse taken ports, naming a start that would work."""
        taken = self.taken()
        if taken is not None:
            others = (Ports(port) for port in range(FIRST_PORT + 123, 65000, 100))
            free = next(other.web for other in others if other.taken() is None)
            raise CannotStart(f"Port {taken} is in use: PORT={free} ./onward run")

    def hold(self) -> list[socket.socket]:
        """Keep others' starts away from the web servers' ports until these listen, which on a first start is minutes.

        The sockets do not listen, and share their ports with what binds by SO_REUSEPORT, as our servers do.
        """
        return [_held(port) for port in (self.web, self.tracking)]


def _held(port: int) -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind((HOST, port))
    return holder


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def decide(
    given: Mapping[str, str], kept: Mapping[str, str], ports: Ports, postgres: Postgres | None, redis: Redis | None
) -> dict[str, str]:
    """Everything the settings read: what is `given`, then the secrets `kept` from the last start, then our choice."""
    web = f"http://{HOST}:{ports.web}"
    catcher = f"smtp://{HOST}:{ports.catcher}"
    redis_url = redis.url if redis else ""
    chosen = {
        "SECRET_KEY": kept.get("SECRET_KEY") or secrets.token_urlsafe(50),
        "SECRETS_KEYS": kept.get("SECRETS_KEYS") or base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "SIGNUP": "open",
        "DATABASE_URL": postgres.url() if postgres else "",
        "BACKUP_DATABASE_URL": postgres.url(SUPERUSER) if postgres else "",
        "REDIS_URL": redis_url,
        "BROKER_URL": broker_url(given.get("REDIS_URL", redis_url)),
        "PUBLIC_URL": web,
        "TRACKING_URL": f"http://{HOST}:{ports.tracking}",
        "CATCHER_URL": catcher,
        "EMAIL_URL": catcher,
        "SANDBOX_URL": f"http://{HOST}:{ports.sandbox}",
    }
    return {name: given.get(name) or value for name, value in chosen.items()}


def broker_url(redis_url: str) -> str:
    """The same Redis for Celery, which calls a socket `redis+socket://`."""
    return f"redis+socket://{redis_url.removeprefix('unix://')}" if redis_url.startswith("unix://") else redis_url


def read(path: Path) -> dict[str, str]:
    """The values of a `var/env`; none if there is no file."""
    if not path.exists():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file as a whole, readable by its owner alone."""
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    half.replace(path)
