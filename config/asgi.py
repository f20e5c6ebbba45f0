"""The tracking application (opens, clicks, one-click unsubscribe) under ASGI: a process and port of its own."""

import os

from config.lifeline import follow_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
follow_parent()

from messaging.tracking import application  # noqa: E402

__all__ = ["application"]
