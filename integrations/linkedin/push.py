"""LinkedIn's notifications: the challenge by which it knows us, the signature by which we know it.

A notification says that there is a submission, or that its member has withdrawn it; it holds no answers. What has been
withdrawn is forgotten at once; the others are asked for (`announced`). LinkedIn repeats notifications and keeps no
order, so each counts once and a withdrawal counts for good.
"""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import received
from integrations.client import Rejected
from integrations.connections import verbs
from integrations.linkedin import doors, parsing, storing
from integrations.linkedin.api import LinkedIn
from integrations.linkedin.responses import moment, part, text_of
from integrations.models import AdAccount, Connection
from tenants import audit, wakeups
from tenants.models import Member
from tenants.scope import tenant_scope

# Bytes of a notification; LinkedIn's have some five hundred.
LARGEST = 64 * 1024
# The app's secret before the present one signs as well for so long.
ROTATION = timedelta(hours=24)
CREATED, DELETED = "CREATED", "DELETED"
PREVIOUS, PREVIOUS_UNTIL = "previous_client_secret", "previous_until"


def address(connection: Connection) -> str:
    """Where LinkedIn sends notifications of a connection."""
    return doors.address(connection, doors.PUSH)


def challenge_response(connection: Connection, code: str) -> str:
    """What LinkedIn wants to hear, every two hours."""
    secret = verbs.secrets_of(connection).get("client_secret", "")
    return hmac.new(secret.encode(), code.encode(), hashlib.sha256).hexdigest()


def is_signed(connection: Connection, body: bytes, signature: str) -> bool:
    """Whether the app's secret, or the one before it, has signed exactly this; LinkedIn signs a prefix along."""
    if not signature.isascii():
        return False
    held = verbs.secrets_of(connection)
    secrets = [held.get("client_secret", "")]
    if held.get(PREVIOUS) and datetime.fromisoformat(held[PREVIOUS_UNTIL]) > timezone.now():
        secrets.append(held[PREVIOUS])
    expected = [hmac.new(s.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest() for s in secrets if s]
    return any(hmac.compare_digest(each, signature) for each in expected)


def take(connection: Connection, body: bytes) -> bool:
    """Take a notification whose signature was right; False if it was taken before, or says nothing to us."""
    try:
        told = json.loads(body)
    except ValueError:
        return False
    response_id = parsing.tail(part(told, "leadGenFormResponse"))
    account_id = parsing.tail(part(told, "owner", "sponsoredAccount"))
    action = text_of(part(told, "leadAction"), 20)
    if not response_id or action not in (CREATED, DELETED):
        return False
    if not received.claim(f"linkedin:{connection.pk}", [_hash(body)]):
        return False
    if action == DELETED:
        storing.withdraw(connection, [response_id[:200]], _("The member has withdrawn it at LinkedIn."))
        return True
    known = AdAccount.objects.filter(connection=connection, external_id=account_id, is_chosen=True)
    if not known.exists():
        return False
    at = min(moment(part(told, "occurredAt")) or timezone.now(), timezone.now())
    storing.announce(connection, [(response_id[:200], at)])
    wakeups.announce("linkedin")
    return True


def subscribe(connection: Connection) -> list[str]:
    """Let LinkedIn notify us of the chosen accounts' leads and no others'; what it refuses, in words.

    Outside of any scope.
    """
    api, refused = LinkedIn(connection), []
    with tenant_scope(connection.tenant_id, read_only=True):
        accounts = AdAccount.objects.filter(connection=connection)
        missing = list(accounts.filter(is_chosen=True, subscription_id=""))
        left_out = list(accounts.filter(is_chosen=False).exclude(subscription_id=""))
    for account in missing:
        try:
            subscription = api.subscribe(account.external_id, address(connection))
        except Rejected as error:
            refused.append(f"{account}: {error.text}")
            continue
        with tenant_scope(connection.tenant_id):
            AdAccount.objects.filter(pk=account.pk).update(subscription_id=subscription[:60])
    _end(api, left_out)
    return refused


def unsubscribe(connection: Connection) -> None:
    """End all notifications. Outside of any scope."""
    with tenant_scope(connection.tenant_id, read_only=True):
        accounts = list(AdAccount.objects.filter(connection=connection).exclude(subscription_id=""))
    _end(LinkedIn(connection), accounts)


def _end(api: LinkedIn, accounts: list[AdAccount]) -> None:
    """End the accounts' notifications; what LinkedIn does not know any more is ended.

    One that it refuses to end does not keep the others; the refusal is raised in the end.
    """
    refused = None
    for account in accounts:
        try:
            api.unsubscribe(account.subscription_id)
        except Rejected as error:
            if error.status != 404:
                refused = error
                continue
        with tenant_scope(account.tenant_id):
            AdAccount.objects.filter(pk=account.pk).update(subscription_id="")
    if refused is not None:
        raise refused


def replace_secret(connection: Connection, secret: str, *, by: Member) -> None:
    """Another secret of the same app: the tokens stay, and for a day the old secret may sign as well."""
    held = verbs.secrets_of(connection)
    until = (timezone.now() + ROTATION).isoformat()
    kept: dict[str, Any] = {**held, "client_secret": secret}
    kept |= {PREVIOUS: held.get("client_secret", ""), PREVIOUS_UNTIL: until}
    connection.credentials = json.dumps(kept)  # type: ignore[assignment]
    connection.save(update_fields=["credentials"])
    audit.write("connection.secret_replaced", connection, by=by)


def _hash(body: bytes) -> str:
    """LinkedIn gives notifications no id of their own; repeated ones are equal to the letter."""
    return hashlib.sha256(body).hexdigest()
