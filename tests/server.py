"""The PostgreSQL and Redis that the tests run on, started once per run.

The server has to stand before Django reads its settings. `pytest_configure` in `tests/conftest.py` calls `prepare()`;
under xdist the controller starts the server and the workers inherit its address in the environment.
"""

import os
from contextlib import ExitStack

from config import embedded

# Where tests find the embedded server's superuser, for what the application's role may not do.
SUPERUSER_URL = "TEST_SUPERUSER_URL"

_running = ExitStack()


def prepare() -> None:
    """Set the environment that `config.settings` reads, with a fresh PostgreSQL unless DATABASE_URL names one."""
    if "DATABASE_URL" not in os.environ:
        postgres = _running.enter_context(embedded.throwaway_postgres())
        os.environ["DATABASE_URL"] = postgres.url()
        os.environ[SUPERUSER_URL] = postgres.url(embedded.SUPERUSER)
    # Nothing of a product that runs beside the tests (`var/env`) may reach them.
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        SECRET_KEY="a key for tests only, long enough to please every check",
        SECRETS_KEYS="7vRMyN5tq4JqyyTn3fTE1DmZSMkv6ZBhQjFLRd2xv1Y=",
        DEBUG="False",
        BACKUP_DATABASE_URL="",
        REDIS_URL="",
        BROKER_URL="",
        EMAIL_URL="smtp://127.0.0.1:1025",
        CATCHER_URL="smtp://127.0.0.1:1025",
        PUBLIC_URL="http://127.0.0.1:8000",
        TRACKING_URL="http://127.0.0.1:8001",
    )


def stop() -> None:
    """Stop what `prepare()` started in this process."""
    _running.close()
