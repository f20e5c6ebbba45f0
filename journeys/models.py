"""Journeys: their versions, the people in them, and the trace they leave."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import PartitionKey, TenantKey


class Journey(models.Model):
    """A journey. People travel on its live version; a draft may stand beside it."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")
        ARCHIVED = "archived", _("Archived")

    class Reentry(models.TextChoices):
        NEVER = "never", _("Never: once per contact")
        AFTER_LEAVING = "after_leaving", _("Again after leaving")
        AFTER_DAYS = "after_days", _("Again after a number of days")
        EACH_TIME = "each_time", _("Each time, also in parallel")

    class AtEnd(models.TextChoices):
        FINISH = "finish", _("Stop entries, let participants finish")
        STOP = "stop", _("Stop everybody")

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT, editable=False)
    reentry = models.CharField(_("re-entry"), max_length=15, choices=Reentry.choices, default=Reentry.NEVER)
    reentry_days = models.IntegerField(_("days until re-entry"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    at_end = models.CharField(_("at the end"), max_length=10, choices=AtEnd.choices, default=AtEnd.FINISH)
    minimum_consent = models.SmallIntegerField(_("minimum consent"), default=0)
    exclusion_segment = models.ForeignKey("segments.Segment", models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, related_name="+")
    paused_at = models.DateTimeField(null=True, editable=False)
    # The audience is being enrolled in the order of ids, up to this contact; null: nothing is left to enrol.
    enrolled_to = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="one_journey_per_name",
                violation_error_message=_("Another journey already has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class JourneyVersion(models.Model):
    """One shape of a journey. A live version never changes.

    `tiles` is the tree: {"root": key, "tiles": {key: {"kind", "name", "settings", "next": {branch: key}}}}; tile
    keys are stable across versions, so that participants can be mapped.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        RETIRED = "retired", _("Retired")

    tenant = TenantKey()
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="versions")
    number = models.IntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    tiles = models.JSONField(default=dict)
    revision = models.IntegerField(default=0)
    went_live_at = models.DateTimeField(null=True)
    went_live_by = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "journey", "number"], name="one_journey_version_per_number"),
            models.UniqueConstraint(
                fields=["tenant", "journey"], condition=Q(state="live"), name="one_live_journey_version"
            ),
            models.UniqueConstraint(
                fields=["tenant", "journey"], condition=Q(state="draft"), name="one_draft_journey_version"
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class Participant(models.Model):
    """One contact's run through a journey.

    `entry` says which run: `once`, the re-entry's number, or the triggering interaction's id; the pair makes a second
    participation by the same cause impossible. All participations of a contact are found by that key.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("Under way")
        DONE = "done", _("Reached the end")
        STOPPED = "stopped", _("Stopped")
        EXITED = "exited", _("Left")

    # The composite reference to the journey says that the tenant exists.
    tenant = TenantKey(db_constraint=False)
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="participants", db_index=False)
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="+", db_index=False)
    entry = models.TextField(default="once", db_default="once")
    is_parallel = models.BooleanField(default=False, db_default=False)
    state = models.TextField(choices=State.choices, default=State.ACTIVE, db_default=State.ACTIVE)
    reason = models.TextField(default="", db_default="")
    tile = models.TextField()
    lead_id = models.BigIntegerField(null=True)
    cause_id = models.BigIntegerField(null=True)
    depth = models.SmallIntegerField(default=0, db_default=0)
    entered_at = models.DateTimeField(db_default=Now())
    arrived_at = models.DateTimeField(db_default=Now())
    # When it must have moved on by itself (a wait's end, a branch's time-out); null until the tile has said.
    deadline_at = models.DateTimeField(null=True)
    # Where the timeline stood when the deadline was found to be over: it counts once this lies below the horizon.
    deadline_xid = models.BigIntegerField(null=True)
    # When the engine looks at it next; null once it has left.
    due_at = models.DateTimeField(null=True, db_default=Now())
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "contact", "journey", "entry"], name="one_participation_per_entry"
            ),
            models.UniqueConstraint(
                fields=["tenant", "journey", "contact"],
                condition=Q(state="active", is_parallel=False),
                name="one_active_participation",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "journey", "due_at"], condition=Q(state="active"), name="participant_due"),
            models.Index(fields=["tenant", "journey", "tile", "state"], name="participant_at_tile"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.journey_id}"


class Visit(models.Model):
    """The trace: a participant was at a tile, and which way it went. Append-only, partitioned by month of `at`."""

    tenant = TenantKey(db_constraint=False)
    journey_id = models.BigIntegerField()
    version = models.IntegerField(default=1, db_default=1)
    participant_id = models.BigIntegerField()
    # Null once the person is erased.
    contact_id = models.BigIntegerField(null=True)
    tile = models.TextField()
    outcome = models.TextField(default="", db_default="")
    # Why: the deciding interaction, the reason, or who moved it on by hand.
    cause_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict, db_default={})
    arrived_at = models.DateTimeField(db_default=Now())
    at = PartitionKey(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["tenant", "participant_id", "at"], name="visit_of_participant")]

    def __str__(self) -> str:
        return f"{self.participant_id} at {self.tile}"


class TileFigure(models.Model):
    """How many took an outcome of a tile, per batch; folded by a job. Canvases add these up."""

    tenant = TenantKey()
    journey = models.ForeignKey(Journey, models.CASCADE, related_name="+", db_index=False)
    tile = models.TextField()
    # `in` on arrival, else the outcome by which people left.
    # A branch, `in` on arrival, or `stopped`.
    outcome = models.TextField()
    hour = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "journey", "tile"], name="figure_of_tile")]

    def __str__(self) -> str:
        return f"{self.tile} {self.outcome}: {self.count}"
