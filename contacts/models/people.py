"""Contacts and accounts: one record shared by marketing and sales."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey

# Where contacts without a score stand among the others.
UNSCORED = -1_000_000_000


class Account(models.Model):
    """A company."""

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    name_key = models.CharField(
        max_length=200, editable=False, help_text=_("Name without case, accents and legal form: what is compared.")
    )
    domain = models.CharField(_("web domain"), max_length=253, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    industry = models.CharField(_("industry"), max_length=100, blank=True)
    employees = models.IntegerField(_("employees"), null=True, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    owner = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, blank=True, related_name="+")
    custom = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "name_key", "id"], name="account_by_name"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="account_latest"),
            models.Index(fields=["tenant", "domain"], name="account_by_domain"),
        ]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person. Reachable by any of e-mail, phone, LinkedIn or an external id; none is required."""

    tenant = TenantKey()
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    sort_key = models.CharField(max_length=254, editable=False, blank=True)
    job_title = models.CharField(_("job title"), max_length=150, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    linkedin_url = models.URLField(_("LinkedIn profile"), max_length=300, blank=True)
    external_id = models.CharField(_("external id"), max_length=100, blank=True)
    account = models.ForeignKey(
        Account, models.SET_NULL, null=True, blank=True, related_name="contacts", db_index=False
    )
    owner = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.CharField(_("source"), max_length=60, blank=True)
    # Derived from the consent ledger by contacts.consent; see ConsentLevel.
    consent_level = models.SmallIntegerField(_("consent level"), default=0, editable=False)
    do_not_email = models.BooleanField(_("do not e-mail"), default=False)
    do_not_bulk_email = models.BooleanField(_("do not send bulk e-mail"), default=False)
    do_not_phone = models.BooleanField(_("do not phone"), default=False)
    do_not_track = models.BooleanField(_("do not track"), default=False)
    custom = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    # Erased 30 days later, unless somebody takes it back.
    deactivated_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=Q(is_active=True) & ~Q(email=""),
                name="one_active_contact_per_email",
                violation_error_message=_("Another contact already has this e-mail address."),
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "email"], name="contact_by_email"),
            models.Index(fields=["tenant", "sort_key", "id"], name="contact_by_name"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="contact_latest"),
            models.Index(fields=["tenant", "account"], name="contact_of_account", condition=Q(account__isnull=False)),
            models.Index(fields=["tenant", "phone"], name="contact_by_phone", condition=~Q(phone="")),
            models.Index(fields=["tenant", "external_id"], name="contact_by_external_id", condition=~Q(external_id="")),
            models.Index(fields=["tenant", "linkedin_url"], name="contact_by_linkedin", condition=~Q(linkedin_url="")),
            models.Index(
                fields=["tenant", "deactivated_at"], name="contact_to_erase", condition=Q(deactivated_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email or self.phone or f"#{self.pk}"


class ContactFacts(models.Model):
    """What lists show about a contact; written in sets by a reader, so that no list counts the timeline."""

    # The composite reference to the contact says that the tenant exists.
    tenant = TenantKey(db_constraint=False)
    contact = models.OneToOneField(Contact, models.CASCADE, primary_key=True, related_name="facts")
    score = models.IntegerField(null=True)
    # The score as lists sort by it: a contact without one comes last, and a page's mark is never NULL.
    rank = models.GeneratedField(
        expression=Coalesce("score", UNSCORED), output_field=models.IntegerField(), db_persist=True
    )
    grade = models.CharField(max_length=10, blank=True)
    stage = models.CharField(max_length=20, blank=True)
    last_activity_at = models.DateTimeField(null=True)
    last_activity_kind = models.CharField(max_length=60, blank=True)
    # What she did herself per week, oldest first, the last one being the week that begins on `weeks_until`.
    weeks = ArrayField(models.IntegerField(), default=list)
    weeks_until = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-rank", "-contact"], name="facts_by_rank"),
            models.Index(fields=["tenant", "stage", "-rank", "-contact"], name="facts_by_stage"),
        ]

    def __str__(self) -> str:
        return f"facts of {self.contact_id}"


class Role(models.Model):
    """A contact's part in an account's buying decisions."""

    class Kind(models.TextChoices):
        DECISION_MAKER = "decision_maker", _("Decision-maker")
        INFLUENCER = "influencer", _("Influencer")
        CHAMPION = "champion", _("Champion")
        USER = "user", _("User")
        BLOCKER = "blocker", _("Blocker")

    tenant = TenantKey()
    account = models.ForeignKey(Account, models.CASCADE, related_name="roles")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="roles")
    kind = models.CharField(_("role"), max_length=20, choices=Kind.choices)
    source = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "account", "contact", "kind"], name="one_role_each")]

    def __str__(self) -> str:
        return self.get_kind_display()
