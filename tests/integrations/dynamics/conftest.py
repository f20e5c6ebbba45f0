"""Fixtures of the tests of Dynamics: one server, and an environment of its own for each test."""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integrations.dynamics.world import World

_keys = count()


@pytest.fixture(scope="session")
def dataverse() -> Iterator[Any]:
    from integrations.sandbox import server

    with server.start() as running:
        yield running


@pytest.fixture
def world(transactional_db: None, acme: Any, ana: Any, dataverse: Any, settings: Any) -> "Iterator[World]":
    from integrations.crm.interface import crms
    from integrations.dynamics.crm import DYNAMICS
    from tests.integrations.dynamics.world import World

    settings.SANDBOX_ORIGINS = [dataverse.url]
    yield World(acme, ana, dataverse, f"acme-{next(_keys)}")
    crms.add(DYNAMICS)
