"""One server for all tests of the stand-ins; each test has a world of its own."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import pytest

from integrations.sandbox import server

if TYPE_CHECKING:
    from tests.integrations.sandbox.dataverse import Client
    from tests.integrations.sandbox.linkedin import Client as LinkedInClient

_keys = count()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[server.Running]:
    with server.start() as running:
        yield running


@pytest.fixture
def sales(sandbox: server.Running) -> "Client":
    """A client of an environment that has users and nothing else, whose clock stands still."""
    from tests.integrations.sandbox.dataverse import Client

    client = Client(sandbox, f"test-{next(_keys)}")
    client.control("reset", {"seed": 7, "now": "2026-03-01T12:00:00Z"})
    client.token = client.sign_in().json["access_token"]
    return client


@pytest.fixture
def ads(sandbox: server.Running) -> "Iterator[LinkedInClient]":
    """A client of a LinkedIn with an account, a campaign and a form, where somebody has signed in."""
    from tests.integrations.sandbox.linkedin import SEED, Client

    client = Client(sandbox, f"test-{next(_keys)}")
    client.control("seed", SEED)
    client.sign_in()
    with closing(client.line):
        yield client
