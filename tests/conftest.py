"""What every test may use. The database server has been started by then (`tests/server.py`)."""

import os
from collections.abc import Iterator

import django
import hypothesis
import pytest

from config import embedded
from tests.server import SUPERUSER_URL

LONG = ("test_thread", "test_pages", "test_linkedin", "test_dynamics", "test_imports", "test_journeys")


# How fast a machine is that has much else to do says nothing about a property.
hypothesis.settings.register_profile(
    "onward", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("onward")


def pytest_configure(config: pytest.Config) -> None:
    django.setup()
    config.pluginmanager.import_plugin("tests.cast")
    if url := os.environ.get(SUPERUSER_URL):
        from tests import emptying

        emptying.use(url)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[embedded.Redis]:
    """A Redis of this run, for tests of what goes through the broker or the cache."""
    with embedded.throwaway_folder() as folder:
        started = embedded.start_redis(folder, folder / "redis.log")
        if started is None:
            pytest.skip("no Redis program on this machine")
        yield started
        started.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser come last: Playwright leaves a running event loop, in which no other can be run.

    Of these the longest come first, so that no worker is left alone with one of them at the end.
    """
    items.sort(key=lambda item: ("tests/browser" in item.path.as_posix(), item.path.stem not in LONG))
