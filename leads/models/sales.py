"""The work of sales: activities and opportunities."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.models.leads import Lead
from tenants.fields import TenantKey


class Activity(models.Model):
    """A task, call or appointment, planned or done."""

    class Kind(models.TextChoices):
        TASK = "task", _("Task")
        CALL = "call", _("Call")
        APPOINTMENT = "appointment", _("Appointment")

    tenant = TenantKey()
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.TASK)
    subject = models.CharField(_("subject"), max_length=200)
    notes = models.TextField(_("notes"), blank=True)
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, null=True, blank=True, related_name="activities")
    account = models.ForeignKey("contacts.Account", models.SET_NULL, null=True, blank=True, related_name="+")
    lead = models.ForeignKey(Lead, models.SET_NULL, null=True, blank=True, related_name="activities")
    owner = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    done_at = models.DateTimeField(null=True, editable=False)
    outcome = models.CharField(_("outcome"), max_length=100, blank=True)
    journey_id = models.BigIntegerField(null=True, editable=False)
    # Makes a second one from the same cause impossible, e.g. `visit:81`.
    origin_key = models.TextField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "origin_key"], condition=Q(origin_key__isnull=False), name="one_activity_per_origin"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "owner", "due_at"], condition=Q(done_at__isnull=True), name="activity_open_of_owner"
            ),
            models.Index(fields=["tenant", "lead"], name="activity_of_lead"),
        ]

    def __str__(self) -> str:
        return self.subject


class Opportunity(models.Model):
    """What a qualified lead may be worth. Money is in hundredths of `currency` (its minor unit)."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    lead = models.ForeignKey(Lead, models.SET_NULL, null=True, related_name="opportunities")
    contact = models.ForeignKey("contacts.Contact", models.SET_NULL, null=True, blank=True, related_name="+")
    account = models.ForeignKey(
        "contacts.Account", models.SET_NULL, null=True, blank=True, related_name="opportunities"
    )
    owner = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, blank=True, related_name="+")
    amount_minor = models.BigIntegerField(_("amount"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    state = models.CharField(max_length=5, choices=State.choices, default=State.OPEN, editable=False)
    closes_on = models.DateField(_("expected close"), null=True, blank=True)
    closed_at = models.DateTimeField(null=True, editable=False)
    lost_reason = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="opportunity_by_state")]

    def __str__(self) -> str:
        return self.name
