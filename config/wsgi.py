"""The web application: Django under WSGI (granian)."""

import os

from django.core.wsgi import get_wsgi_application

from config.lifeline import follow_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
follow_parent()
application = get_wsgi_application()
