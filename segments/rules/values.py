"""Values of conditions, checked by what they are compared with."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from segments.fields import LISTS, RELATIVE, Type

MAX_TEXT = 500
MAX_LIST = 500
MAX_DAYS = 3_660
_BIGINT = 2**63 - 1


class Wrong(ValueError):
    """A value that cannot be used, in words."""


def of_test(type_: str, op: str, value: Any) -> Any:
    """The value of a field's test as the operator takes it; raises Wrong."""
    if op in ("has_value", "has_none"):
        return None
    if op in RELATIVE:
        return whole(value, _("days"), low=1, high=MAX_DAYS)
    one = _ONE[type_]
    if op in LISTS:
        several = value if isinstance(value, list | tuple) else [value]
        if not several or several == [None] or several == [""]:
            raise Wrong(_("choose at least one value"))
        if len(several) > MAX_LIST:
            raise Wrong(_("at most %(count)d values") % {"count": MAX_LIST})
        return tuple(one(each) for each in several)
    if op == "between":
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise Wrong(_("enter both ends of the range"))
        low, high = one(value[0]), one(value[1])
        if low > high:
            raise Wrong(_("the range ends before it begins"))
        return (low, high)
    return one(value)


def text(value: Any) -> str:
    """A text that is not empty."""
    if isinstance(value, Mapping | list | tuple | bool) or value is None or not str(value).strip():
        raise Wrong(_("enter a value"))
    found = str(value).strip()
    if len(found) > MAX_TEXT or "\0" in found:
        raise Wrong(_("at most %(count)d characters") % {"count": MAX_TEXT})
    return found


def whole(value: Any, what: str = "", low: int = -_BIGINT, high: int = _BIGINT) -> int:
    """A whole number within bounds."""
    try:
        found = int(value) if not isinstance(value, bool | float) or value == int(value) else None
    except (TypeError, ValueError, OverflowError):
        found = None
    if found is None or isinstance(value, bool):
        raise Wrong(_("enter a whole number (%(what)s)") % {"what": what} if what else _("enter a whole number"))
    if not low <= found <= high:
        raise Wrong(_("enter a number from %(low)d to %(high)d") % {"low": low, "high": high})
    return found


def days(value: Any) -> int | None:
    """A number of days, or none."""
    return None if value is None else whole(value, _("days"), low=1, high=MAX_DAYS)


def day(value: Any) -> date:
    """A calendar day."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise Wrong(_("enter a date, e.g. 2026-11-30")) from None


def yes_or_no(value: Any) -> bool:
    """A boolean, or its word."""
    if value in (True, "true", "yes"):
        return True
    if value in (False, "false", "no"):
        return False
    raise Wrong(_("choose yes or no"))


def period(value: Any) -> tuple[date, date] | None:
    """Two days, both included, or none."""
    if value is None:
        return None
    found: tuple[date, date] = of_test(Type.DATE, "between", value)
    return found


def ids(value: Any) -> tuple[int, ...]:
    """Ids of objects: none, one or several."""
    if value in (None, "", [], ()):
        return ()
    several = value if isinstance(value, list | tuple) else [value]
    if len(several) > MAX_LIST:
        raise Wrong(_("at most %(count)d values") % {"count": MAX_LIST})
    return tuple(whole(each, low=1) for each in several)


_ONE: dict[str, Callable[[Any], Any]] = {
    Type.TEXT: text,
    Type.NUMBER: whole,
    Type.DATE: day,
    Type.MOMENT: day,
    Type.BOOLEAN: yes_or_no,
    Type.CHOICE: text,
    Type.LOOKUP: whole,
}
