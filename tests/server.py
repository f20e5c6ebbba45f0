"""The PostgreSQL and Redis that the tests run on, started before everything else.

A plugin that pyproject.toml names, because the server has to stand before pytest-django reads the settings. Under xdist
each worker has a server of its own: an open transaction of one would hold back the timeline's readers of the other,
since their horizon is the whole cluster's.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from config import embedded

# Where tests find the embedded server's superuser, for what the application's role may not do.
SUPERUSER_URL = "TEST_SUPERUSER_URL"
# A folder for what one process of a run makes for all of them.
SHARED_FOLDER = "TEST_SHARED_FOLDER"
# Set where nobody has named a PostgreSQL for the tests.
STARTS_POSTGRES = "TEST_STARTS_POSTGRES"

_running = ExitStack()


def prepare(*, runs_tests: bool) -> None:
    """Set the environment that `config.settings` reads, with a fresh PostgreSQL unless DATABASE_URL names one."""
    # Asked before the settings are read: they take DATABASE_URL from `var/env`, and xdist's workers inherit it.
    if "DATABASE_URL" not in os.environ:
        os.environ[STARTS_POSTGRES] = "yes"
    if runs_tests and STARTS_POSTGRES in os.environ:
        postgres = _running.enter_context(embedded.throwaway_postgres())
        os.environ["DATABASE_URL"] = postgres.url()
        os.environ[SUPERUSER_URL] = postgres.url(embedded.SUPERUSER)
    # Nothing of a product that runs beside the tests (`var/env`) may reach them.
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        SECRET_KEY="a key for tests only, long enough to please every check",
        SECRETS_KEYS="7vRMyN5tq4JqyyTn3fTE1DmZSMkv6ZBhQjFLRd2xv1Y=",
        SIGNUP="closed",
        DEBUG="False",
        BACKUP_DATABASE_URL="",
        REDIS_URL="",
        BROKER_URL="",
        EMAIL_URL="smtp://127.0.0.1:1025",
        CATCHER_URL="smtp://127.0.0.1:1025",
        PUBLIC_URL="http://127.0.0.1:8000",
        TRACKING_URL="http://127.0.0.1:8001",
        SANDBOX_URL="",
        SANDBOX_ORIGINS="",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Before anybody else's turn: pytest-django imports the settings in this hook."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if not is_worker:
        os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="onward-shared-")
        _running.callback(shutil.rmtree, os.environ[SHARED_FOLDER], ignore_errors=True)
    has_workers = bool(getattr(early_config.known_args_namespace, "numprocesses", None))
    prepare(runs_tests=is_worker or not has_workers)
    return (yield)


def pytest_unconfigure() -> None:
    _running.close()
