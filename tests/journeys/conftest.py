"""Fixtures of the journeys' tests. Models are imported late: pytest reads this file before Django is set up."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.journeys.world import Step, World


@pytest.fixture
def world(acme: Any) -> "World":
    from tests.journeys.world import World

    return World(acme)


@pytest.fixture
def email_step(world: "World") -> "Step":
    return "email", {"email": world.email.pk, "expires_at": None}


@pytest.fixture
def click(world: "World") -> Callable[..., int]:
    """`click(contact_id, link=0)`: the contact clicks in the latest message that she got."""
    return world.click
