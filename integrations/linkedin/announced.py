"""Submissions that LinkedIn has announced by a notification, which has no answers in it: each is asked for.

One may not be readable right after its notification; it is asked for again for some minutes, and then left to the next
run, which reads everything anyway. Of many at once the run does the work as well: it reads a hundred at a time.
"""

import time
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.client import CallFailed, Rejected
from integrations.connections import verbs
from integrations.linkedin import parsing, processing, storing
from integrations.linkedin.api import LinkedIn
from integrations.linkedin.responses import Response
from integrations.models import Connection, LeadFormVersion, LeadSubmission
from tenants.scope import tenant_scope

State = LeadSubmission.State
# Seconds until it is asked for again.
WAITS = (10, 20, 40, 80, 160, 320)
# More than so many at once are left to a run.
AT_ONCE = 50


def fetch(connection: Connection, deadline: float) -> datetime | None:
    """Ask for those that are due; when the next one is. Outside of any scope."""
    with tenant_scope(connection.tenant_id):
        waiting = LeadSubmission.objects.filter(connection=connection, state=State.ANNOUNCED)
        due = list(waiting.filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")[: AT_ONCE + 1])
        if len(due) > AT_ONCE:
            waiting.update(next_attempt_at=None)
            verbs.schedule(connection, timezone.now())
            return None
    api = LinkedIn(connection) if due else None
    for submission in due:
        if api is None or time.monotonic() >= deadline or not _fetch_one(connection, api, submission):
            break
    with tenant_scope(connection.tenant_id):
        processing.process(connection)
        moments = waiting.exclude(next_attempt_at=None).order_by("next_attempt_at")
        return moments.values_list("next_attempt_at", flat=True).first()


def give_up(connection: Connection, since: datetime) -> int:
    """What was announced before a run began that has read everything, and not found; returns how many.

    It is taken if LinkedIn shows it after all. Index: lead_submission_to_fetch.
    """
    waiting = LeadSubmission.objects.filter(connection=connection, state=State.ANNOUNCED, next_attempt_at=None)
    why = _("LinkedIn has announced it and does not show it.")
    return waiting.filter(received_at__lt=since).update(state=State.FAILED, reason=why)


def _fetch_one(connection: Connection, api: LinkedIn, submission: LeadSubmission) -> bool:
    """Ask for one and store it; False if LinkedIn is not to be asked for more now."""
    try:
        response = api.response(submission.external_id)
        document = api.form_of(submission.external_id) if _is_form_unknown(connection, response) else None
    except Rejected as error:
        _put_off(submission, connection, error.text)
        return error.status == 404
    except parsing.Unreadable as error:
        _put_off(submission, connection, str(error))
        return True
    except CallFailed as error:
        _put_off(submission, connection, error.text)
        return False
    with tenant_scope(connection.tenant_id):
        if document is not None:
            storing.keep_form(connection, document)
        storing.store(connection, [response], LeadSubmission.Channel.PUSH)
    return True


def _is_form_unknown(connection: Connection, response: Response) -> bool:
    ref = response.form
    if ref is None:
        return False
    with tenant_scope(connection.tenant_id, read_only=True):
        known = LeadFormVersion.objects.filter(
            form__connection=connection, form__external_id=ref.external_id, number=ref.version, problem=""
        )
        return not known.exists()


def _put_off(submission: LeadSubmission, connection: Connection, why: str) -> None:
    """Ask again later; after the last wait the next run has the last word."""
    count = submission.attempt_count
    at = timezone.now() + timedelta(seconds=WAITS[count]) if count < len(WAITS) else None
    reason = why if at else _("LinkedIn did not show it: %(text)s") % {"text": why}
    with tenant_scope(connection.tenant_id):
        LeadSubmission.objects.filter(pk=submission.pk, state=State.ANNOUNCED).update(
            attempt_count=F("attempt_count") + 1, next_attempt_at=at, reason=reason[:300]
        )
