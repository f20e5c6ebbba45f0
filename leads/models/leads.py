"""Leads, the history of their stages, and who was given them."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from leads import stage_names
from leads.models.stages import CLOSED_STAGES, SOURCES, Stage
from tenants.fields import TenantKey

if TYPE_CHECKING:
    from contacts.models import Contact

# Where leads without a score stand among the others.
UNSCORED = -1_000_000_000


class Lead(models.Model):
    """One expression of interest by a contact or an account; both may be missing until it is matched."""

    tenant = TenantKey()
    topic = models.CharField(_("topic"), max_length=200)
    contact = models.ForeignKey(
        "contacts.Contact", models.SET_NULL, null=True, blank=True, related_name="leads", db_index=False
    )
    account = models.ForeignKey(
        "contacts.Account", models.SET_NULL, null=True, blank=True, related_name="leads", db_index=False
    )
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
    owner = models.ForeignKey(
        "tenants.Member", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
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
            # Leads that have no contact are known by what was entered.
            models.Index(
                fields=["tenant", "email"], name="lead_by_email", condition=Q(contact__isnull=True) & ~Q(email="")
            ),
            models.Index(fields=["tenant", "-created_at", "-id"], name="lead_latest"),
        ]

    def __str__(self) -> str:
        return self.topic

    @property
    def stage_name(self) -> str:
        """The stage by the company's own name."""
        return stage_names.name_of(self.stage)

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

    # The lead says that there is one.
    tenant = TenantKey(db_constraint=False)
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

    @property
    def to_stage_name(self) -> str:
        """The stage by the company's own name."""
        return stage_names.name_of(self.to_stage)


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
