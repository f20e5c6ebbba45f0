"""What a tenant decides about its leads."""

from typing import Any

from django.db import transaction

from tenants import audit, preferences, wakeups
from tenants.models import Member

AUTO_HAND_OFF = "leads.auto_hand_off"
SLA_HOURS = "leads.sla_hours"
STAGE_NAMES = "leads.stage_names"
ASSIGN_BY = "leads.assign_by"
COOL_DOWN_DAYS = "leads.cool_down_days"
MARGIN_PERCENT = "leads.margin_percent"
QUALIFIES_BY = "leads.qualifies_by"
QUALIFYING_MODELS = "leads.qualifying_models"

# Hand an MQL to sales as soon as somebody can take it.
preferences.declare(AUTO_HAND_OFF, True)
# Working hours within which sales accepts or rejects; then the manager is told.
preferences.declare(SLA_HOURS, 4)
# A recycled lead rests this long …
preferences.declare(COOL_DOWN_DAYS, 30)
# … and needs the score it was recycled with, plus this share of the threshold.
preferences.declare(MARGIN_PERCENT, 20)
# Whether the primary model, any or all of several (their ids; none named: every live one) make an MQL.
preferences.declare(QUALIFIES_BY, "primary")
preferences.declare(QUALIFYING_MODELS, [])

# The company's own names of stages, by stage.
preferences.declare(STAGE_NAMES, {})
# How somebody is found for a lead, beside who has it already; tried in `assignment`'s order.
preferences.declare(ASSIGN_BY, ["account_owner", "territory", "round_robin"])

_ALL = (
    *(QUALIFIES_BY, QUALIFYING_MODELS, AUTO_HAND_OFF, ASSIGN_BY),
    *(SLA_HOURS, COOL_DOWN_DAYS, MARGIN_PERCENT, STAGE_NAMES),
)
KEYS = {key.removeprefix("leads."): key for key in _ALL}
QUEUE = "leads"


def values() -> dict[str, Any]:
    """All of them, by their short names."""
    return {name: preferences.get(key) for name, key in KEYS.items()}


@transaction.atomic
def save(values: dict[str, Any], *, by: Member) -> None:
    """Change them; leads that wait are looked at by the new ones."""
    for name, value in values.items():
        preferences.put(KEYS[name], value)
    audit.write("leads.rules_changed", by=by, detail=values)
    wakeups.announce(QUEUE)
