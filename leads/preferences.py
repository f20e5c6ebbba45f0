"""What a tenant decides about its leads."""

from typing import Any

from django.db import transaction

from tenants import audit, preferences, wakeups
from tenants.models import Member

AUTO_HAND_OFF = "leads.auto_hand_off"
SLA_HOURS = "leads.sla_hours"
COOL_DOWN_DAYS = "leads.cool_down_days"
MARGIN_PERCENT = "leads.margin_percent"
ANY_MODEL = "leads.any_model"

# Hand an MQL to sales as soon as somebody can take it.
preferences.declare(AUTO_HAND_OFF, True)
# Working hours within which sales accepts or rejects; then the manager is told.
preferences.declare(SLA_HOURS, 4)
# A recycled lead rests this long …
preferences.declare(COOL_DOWN_DAYS, 30)
# … and needs the score it was recycled with, plus this share of the threshold.
preferences.declare(MARGIN_PERCENT, 20)
# Every live scoring model may make an MQL, not only the primary one.
preferences.declare(ANY_MODEL, False)

_ALL = (AUTO_HAND_OFF, ANY_MODEL, SLA_HOURS, COOL_DOWN_DAYS, MARGIN_PERCENT)
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
