"""A tenant's settings: small JSON values under declared keys, with defaults."""

from typing import Any

from tenants.models import Setting
from tenants.scope import forget

_defaults: dict[str, Any] = {}


def declare(key: str, default: Any) -> None:
    """Declare a setting and its default; an app does so in its `ready()`."""
    _defaults[key] = default


def get(key: str) -> Any:
    """The scope's tenant's value of a declared setting."""
    row = Setting.objects.filter(key=key).values_list("value", flat=True).first()
    return _defaults[key] if row is None else row


def put(key: str, value: Any) -> None:
    """Set a declared setting for the scope's tenant."""
    if key not in _defaults:
        raise KeyError(key)
    Setting.objects.update_or_create(key=key, defaults={"value": value})
    forget(key)
