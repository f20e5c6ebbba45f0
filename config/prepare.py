"""What must be done before the product serves; each step does nothing where it is done already.

`./onward run` takes all steps at every start: `python -m config.prepare database sample`, and `static` beside it. A
deployment takes `static` when its image is built and `database` once per release.
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from config.programs import CannotStart

OLDEST_POSTGRES = 17
NO_LIMITS = "-c transaction_timeout=0 -c idle_in_transaction_session_timeout=0"
WRONG_ROLE = (
    "DATABASE_URL signs in as {role}, which {why}, so that nothing would keep the companies apart. Use a role made by: "
    "CREATE ROLE onward LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD '...'; "
    'ALTER DATABASE "{database}" OWNER TO onward;'
)


def check_database() -> None:
    """Refuse a database that cannot be reached, is too old, or whose role escapes row-level security."""
    from django.db import OperationalError, connection

    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select rolname, rolsuper, rolbypassrls, current_database(),"
                " current_setting('server_version_num')::int / 10000 from pg_roles where rolname = current_user"
            )
            name, is_superuser, may_bypass, database, version = cursor.fetchone()
    except OperationalError as error:
        raise CannotStart(f"Cannot connect to DATABASE_URL: {str(error).strip().splitlines()[-1]}") from error
    if version < OLDEST_POSTGRES:
        raise CannotStart(f"Onward needs PostgreSQL {OLDEST_POSTGRES} or newer; DATABASE_URL leads to {version}.")
    if is_superuser or may_bypass:
        why = "is a superuser" if is_superuser else "may bypass row-level security"
        raise CannotStart(WRONG_ROLE.format(role=name, why=why, database=database))


def migrate() -> None:
    """Bring the tables up to date, without the time limits that the role has for everyday work."""
    from django.core.management import call_command
    from django.db import connection

    connection.close()
    os.environ["PGOPTIONS"] = NO_LIMITS
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        connection.close()
        del os.environ["PGOPTIONS"]


def collect_static() -> None:
    """Collect and compress static files, if any has changed since the last time."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    root = Path(settings.STATIC_ROOT)
    mark = root / ".collected"
    if not mark.exists() or mark.read_text() != digest.hexdigest():
        call_command("collectstatic", interactive=False, verbosity=0)
        mark.write_text(digest.hexdigest())


def load_sample() -> None:
    """Make the sample companies in an empty installation."""
    from django.core.management import call_command

    from tenants.models import Tenant

    if not Tenant.objects.exists():
        print("Making the sample companies ...", flush=True)
        call_command("load_sample")


def prepare_database() -> None:
    """Check the role, then migrate."""
    check_database()
    migrate()


STEPS: dict[str, Callable[[], None]] = {
    "static": collect_static,
    "database": prepare_database,
    "sample": load_sample,
}


def main(arguments: list[str]) -> int:
    """Take the named steps in their order; explain what stands in the way and return 1."""
    parser = argparse.ArgumentParser(prog="python -m config.prepare", description=__doc__)
    parser.add_argument("steps", nargs="+", choices=STEPS)
    steps = parser.parse_args(arguments).steps

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    try:
        for step in steps:
            STEPS[step]()
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
