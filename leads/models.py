"""Leads: expressions of interest on their way from marketing to sales, and the work of sales on them."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey

if TYPE_CHECKING:
    from contacts.models import Contact


class Stage(models.TextChoices):
    """Where a lead stands. A tenant may rename the stages; their meaning is fixed."""

    INQUIRY = "inquiry", _("Inquiry")
    ENGAGED = "engaged", _("Engaged")
    MQL = "mql", _("Marketing-qualified")
    HANDED_OFF = "handed_off", _("Handed to sales")
    SAL = "sal", _("Sales-accepted")
    SQL = "sql", _("Sales-qualified")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")
    DISQUALIFIED = "disqualified", _("Disqualified")
    RECYCLED = "recycled", _("Recycled")


# Where leads come from; what another source calls itself is shown as it is.
SOURCES = {
    "form": _("Form"),
    "journey": _("Journey"),
    "manual": _("Entered by hand"),
    "call": _("Call"),
    "import": _("Import"),
    "event": _("Event"),
    "linkedin": _("LinkedIn"),
}

# Where leads without a score stand among the others.
UNSCORED = -1_000_000_000

# Nothing more is expected of these; the order of the others is how far a lead has come.
CLOSED_STAGES = (Stage.WON, Stage.LOST, Stage.DISQUALIFIED)


class Lead(models.Model):
    """One expression of interest by a contact or an account; both may be missing until it is matched."""

    tenant = TenantKey()
    topic = models.CharField(_("topic"), max_length=200)
    contact = models.ForeignKey("contacts.Contact", models.SET_NULL, null=True, blank=True, related_name="leads")
    account = models.ForeignKey("contacts.Account", models.SET_NULL, null=True, blank=True, related_name="leads")
    # What was entered, for leads that have no contact (yet).
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    job_title = models.CharField(_("job title"), max_length=150, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    description = models.TextField(_("description"), blank=True)
    source = models.CharField(_("source"), max_length=60, blank=True)
    origin_form_id = models.BigIntegerField(null=True, editable=False)
    origin_page_id = models.BigIntegerField(null=True, editable=False)
    origin_journey_id = models.BigIntegerField(null=True, editable=False)
    # Makes a second lead from the same cause impossible, e.g. `submission:12`, `visit:81`.
    origin_key = models.TextField(null=True, editable=False)
    stage = models.CharField(_("stage"), max_length=20, choices=Stage.choices, default=Stage.INQUIRY, editable=False)
    stage_reason = models.CharField(max_length=300, blank=True, editable=False)
    stage_since = models.DateTimeField(db_default=Now(), editable=False)
    owner = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, blank=True, related_name="+")
    # Kept by scoring, in the tenant's primary model.
    score = models.IntegerField(null=True, editable=False)
    grade = models.CharField(max_length=10, blank=True, editable=False)
    # The score as lists sort by it: a lead without one comes last, and a page's mark is never NULL.
    rank = models.GeneratedField(
        expression=Coalesce("score", UNSCORED), output_field=models.IntegerField(), db_persist=True
    )
    handed_off_at = models.DateTimeField(null=True, editable=False)
    respond_by = models.DateTimeField(null=True, editable=False)
    # When the manager was told that nobody answered in time.
    escalated_at = models.DateTimeField(null=True, editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    # After recycling: becomes MQL again not before this moment, nor below this score.
    recycled_until = models.DateTimeField(null=True, editable=False)
    recycled_score = models.IntegerField(null=True, editable=False)
    # Somebody looked for its contact and left it as it is.
    unmatched_at = models.DateTimeField(null=True, editable=False)
    custom = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "origin_key"], condition=Q(origin_key__isnull=False), name="one_lead_per_origin"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "stage", "-rank", "-id"], name="lead_by_stage"),
            models.Index(fields=["tenant", "-rank", "-id"], name="lead_by_rank"),
            models.Index(fields=["tenant", "owner", "stage", "respond_by"], name="lead_of_owner"),
            models.Index(fields=["tenant", "contact"], name="lead_of_contact"),
            models.Index(fields=["tenant", "account"], name="lead_of_account"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="lead_latest"),
        ]

    def __str__(self) -> str:
        return self.topic

    @property
    def is_open(self) -> bool:
        return self.stage not in CLOSED_STAGES

    @property
    def source_name(self) -> str:
        """Where it came from, in words."""
        return str(SOURCES.get(self.source, self.source)) or "–"

    @property
    def reach(self) -> "Contact | Lead":
        """Whose address and phone number count: the contact's, or what was entered."""
        return self.contact or self

    @property
    def person(self) -> str:
        """Whom it is about: the contact's name, or what was entered."""
        return (
            str(self.contact)
            if self.contact
            else f"{self.first_name} {self.last_name}".strip() or self.email or self.company or self.topic
        )


class StageChange(models.Model):
    """A lead went from one stage to another: why, and by whom or what."""

    tenant = TenantKey()
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="stage_changes")
    from_stage = models.CharField(max_length=20, choices=Stage.choices, blank=True)
    to_stage = models.CharField(max_length=20, choices=Stage.choices)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, related_name="+")
    scoring_model_id = models.BigIntegerField(null=True)
    journey_id = models.BigIntegerField(null=True)
    score = models.IntegerField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["tenant", "to_stage", "at"], name="stage_change_to")]

    def __str__(self) -> str:
        return f"{self.from_stage} → {self.to_stage}"


class Assignment(models.Model):
    """A lead was given to a member: how the member was found, in words."""

    tenant = TenantKey()
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="assignments")
    member = models.ForeignKey("tenants.Member", models.CASCADE, related_name="+")
    method = models.CharField(max_length=20)
    why = models.CharField(max_length=300)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["tenant", "member", "-id"], name="assignment_latest")]

    def __str__(self) -> str:
        return self.why


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
