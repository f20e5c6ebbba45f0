"""What is done with endpoints."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import timeline
from contacts.timeline import Kind
from integrations.models import Endpoint
from integrations.webhooks import signing
from integrations.webhooks.outbox import QUEUE
from tenants import audit, notifications, wakeups
from tenants.links import tenant_path
from tenants.models import Member, Tenant
from tenants.secrets import Secret

State = Endpoint.State
# How long the secret before the present one signs as well.
OVERLAP = timedelta(hours=24)
# An endpoint of which no failures are known.
UNHARMED = {"failure_count": 0, "failing_since": None, "held_until": None}


def add(url: str, kinds: Sequence[str], *, description: str = "", by: Member) -> tuple[Endpoint, str]:
    """A new endpoint, and its secret, which nothing shows again."""
    secret = signing.new_secret()
    endpoint = Endpoint.objects.create(url=url, kinds=list(kinds), description=description, secret=secret)
    audit.write("webhook.added", endpoint, by=by, detail={"url": url})
    return endpoint, secret


def change(endpoint: Endpoint, *, by: Member) -> None:
    """Save address, description and events as they have been edited; another address begins without failures."""
    moved = Endpoint.objects.filter(pk=endpoint.pk).exclude(url=endpoint.url)
    if moved.update(**UNHARMED):
        wakeups.announce(QUEUE)
    endpoint.save(update_fields=["url", "description", "kinds"])
    audit.write("webhook.changed", endpoint, by=by, detail={"url": endpoint.url})


def rotate(endpoint: Endpoint, by: Member) -> str:
    """A new secret, which nothing shows again; the old one signs beside it for a day."""
    secret = signing.new_secret()
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, timezone.now() + OVERLAP
    endpoint.secret = secret
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit.write("webhook.secret_rotated", endpoint, by=by)
    return secret


def secrets_of(endpoint: Endpoint) -> list[Secret]:
    """What signs now: the secret and, during the overlap, the one before."""
    until = endpoint.previous_until
    held = [endpoint.secret, endpoint.previous_secret if until and until > timezone.now() else None]
    return [secret for secret in held if secret is not None]


def pause(endpoint: Endpoint, by: Member) -> bool:
    """Hold what is to be delivered; it is collected meanwhile. False if the endpoint is not active."""
    paused = Endpoint.objects.filter(pk=endpoint.pk, state=State.ACTIVE).update(state=State.PAUSED)
    if paused:
        audit.write("webhook.paused", endpoint, by=by)
    return bool(paused)


def resume(endpoint: Endpoint, by: Member) -> bool:
    """Go on delivering, what waited first. An endpoint that was disabled hears what happens from now on."""
    fresh = {**UNHARMED, "reason": "", "state": State.ACTIVE}
    idle = Endpoint.objects.filter(pk=endpoint.pk)
    resumed = idle.filter(state=State.PAUSED).update(**fresh)
    resumed = resumed or idle.filter(state=State.DISABLED).update(**fresh, since=Now())
    if resumed:
        audit.write("webhook.resumed", endpoint, by=by)
        wakeups.announce(QUEUE)
    return bool(resumed)


def disable(endpoint: Endpoint, reason: str) -> None:
    """Stop delivering to an endpoint that does not work, and tell the owners; nothing more is collected for it."""
    enabled = Endpoint.objects.filter(pk=endpoint.pk).exclude(state=State.DISABLED)
    if not enabled.update(state=State.DISABLED, reason=reason[:300]):
        return
    audit.write("webhook.disabled", endpoint, by=None, detail={"reason": reason})
    tenant = Tenant.objects.get(pk=endpoint.tenant_id)
    path = tenant_path(tenant, "integrations:endpoint", endpoint.pk)
    title = _("The webhook %(name)s has been disabled") % {"name": endpoint}
    for owner in tenant.members.filter(role=Member.Role.OWNER, is_active=True):
        notifications.notify(owner, "webhook", title, reason, path)


def remove(endpoint: Endpoint, by: Member) -> None:
    """Delete an endpoint with its deliveries."""
    audit.write("webhook.removed", endpoint, by=by, detail={"url": endpoint.url})
    endpoint.delete()


def offered_kinds() -> list[Kind]:
    """The kinds of facts that can be chosen, by group and key."""
    return sorted(timeline.kinds(), key=lambda kind: (kind.group, kind.key))
