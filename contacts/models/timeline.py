"""The timeline's tables. `contacts.timeline` is the only way in."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import CurrentXid, PartitionKey, TenantKey, Xid8


class Lane(models.TextChoices):
    """Live rows are read first; bulk ones (imports, back-fill, sample data) by time budget."""

    LIVE = "live", _("Live")
    BULK = "bulk", _("Bulk")


class Interaction(models.Model):
    """One thing that somebody did or that happened: append-only, partitioned by month of `recorded_at`.

    People and objects are plain ids: nothing references this table, and it references nothing, so that a set of
    a million rows is written at the speed of one INSERT. Row-level security keeps the ids within the tenant.
    """

    tenant = TenantKey(db_constraint=False)
    contact_id = models.BigIntegerField(null=True)
    # Whose it was when it happened; never changes, so that a merge can be undone.
    as_contact_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    lead_id = models.BigIntegerField(null=True)
    visitor_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    kind = models.TextField()
    object_id = models.BigIntegerField(null=True)
    link_id = models.BigIntegerField(null=True)
    journey_id = models.BigIntegerField(null=True)
    tile = models.TextField(db_default="")
    message_id = models.BigIntegerField(null=True)
    cause_id = models.BigIntegerField(null=True)
    depth = models.SmallIntegerField(db_default=0)
    lane = models.TextField(choices=Lane.choices, db_default=Lane.LIVE)
    occurred_at = models.DateTimeField(db_default=Now())
    recorded_at = PartitionKey(db_default=Now())
    recorded_xid = Xid8(db_default=CurrentXid())
    detail = models.JSONField(default=dict, db_default={})

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "recorded_xid", "id"], name="interaction_unread"),
            models.Index(fields=["tenant", "contact_id", "-occurred_at"], name="interaction_of_contact"),
            models.Index(fields=["tenant", "kind", "occurred_at"], name="interaction_of_kind"),
            models.Index(
                fields=["tenant", "lead_id", "-occurred_at"],
                name="interaction_of_lead",
                condition=Q(lead_id__isnull=False),
            ),
            models.Index(
                fields=["tenant", "account_id", "-occurred_at"],
                name="interaction_of_account",
                condition=Q(account_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class ReaderCursor(models.Model):
    """How far a reader of the timeline has come in a lane."""

    tenant = TenantKey()
    reader = models.CharField(max_length=40)
    lane = models.CharField(max_length=4, choices=Lane.choices)
    xid = Xid8()
    last_id = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "reader", "lane"], name="one_cursor_per_lane")]

    def __str__(self) -> str:
        return f"{self.reader}/{self.lane}"


class Received(models.Model):
    """A fact from outside, claimed (`contacts.received`) before it is recorded: delivered twice, it counts once."""

    tenant = TenantKey()
    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "source", "external_id"], name="received_once")]
        indexes = [models.Index(fields=["tenant", "at"], name="received_to_prune")]

    def __str__(self) -> str:
        return f"{self.source}: {self.external_id}"
