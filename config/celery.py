"""The Celery application: tasks do their work in `tenants.wakeups` queues, the beat is the safety net."""

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# A container's only user is often root; task arguments are JSON, so Celery's pickle warning does not apply.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("onward")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "dispatch": {"task": "tenants.tasks.dispatch", "schedule": 1.0, "options": {"expires": 1}},
    "breathe": {"task": "tenants.tasks.breathe", "schedule": 3.0, "options": {"queue": "calls", "expires": 3}},
    "housekeeping": {"task": "tenants.tasks.housekeeping", "schedule": 60.0, "options": {"expires": 60}},
}
