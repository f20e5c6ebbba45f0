"""Scoring models, what they gave each lead or contact, and why."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey


class ScoringModel(models.Model):
    """A scoring model. Exactly one live model of a tenant is primary: its score is the one shown."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT, editable=False)
    is_primary = models.BooleanField(_("primary"), default=False, editable=False)
    # A draft beside a live model names the model that it will replace.
    replaces = models.ForeignKey("self", models.CASCADE, null=True, editable=False, related_name="drafts")
    threshold = models.IntegerField(_("sales-ready score"), default=50)
    lower_limit = models.IntegerField(
        _("lower limit"), null=True, blank=True, help_text=_("Falling below takes the MQL back, until sales accepted.")
    )
    minimum_consent = models.SmallIntegerField(_("minimum consent"), default=0)
    scored_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(is_primary=True, state="live"), name="one_primary_scoring_model"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ScoringRule(models.Model):
    """A row of a model: a rule and the points for it."""

    class Frequency(models.TextChoices):
        ONCE = "once", _("once, when it holds")
        EACH = "each", _("for each time")
        NONE = "none", _("once, when it did not happen")

    tenant = TenantKey()
    model = models.ForeignKey(ScoringModel, models.CASCADE, related_name="rules")
    position = models.IntegerField(default=0)
    name = models.CharField(_("name"), max_length=200, blank=True)
    rule = models.JSONField(_("rule"))
    points = models.IntegerField(_("points"))
    frequency = models.CharField(_("frequency"), max_length=5, choices=Frequency.choices, default=Frequency.ONCE)
    # For "each time": the most that the row gives (or takes), without sign.
    cap = models.PositiveIntegerField(_("at most (points)"), null=True, blank=True)
    half_life_days = models.PositiveIntegerField(_("half-life (days)"), null=True, blank=True)
    # In a draft beside a live model: the row of the live one that this one was copied from.
    origin = models.ForeignKey("self", models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name


class Grade(models.Model):
    """A named range of scores, from `lower_bound` up to the next grade's."""

    tenant = TenantKey()
    model = models.ForeignKey(ScoringModel, models.CASCADE, related_name="grades")
    name = models.CharField(_("grade"), max_length=10)
    lower_bound = models.IntegerField(
        _("from"), null=True, blank=True, help_text=_("Empty: everything below the others.")
    )

    class Meta:
        ordering = (models.F("lower_bound").desc(nulls_last=True),)
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "lower_bound"], nulls_distinct=False, name="one_grade_per_bound"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Score(models.Model):
    """A lead's (or a contact's, without a lead) score in a model: always the sum of its entries.

    Scores and entries are computed, written in sets and put right by the next computation, so the database does not
    check their references: that would cost a full rescoring more than the rest of its writing, and lock each lead. A
    model's rows change under its lock only, and Django removes scores and entries with what they belong to.
    """

    tenant = TenantKey(db_constraint=False)
    model = models.ForeignKey(ScoringModel, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    lead = models.ForeignKey(
        "leads.Lead", models.CASCADE, null=True, related_name="scores", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(
        "contacts.Contact", models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    score = models.IntegerField(default=0)
    grade = models.CharField(max_length=10, blank=True)
    # What it was before `changed_at`; null at first.
    previous = models.IntegerField(null=True)
    changed_at = models.DateTimeField(db_default=Now())
    # When to compute it again although nothing happens: an event leaves its window, a half-life steps.
    next_change_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "lead", "model"], condition=Q(lead__isnull=False), name="one_lead_score"
            ),
            models.UniqueConstraint(
                fields=["tenant", "contact", "model"], condition=Q(contact__isnull=False), name="one_contact_score"
            ),
            models.CheckConstraint(
                condition=Q(lead__isnull=True, contact__isnull=False) | Q(lead__isnull=False, contact__isnull=True),
                name="score_of_lead_or_contact",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "next_change_at"], name="score_due"),
            models.Index(fields=["tenant", "model", "-score"], name="score_by_model"),
        ]

    def __str__(self) -> str:
        return str(self.score)


class ScoreEntry(models.Model):
    """The ledger: what one rule contributes to a score. Entries of a score add up to it.

    An entry of 0 points says what time alone will bring: "-10 from 12 December, unless she comes back".
    """

    tenant = TenantKey(db_constraint=False)
    model = models.ForeignKey(ScoringModel, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    lead = models.ForeignKey(
        "leads.Lead", models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(
        "contacts.Contact", models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    # Null for points that a journey or a member gave.
    rule = models.ForeignKey(
        ScoringRule, models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    hits = models.IntegerField(default=1)
    points = models.IntegerField()
    last_at = models.DateTimeField(null=True)
    # When these points change by time alone: an event leaves its window, a half-life steps, given points expire.
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    journey_id = models.BigIntegerField(null=True)
    # Makes giving points a second time for the same cause impossible, e.g. `visit:81`.
    origin_key = models.TextField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "origin_key"], condition=Q(origin_key__isnull=False), name="points_given_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "lead", "rule"], condition=Q(lead__isnull=False), name="one_entry_per_lead"
            ),
            models.UniqueConstraint(
                fields=["tenant", "contact", "rule"], condition=Q(contact__isnull=False), name="one_entry_per_contact"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "rule"], name="entries_of_rule")]

    def __str__(self) -> str:
        return f"{self.points:+d}"
