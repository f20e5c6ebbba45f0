"""Copying the whole database out and in, for all tenants, with PostgreSQL's own programs.

The role must be one that row-level security does not bind: `BACKUP_DATABASE_URL`.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from config.programs import CannotStart, postgres_binaries

# libpq's names for what an address contains; passwords stay out of the process list.
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
EMPTY = b"BEGIN; DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner;\n"


class BackupFailed(Exception):
    """A program of PostgreSQL failed; the message is its own last line."""


def dump(url: str, file: Path) -> None:
    """Write everything to `file` (custom format, readable by its owner alone); it appears only when complete."""
    half = file.with_name(f"{file.name}.part")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as output:
            done = subprocess.run(
                [_program("pg_dump"), "--format=custom"],
                env=_environ(url),
                stdout=output,
                stderr=subprocess.PIPE,
            )
        _check(done.returncode, done.stderr)
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)


def replace(url: str, file: Path) -> None:
    """Replace everything in the database by the dump, in one transaction: all of it or nothing.

    The COMMIT is sent only after the whole file has been read well. The roles that own the tables must exist.
    """
    with tempfile.TemporaryFile() as complaints:
        reading = subprocess.Popen(
            [_program("pg_restore"), "--file=-", file], stdout=subprocess.PIPE, stderr=complaints
        )
        writing = subprocess.Popen(
            [_program("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null"],
            env=_environ(url),
            stdin=subprocess.PIPE,
            stderr=complaints,
        )
        assert reading.stdout is not None
        assert writing.stdin is not None
        # A broken pipe means that psql gave up; its exit status and words follow.
        with suppress(BrokenPipeError), writing.stdin as script, reading.stdout as dumped:
            script.write(EMPTY)
            shutil.copyfileobj(dumped, script)
            if reading.wait() == 0:
                script.write(b"COMMIT;\n")
        status = reading.wait() or writing.wait()
        writing.wait()
        complaints.seek(0)
        _check(status, complaints.read())


def _program(name: str) -> Path:
    """The wheel's program, else the machine's."""
    try:
        return postgres_binaries() / name
    except CannotStart as reason:
        found = shutil.which(name)
        if found is None:
            raise BackupFailed(f"{name} is missing: install PostgreSQL's client programs.") from reason
        return Path(found)


def _environ(url: str) -> dict[str, str]:
    parts = conninfo_to_dict(url)
    named = {VARIABLES[name]: str(value) for name, value in parts.items() if name in VARIABLES}
    return {**os.environ, **named, "PGOPTIONS": "-c client_min_messages=warning"}


def _check(returncode: int, complaint: bytes) -> None:
    if returncode:
        lines = [line for line in complaint.decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line or "error" in line]
        raise BackupFailed((errors or lines or ["no reason given"])[0])
