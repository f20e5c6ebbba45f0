"""Fixtures of the integrations' tests. Models are imported late: pytest reads this file before Django is set up."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integrations.world import World


@pytest.fixture
def world(acme: Any, ana: Any, settings: Any) -> "Iterator[World]":
    from tests.integrations.world import World
    from tests.standins.receiver import Receiver

    with Receiver() as receiver:
        settings.SANDBOX_ORIGINS = [receiver.url]
        yield World(acme, ana, receiver)
