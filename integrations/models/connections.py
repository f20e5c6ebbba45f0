"""Connections to other systems (LinkedIn, Dynamics 365, …): whose account, how it is doing, each run."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey
from tenants.secrets import EncryptedText


class Connection(models.Model):
    """The tenant's account at another system.

    Secrets never leave it but for the system's own address: `credentials` is JSON (client id and secret), the tokens
    are texts. `settings` holds what is no secret, by the system's own words.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Being set up")
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        NEEDS_AUTHORISATION = "needs_authorisation", _("Needs re-authorisation")
        STOPPED = "stopped", _("Stopped")

    tenant = TenantKey()
    # A key of `integrations.systems`.
    system = models.TextField(editable=False)
    name = models.CharField(_("name"), max_length=100)
    state = models.TextField(choices=State.choices, default=State.DRAFT, db_default=State.DRAFT, editable=False)
    # Why it does not run, in words for an admin.
    reason = models.CharField(max_length=500, blank=True, editable=False)
    settings = models.JSONField(default=dict, db_default={}, blank=True)
    # The partner's stand-in that this installation runs, instead of the partner.
    is_sandbox = models.BooleanField(default=False, db_default=False, editable=False)
    credentials = EncryptedText(null=True)
    token = EncryptedText(null=True)
    refresh_token = EncryptedText(null=True)
    token_expires_at = models.DateTimeField(null=True, editable=False)
    # When a person has to authorise us again; nothing: never, as far as we know.
    authorisation_ends_at = models.DateTimeField(null=True, editable=False)
    # For which end of authorisation the admins have been warned.
    warned_for = models.DateTimeField(null=True, editable=False)
    next_sync_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        "tenants.Member", models.SET_NULL, null=True, related_name="+", editable=False, db_index=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["tenant", "system", "id"], name="connections_of_system")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        """Whether its schedule goes on."""
        return self.state == self.State.ACTIVE


class SyncRun(models.Model):
    """One run of a connection's sync: what it did, and why it ended."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    tenant = TenantKey()
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="runs", db_index=False)
    # "pull", "back-fill", "in", "out", …: the system's own words.
    kind = models.TextField()
    state = models.TextField(choices=State.choices, default=State.RUNNING, db_default=State.RUNNING)
    counts = models.JSONField(default=dict, db_default={})
    error = models.TextField(blank=True, default="", db_default="")
    started_by = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, related_name="+", db_index=False)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # What a killed worker left open is taken up by the next run, which is the same row.
            models.UniqueConstraint(
                fields=["tenant", "connection", "kind"],
                condition=Q(state="running"),
                name="one_run_of_a_kind_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["tenant", "connection", "-id"], name="runs_of_connection")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
