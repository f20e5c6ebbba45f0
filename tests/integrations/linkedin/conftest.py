"""Fixtures of LinkedIn's tests. Models are imported late: pytest reads this file before Django is set up."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integrations.linkedin.world import LinkedInWorld


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Any]:
    """One server of stand-ins for all tests; each has a world of its own."""
    from integrations.sandbox import server

    with server.start() as running:
        yield running


@pytest.fixture
def linkedin(transactional_db: None, acme: Any, ana: Any, sandbox: Any, settings: Any) -> "LinkedInWorld":
    from tests.integrations.linkedin.world import LinkedInWorld

    settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = sandbox.url, [sandbox.url]
    return LinkedInWorld(acme, ana, sandbox)
