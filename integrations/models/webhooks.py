"""Webhooks that go out: endpoints, what is delivered to them, and each attempt."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey
from tenants.secrets import EncryptedText


class Endpoint(models.Model):
    """An address of another system, and the kinds of facts that it wants to hear."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        DISABLED = "disabled", _("Disabled")

    tenant = TenantKey()
    url = models.CharField(_("address"), max_length=2000, help_text=_("Begins with https://; has to be public."))
    description = models.CharField(_("description"), max_length=200, blank=True)
    kinds = ArrayField(models.TextField(), verbose_name=_("events"), default=list, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE, editable=False)
    # Why it was disabled, in words.
    reason = models.CharField(max_length=300, blank=True, editable=False)
    secret = EncryptedText()
    # The one before, which still signs as well until then.
    previous_secret = EncryptedText(null=True)
    previous_until = models.DateTimeField(null=True, editable=False)
    # Failures in a row, since when, and until when nothing is sent after them.
    failure_count = models.IntegerField(default=0, db_default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)
    # It hears what is recorded from this moment on.
    since = models.DateTimeField(db_default=Now(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def is_held(self) -> bool:
        """Whether nothing is sent for a while, after failures or because the receiver has asked for it."""
        return self.held_until is not None and self.held_until > timezone.now()


class Delivery(models.Model):
    """One message to one address: a row of the outbox, made in the transaction of what it tells.

    `key` makes a second one impossible: `fact:{endpoint}:{interaction}`, `participant:{participant}:{tile}`,
    `test:{uuid}`. `uid` is the message's name for the receiver, the same at each attempt. A journey's tile may call an
    address of its own, without an endpoint; that is not signed.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Being sent")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    tenant = TenantKey()
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, null=True, related_name="deliveries", db_index=False)
    url = models.CharField(max_length=2000, blank=True)
    key = models.TextField()
    uid = models.UUIDField()
    kind = models.TextField()
    contact = models.ForeignKey("contacts.Contact", models.SET_NULL, null=True, related_name="+", db_index=False)
    journey_id = models.BigIntegerField(null=True)
    tile = models.TextField(blank=True, default="")
    participant_id = models.BigIntegerField(null=True)
    # Type, timestamp and data; empty once the person has been erased.
    body = models.JSONField(default=dict)
    state = models.TextField(choices=State.choices, default=State.QUEUED, db_default=State.QUEUED)
    # A word of `integrations.webhooks.reasons`.
    reason = models.TextField(blank=True, default="", db_default="")
    # How many attempts there were, and how many of the schedule since it was queued last.
    attempt_count = models.IntegerField(default=0, db_default=0)
    step = models.IntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_id = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    # Its participant waits for it at the tile; nobody wants it any more once she has gone on.
    is_awaited = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="one_delivery_per_key")]
        indexes = [
            models.Index(
                fields=["tenant", "endpoint", "next_attempt_at", "id"],
                condition=Q(state="queued"),
                name="delivery_queued",
            ),
            # Who is ahead of a contact's delivery at an endpoint.
            models.Index(
                fields=["tenant", "endpoint", "contact", "id"],
                condition=Q(state__in=("queued", "sending")),
                name="delivery_ahead",
            ),
            models.Index(fields=["tenant", "leased_until"], condition=Q(state="sending"), name="delivery_leased"),
            models.Index(
                fields=["tenant", "participant_id"],
                condition=Q(participant_id__isnull=False),
                name="delivery_of_participant",
            ),
            models.Index(fields=["tenant", "endpoint", "state", "-id"], name="delivery_of_endpoint"),
            models.Index(fields=["tenant", "contact"], name="delivery_of_contact"),
            models.Index(fields=["tenant", "created_at"], name="delivery_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def message_id(self) -> str:
        """What the receiver knows it by."""
        return f"msg_{self.uid.hex}"


class Attempt(models.Model):
    """One call, and what came back."""

    tenant = TenantKey()
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", db_index=False)
    number = models.IntegerField()
    at = models.DateTimeField(db_default=Now())
    duration_ms = models.IntegerField()
    # Without a status there was no answer, and `error` says why.
    status = models.IntegerField(null=True)
    error = models.TextField(blank=True)
    # The first 2,048 bytes of the answer.
    response = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "delivery", "-id"], name="attempts_of_delivery")]

    def __str__(self) -> str:
        return f"#{self.number}: {self.status or self.error}"
