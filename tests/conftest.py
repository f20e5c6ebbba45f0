"""What every test may use. The database server is started in `pytest_configure`, before Django reads its settings."""

from collections.abc import Iterator

import django
import pytest

from config import embedded
from tests import server


def pytest_configure(config: pytest.Config) -> None:
    server.prepare()
    django.setup()
    config.pluginmanager.import_plugin("tests.cast")


def pytest_unconfigure() -> None:
    server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[embedded.Redis]:
    """A Redis of this run, for tests of what goes through the broker or the cache."""
    with embedded.throwaway_folder() as folder:
        started = embedded.start_redis(folder, folder / "redis.log")
        if started is None:
            pytest.skip("no Redis program on this machine")
        yield started
        started.stop()
