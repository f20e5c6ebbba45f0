"""What a company calls the stages of its leads: the names are its own, the meaning is fixed."""

from leads.models.stages import Stage
from leads.preferences import STAGE_NAMES
from tenants import preferences
from tenants.scope import kept


def names() -> dict[str, str]:
    """Each stage's name, the company's own or ours; one query per scope."""
    own = kept(STAGE_NAMES, lambda: preferences.get(STAGE_NAMES))
    return {stage.value: own.get(stage.value) or str(stage.label) for stage in Stage}


def name_of(stage: str) -> str:
    """A stage's name; empty for none."""
    return names().get(stage, stage)


def choices() -> list[tuple[str, str]]:
    """(stage, name) of all of them, in their order."""
    return list(names().items())
