"""What a tenant decides about its leads."""

from tenants import preferences

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
