"""What was done to a journey as a whole, in words."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from journeys.models import Journey
from journeys.publishing import Resume
from tenants.models import Audit

SHOWN = 50


def of(journey: Journey) -> list[tuple[Audit, str]]:
    """The journey's audit rows, latest first, each with what it says."""
    rows = Audit.objects.filter(object_kind="journey", object_id=journey.pk).select_related("actor")
    return [(act, _in_words(act)) for act in rows.order_by("-at", "-pk")[:SHOWN]]


def _in_words(act: Audit) -> str:
    say = _SAYINGS.get(act.action)
    return say(act.detail) if say else act.action


def _settings(detail: dict[str, Any]) -> str:
    known = {field.name: str(getattr(field, "verbose_name", field.name)) for field in Journey._meta.get_fields()}
    names = ", ".join(known.get(name, name) for name in detail.get("fields", []))
    return _("Settings changed: %(names)s") % {"names": names} if names else _("Settings saved")


def _resumed(detail: dict[str, Any]) -> str:
    return _("Resumed. %(how)s") % {"how": dict(Resume.choices).get(detail.get("mode", ""), "")}


def _ended(detail: dict[str, Any]) -> str:
    return _("Ended. %(how)s") % {"how": dict(Journey.AtEnd.choices).get(detail.get("at_end", ""), "")}


_SAYINGS: dict[str, Callable[[dict[str, Any]], str]] = {
    "journey.created": lambda detail: _("Created"),
    "journey.went_live": lambda detail: _("Version %(number)s went live") % {"number": detail.get("version", "")},
    "journey.paused": lambda detail: _("Paused"),
    "journey.resumed": _resumed,
    "journey.ended": _ended,
    "journey.archived": lambda detail: _("Archived"),
    "journey.draft_discarded": lambda detail: _("Draft discarded"),
    "journey.settings_changed": _settings,
}
