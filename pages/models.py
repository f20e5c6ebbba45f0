"""Marketing pages, their forms, and what people submit."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey
from tenants.models import random_token


class Form(models.Model):
    """A form that a marketing page carries."""

    class Consent(models.TextChoices):
        NONE = "none", _("Does not ask")
        OPTIONAL = "optional", _("Asks, may be left open")
        REQUIRED = "required", _("Asks, and requires it")

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    # Rows of {"key", "label", "type", "is_required", "options"}; the key names a field of contact, account or lead.
    fields = models.JSONField(_("fields"), default=list)
    consent = models.CharField(_("consent"), max_length=10, choices=Consent.choices, default=Consent.OPTIONAL)
    purpose = models.ForeignKey("contacts.Purpose", models.PROTECT, null=True, blank=True, related_name="+")
    consent_text = models.TextField(_("consent text"), blank=True)
    has_double_opt_in = models.BooleanField(_("double opt-in"), default=False)
    makes_lead = models.BooleanField(_("makes a lead"), default=True)
    lead_topic = models.CharField(_("topic of the lead"), max_length=200, blank=True)
    submit_label = models.CharField(_("button"), max_length=60, default="Send")
    success_text = models.TextField(_("after sending"), blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="one_form_per_name",
                violation_error_message=_("Another form already has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Page(models.Model):
    """A public page. Visitors see `live_content`; marketers edit `content`."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        ARCHIVED = "archived", _("Archived")

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("address part"), max_length=80, db_index=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    # {"title", "lead", "blocks": [{"type", …}]}
    content = models.JSONField(default=dict, blank=True)
    live_content = models.JSONField(default=dict, blank=True, editable=False)
    form = models.ForeignKey(Form, models.PROTECT, null=True, blank=True, related_name="pages")
    went_live_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "slug"],
                name="one_page_per_address",
                violation_error_message=_("Another page already has this address."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Visitor(models.Model):
    """A browser that agreed to be recognised, known by a random first-party id."""

    tenant = TenantKey()
    key = models.CharField(max_length=40, default=random_token)
    contact = models.ForeignKey("contacts.Contact", models.SET_NULL, null=True, related_name="+")
    first_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="one_visitor_per_key")]

    def __str__(self) -> str:
        return self.key


class Submission(models.Model):
    """What somebody sent by a form, as it was entered, and what became of it."""

    class State(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("Waits for confirmation")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Never confirmed")

    tenant = TenantKey()
    form = models.ForeignKey(Form, models.CASCADE, related_name="submissions")
    page = models.ForeignKey(Page, models.SET_NULL, null=True, related_name="submissions")
    # Made with the form and sent along: the same form sent twice is one submission.
    token = models.CharField(max_length=80)
    values = models.JSONField(default=dict)
    unknown_values = models.JSONField(default=dict)
    has_consent = models.BooleanField(default=False)
    text_shown = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DONE)
    error = models.TextField(blank=True)
    contact = models.ForeignKey("contacts.Contact", models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "form", "token"], condition=~Q(token=""), name="submitted_once")
        ]
        indexes = [models.Index(fields=["tenant", "form", "-id"], name="submission_latest")]

    def __str__(self) -> str:
        return f"submission {self.pk}"
