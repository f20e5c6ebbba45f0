"""What people agreed to: purposes, and the ledger that proves it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey


class ConsentLevel(models.IntegerChoices):
    """How far a contact agreed, each level including those below it."""

    NONE = 0, _("None")
    CONTACT = 1, _("May be asked")
    TRANSACTIONAL = 2, _("Transactional")
    SUBSCRIPTIONS = 3, _("Subscriptions")
    MARKETING = 4, _("Marketing")
    PROFILING = 5, _("Profiling")


class Purpose(models.Model):
    """What a tenant asks consent for, e.g. a newsletter."""

    tenant = TenantKey()
    key = models.SlugField(_("key"), max_length=40, db_index=False)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), blank=True)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="one_purpose_per_key"),
            models.UniqueConstraint(fields=["tenant"], condition=Q(is_default=True), name="one_default_purpose"),
        ]

    def __str__(self) -> str:
        return self.name


class Consent(models.Model):
    """One statement of a contact about a purpose on a channel. Append-only; the latest one holds."""

    class State(models.TextChoices):
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        SMS = "sms", _("SMS")

    # The composite reference to the contact says that the tenant exists.
    tenant = TenantKey(db_constraint=False)
    # Found by consent_latest. Of a purpose the ledger is asked only when it is deleted: an index by it would be as long
    # as the ledger and have a handful of different entries.
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="consents", db_index=False)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    # The address it was given for: a refusal holds for the address, on every contact that has it.
    address = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=10, choices=State.choices)
    level = models.SmallIntegerField(choices=ConsentLevel.choices, default=ConsentLevel.MARKETING)
    basis = models.CharField(_("legal basis"), max_length=60, blank=True)
    source = models.CharField(_("source"), max_length=100, blank=True)
    text_shown = models.TextField(_("text shown"), blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "contact", "purpose", "channel", "-id"], name="consent_latest"),
            models.Index(fields=["tenant", "address", "purpose"], name="consent_of_address"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.purpose_id}"
