"""This file is read before Django is set up, so it imports inside."""

from typing import Any

import pytest


@pytest.fixture
def stage(acme: Any) -> Any:
    """Acme's people, facts and segments, made in one line each; see `tests.segments.stage`."""
    from tests.segments.stage import Stage

    return Stage(acme)
