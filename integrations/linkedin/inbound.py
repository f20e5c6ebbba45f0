"""The signed address by which other systems send submissions in, with a message of our own making:

    {"id": "a-1", "form": "Trade fair", "submitted_at": "2026-03-01T10:00:00Z", "campaign": "Spring", "test": false,
     "answers": {"EMAIL": "ann@firma.example", "Which day?": ["Monday", "Tuesday"]},
     "consents": [{"id": "news", "text": "Write to me", "accepted": true}], "hidden": {"utm_source": "fair"}}

or {"submissions": [{…}, …]}. Signed by Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`), as
our own webhooks are; a message counts once, by its id.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import received
from integrations.linkedin import columns, doors, storing
from integrations.linkedin.responses import Response, objects, text_of
from integrations.models import Connection, LeadInbox, LeadSubmission
from integrations.webhooks import signing
from tenants import audit, wakeups
from tenants.models import Member

# Seconds by which the sender's clock may differ from ours.
TOLERANCE = 300
LARGEST = 2 * 1_048_576
MOST = 1_000
OVERLAP = timedelta(hours=24)


class Unacceptable(ValueError):
    """A message that is signed and makes no sense; the text tells its sender why."""


def open_inbox(connection: Connection, *, by: Member) -> str:
    """Make the address, or a new secret for it, which nothing shows again; the old one counts for another day."""
    secret = signing.new_secret()
    inbox = LeadInbox.objects.filter(connection=connection).first()
    if inbox is None:
        inbox = LeadInbox.objects.create(connection=connection, secret=secret)
    else:
        inbox.previous_secret, inbox.previous_until = inbox.secret, timezone.now() + OVERLAP
        inbox.secret = secret  # type: ignore[assignment]
        inbox.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit.write("linkedin.inbox_secret", connection, by=by)
    return secret


def close_inbox(connection: Connection, *, by: Member) -> None:
    """Take nothing in by the address any more."""
    LeadInbox.objects.filter(connection=connection).delete()
    audit.write("linkedin.inbox_closed", connection, by=by)


def address(connection: Connection) -> str:
    """Where other systems send to."""
    return doors.address(connection, doors.INBOX)


def is_signed(inbox: LeadInbox, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the inbox's secrets has signed exactly this within the last minutes."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not message_id or not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12) or not given.isascii():
        return False
    if abs(timezone.now().timestamp() - int(stamp)) > TOLERANCE:
        return False
    is_overlapping = inbox.previous_until is not None and inbox.previous_until > timezone.now()
    secrets = [inbox.secret, inbox.previous_secret if is_overlapping else None]
    expected = [signing.sign(secret.reveal(), message_id, int(stamp), body) for secret in secrets if secret]
    return any(hmac.compare_digest(each, one) for each in expected for one in given.split(" "))


def take(inbox: LeadInbox, message_id: str, body: bytes) -> int:
    """Take a message whose signature was right; how many submissions of it are new. Raises Unacceptable."""
    responses = _responses(message_id, body)
    if not received.claim(f"inbox:{inbox.pk}", [message_id[:200]]):
        return 0
    connection = inbox.connection
    asked: dict[Any, tuple[dict[str, None], dict[str, str]]] = {}
    for response in responses:
        names, texts = asked.setdefault(response.form, ({}, {}))
        names |= dict.fromkeys(answer["question"] for answer in response.answers)
        texts |= {consent["id"]: consent["text"] for consent in response.consents}
    for ref, (names, texts) in asked.items():
        columns.learn(connection, ref, names, texts)
    stored = storing.store(connection, responses, LeadSubmission.Channel.INBOUND)
    LeadInbox.objects.filter(pk=inbox.pk).update(last_received_at=timezone.now())
    wakeups.announce("linkedin")
    return stored.new


def _responses(message_id: str, body: bytes) -> list[Response]:
    try:
        told = json.loads(body)
    except ValueError:
        raise Unacceptable(_("The body is no JSON.")) from None
    if not isinstance(told, dict):
        raise Unacceptable(_("The body is no object."))
    given = objects(told.get("submissions")) if "submissions" in told else [told]
    if not 0 < len(given) <= MOST:
        raise Unacceptable(_("Between 1 and %(count)d submissions are taken at once.") % {"count": MOST})
    return [_response(each, f"{message_id}.{place}") for place, each in enumerate(given)]


def _response(given: Mapping[str, Any], fallback: str) -> Response:
    answers = given.get("answers")
    if not isinstance(answers, dict) or not answers:
        raise Unacceptable(_("A submission needs “answers”: an object of questions with their answers."))
    name = text_of(given.get("form"), 195)
    if not name:
        raise Unacceptable(_("A submission needs “form”: the form's name."))
    campaign = text_of(given.get("campaign"), 95)
    found = Response(f"inbox:{text_of(given.get('id'), 190) or fallback}"[:200], timezone.now())
    if "submitted_at" in given:
        at = columns.when(given["submitted_at"])
        if at is None:
            raise Unacceptable(_("“submitted_at” is no moment."))
        found.submitted_at = at
    found.form = columns.form_ref(name)
    found.campaign_id, found.campaign_name = f"name:{campaign}" if campaign else "", campaign
    found.is_test = given.get("test") is True
    for question, value in list(answers.items())[:200]:
        texts = [text_of(each) for each in value] if isinstance(value, list) else [text_of(value)]
        found.answers.append({"question": text_of(question, 100), "text": ", ".join(filter(None, texts))})
    found.consents = [
        {"id": text_of(c.get("id"), 40), "text": text_of(c.get("text")), "accepted": c.get("accepted") is True}
        for c in objects(given.get("consents"))
    ]
    hidden = given.get("hidden")
    if isinstance(hidden, dict):
        found.hidden_fields = {text_of(key, 100): text_of(value) for key, value in hidden.items()}
    return found
