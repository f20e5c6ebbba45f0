"""The door by which opens, clicks and one-click unsubscribes come in: a small ASGI application of its own.

    granian --interface asgi messaging.tracking:application

It needs neither Django's apps nor its ORM, only the settings.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from messaging.tracking.door import application

__all__ = ["application"]
