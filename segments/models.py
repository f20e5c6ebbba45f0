"""Segments: named sets of contacts, by rule or by hand."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey


class Segment(models.Model):
    """A set of contacts. A dynamic one follows its rule within seconds; a static one is a list kept by hand."""

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", _("Dynamic (by rule)")
        STATIC = "static", _("Static (by hand)")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    class Pending(models.TextChoices):
        """What is to be done over all contacts, beside following the timeline."""

        NOTHING = "", _("Nothing")
        REFRESH = "refresh", _("Evaluate")
        CHECK = "check", _("Check")

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.DYNAMIC)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    rule = models.JSONField(_("rule"), default=dict, blank=True)
    member_count = models.IntegerField(default=0, editable=False)
    evaluated_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, editable=False)
    pending = models.CharField(max_length=10, choices=Pending.choices, default=Pending.NOTHING, editable=False)
    # The nightly check evaluates everybody: how many memberships it had to correct.
    checked_at = models.DateTimeField(null=True, editable=False)
    drift = models.IntegerField(default=0, editable=False)
    created_by = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="one_segment_per_name",
                violation_error_message=_("Another segment already has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """A contact is in a segment since a moment."""

    tenant = TenantKey()
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="memberships", db_index=False)
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="+", db_index=False)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "segment", "contact"], name="in_a_segment_once")]
        indexes = [
            models.Index(fields=["tenant", "contact"], name="segments_of_contact"),
            models.Index(fields=["tenant", "segment", "-since", "-id"], name="segment_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.segment_id}"


class SegmentClock(models.Model):
    """When a contact must be tested again although nothing happens: a window of the rule runs out."""

    tenant = TenantKey()
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="+", db_index=False)
    next_change_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "segment", "contact"], name="one_segment_clock")]
        indexes = [models.Index(fields=["tenant", "next_change_at"], name="segment_clock_due")]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.segment_id} at {self.next_change_at}"
