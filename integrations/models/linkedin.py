"""LinkedIn Lead Gen: ad accounts, campaigns, forms with their versions, and what people submitted.

Everything belongs to a connection of the system "linkedin". What comes by the API, by its notifications, from a file of
Campaign Manager or by the signed inbound address ends in the same rows and is processed in the same way.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey
from tenants.secrets import EncryptedText


class AdAccount(models.Model):
    """An ad account at LinkedIn that the connection may see. Only the chosen ones are read.

    The first pass reads a year in windows; `read_until` is the end of the last window that was read and committed.
    Afterwards each run begins an overlap before `newest_at`, the latest submission there is: the data say where to go
    on, no clock of ours.
    """

    tenant = TenantKey()
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="ad_accounts")
    external_id = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=200, blank=True)
    # LinkedIn's own test account: what is submitted there is kept apart as test leads are.
    is_test = models.BooleanField(default=False)
    is_chosen = models.BooleanField(_("read"), default=False)
    is_backfilled = models.BooleanField(default=False, editable=False)
    newest_at = models.DateTimeField(null=True, editable=False)
    # When the last days were read once more, for what LinkedIn had not shown before.
    reread_at = models.DateTimeField(null=True, editable=False)
    read_until = models.DateTimeField(null=True, editable=False)
    # The id of the subscription by which LinkedIn tells of new leads at once; empty without one.
    subscription_id = models.CharField(max_length=60, blank=True, editable=False)
    # Why it cannot be read now, in words; empty when it can.
    problem = models.CharField(max_length=300, blank=True, editable=False)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection", "external_id"], name="one_ad_account_each")
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class AdCampaign(models.Model):
    """A campaign of an ad account, as journeys and charts name it."""

    tenant = TenantKey()
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="ad_campaigns")
    account = models.ForeignKey(AdAccount, models.CASCADE, null=True, related_name="campaigns")
    external_id = models.CharField(max_length=100)
    name = models.CharField(_("name"), max_length=200, blank=True)
    # LinkedIn's word: ACTIVE, PAUSED, COMPLETED …; empty for one that only a file or a submission has named.
    status = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection", "external_id"], name="one_ad_campaign_each")
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class LeadForm(models.Model):
    """A lead gen form. One that only a file or the inbound address knows has an `external_id` of `name:…`."""

    tenant = TenantKey()
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="lead_forms")
    account = models.ForeignKey(AdAccount, models.CASCADE, null=True, related_name="forms")
    external_id = models.CharField(max_length=200)
    name = models.CharField(_("name"), max_length=300, blank=True)
    # LinkedIn's word: DRAFT, PUBLISHED, ARCHIVED; empty if it is not LinkedIn's.
    state = models.CharField(max_length=40, blank=True)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection", "external_id"], name="one_lead_form_each")
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class LeadFormVersion(models.Model):
    """A form as it was when people submitted it: an edit at LinkedIn makes another version, old leads refer to the old.

    `questions`: [{"id": "307234246", "key": "EMAIL", "name": "Email address", "label": "Correo electrónico",
    "options": {"0": "Rojo"}}, …]. `key` is what mappings name: LinkedIn's predefined field, or `question:{id}` of a
    question of the form's own. `consents`: [{"id": "0", "text": "…", "is_required": true}, …]. `hidden_fields`:
    {"utm_source": "spring"}. Version 0 is that of forms without versions (files, inbound): a question per column.
    """

    tenant = TenantKey()
    form = models.ForeignKey(LeadForm, models.CASCADE, related_name="versions", db_index=False)
    number = models.IntegerField()
    questions = models.JSONField(default=list)
    consents = models.JSONField(default=list)
    hidden_fields = models.JSONField(default=dict)
    # The disclaimer and the privacy policy that were shown beside the consents.
    disclaimer = models.TextField(blank=True)
    privacy_url = models.CharField(max_length=2000, blank=True)
    # Why LinkedIn does not show it any more, in words; then answers have no labels.
    problem = models.CharField(max_length=300, blank=True)
    read_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "form", "number"], name="one_lead_form_version_each")]

    def __str__(self) -> str:
        return f"{self.form_id}/{self.number}"


class LeadFormMapping(models.Model):
    """Where a form's answers go, and what becomes of its submissions; the row without a form is the default.

    A form with a row of its own uses that row alone. `targets`: {question's key or `hidden:{name}`: target's key}, see
    `contacts.targets`; what is not in it stays readable on the submission. `consents`: {consent's id:
    {"purpose": id, "level": 4}}; the default's key is "*", for any consent of any form.
    """

    class Leads(models.TextChoices):
        NEW = "new", _("Always make a lead")
        MATCH = "match", _("Use an open lead that matches")

    class Update(models.TextChoices):
        """What happens to values that are known already."""

        OVERWRITE = "overwrite", _("The answers replace them")
        FILL = "fill", _("Only what is empty is filled in")
        LEAVE = "leave", _("Nothing is changed")

    tenant = TenantKey()
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="lead_form_mappings")
    form = models.ForeignKey(LeadForm, models.CASCADE, null=True, related_name="mappings", db_index=False)
    targets = models.JSONField(default=dict)
    consents = models.JSONField(default=dict)
    # One of `leads.importing.options.MatchBy`: what a submission and a contact have in common.
    contact_by = models.CharField(_("match contacts by"), max_length=20, default="email")
    creates_contacts = models.BooleanField(_("make contacts of strangers"), default=True)
    leads = models.CharField(_("leads"), max_length=10, choices=Leads.choices, default=Leads.NEW)
    # Columns of a lead that must all be equal, of `integrations.linkedin.matching.LEAD_FIELDS`.
    lead_by = ArrayField(models.TextField(), verbose_name=_("match leads by"), default=list, blank=True)
    update = models.CharField(_("known values"), max_length=10, choices=Update.choices, default=Update.OVERWRITE)
    # Of two answers that go to one field: the work address and number before the private ones.
    prefers_work = models.BooleanField(_("prefer work address and phone"), default=False)
    # The topic of the leads; empty: the form's name.
    topic = models.CharField(_("topic of the leads"), max_length=200, blank=True)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection"], condition=Q(form=None), name="one_default_lead_form_mapping"
            ),
            models.UniqueConstraint(fields=["tenant", "form"], name="one_mapping_per_lead_form"),
        ]

    def __str__(self) -> str:
        return f"mapping of {self.form_id or 'all forms'}"


class LeadSubmission(models.Model):
    """What somebody sent by a form: her answers as they came, and what became of them, with the reason.

    `external_id` is LinkedIn's (`uuid-N`), or made of the file's row or the inbound message: it is stored once,
    whichever way and however often it comes. `answers`: [{"question": "307234246", "text": "ann@firma.example"},
    {"question": "707234246", "options": ["0"]}, …] in the order in which they came; `name` is there when LinkedIn gives
    one. The version's `questions` have keys and labels; `integrations.linkedin.answers` puts them together.
    `consents`: [{"id": "0", "accepted": true}]. `faults`: what was odd about it, in words.
    """

    class State(models.TextChoices):
        ANNOUNCED = "announced", _("Announced; not read yet")
        RECEIVED = "received", _("Waits to be processed")
        LEAD_CREATED = "lead_created", _("New lead created")
        LEAD_UPDATED = "lead_updated", _("Existing lead updated")
        LEAD_MATCHED = "lead_matched", _("Existing lead matched, nothing new")
        HELD = "held", _("Waits for its form")
        FAILED = "failed", _("Failed")
        TEST = "test", _("Test lead, kept apart")
        WITHDRAWN = "withdrawn", _("Withdrawn at LinkedIn")
        ERASED = "erased", _("Erased")

    class Channel(models.TextChoices):
        API = "api", _("LinkedIn")
        PUSH = "push", _("LinkedIn, at once")
        FILE = "file", _("File")
        INBOUND = "inbound", _("Inbound webhook")

    # The connection says that there is one.
    tenant = TenantKey(db_constraint=False)
    connection = models.ForeignKey(
        "integrations.Connection", models.CASCADE, related_name="submissions", db_index=False
    )
    external_id = models.CharField(max_length=200)
    # Only the connection is checked by the database: seven more references per row would take longer than writing it.
    # These four belong to the connection and go only with it.
    account = models.ForeignKey(
        AdAccount, models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    campaign = models.ForeignKey(
        AdCampaign, models.SET_NULL, null=True, related_name="submissions", db_index=False, db_constraint=False
    )
    form = models.ForeignKey(
        LeadForm, models.SET_NULL, null=True, related_name="submissions", db_index=False, db_constraint=False
    )
    version = models.ForeignKey(
        LeadFormVersion, models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    channel = models.CharField(max_length=10, choices=Channel.choices)
    is_test = models.BooleanField(default=False)
    submitted_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    # LinkedIn's opaque name of the member: the same member again has the same, and nothing can be looked up by it.
    submitter = models.CharField(max_length=100, blank=True)
    answers = models.JSONField(default=list)
    hidden_fields = models.JSONField(default=dict)
    consents = models.JSONField(default=list)
    faults = models.JSONField(default=list)
    # A digest of what came: the same again changes nothing.
    digest = models.CharField(max_length=32, blank=True)

    state = models.CharField(max_length=20, choices=State.choices, default=State.RECEIVED)
    # Why, in words.
    reason = models.CharField(max_length=300, blank=True)
    # What of the answers could not go where the mapping sends it, in words.
    left_out = models.JSONField(default=list, db_default=[])
    processed_at = models.DateTimeField(null=True)
    # What it came to, written by the transaction that has found or made it; one that leads nowhere shows nothing.
    contact = models.ForeignKey(
        "contacts.Contact", models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    is_contact_new = models.BooleanField(default=False)
    company = models.ForeignKey(
        "contacts.Account", models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    lead = models.ForeignKey(
        "leads.Lead", models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    # Other contacts that would have answered too.
    other_contacts = ArrayField(models.BigIntegerField(), default=list)
    # Of an announced one: how often it was asked for, and when next.
    attempt_count = models.IntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection", "external_id"], name="one_submission_each")
        ]
        indexes = [
            models.Index(fields=["tenant", "-submitted_at", "-id"], name="lead_submission_latest"),
            models.Index(fields=["tenant", "form", "-submitted_at", "-id"], name="lead_submission_of_form"),
            models.Index(fields=["tenant", "campaign", "-submitted_at", "-id"], name="lead_submission_of_campaign"),
            models.Index(fields=["tenant", "state", "-submitted_at", "-id"], name="lead_submission_by_state"),
            models.Index(
                fields=["tenant", "contact"], condition=Q(contact__isnull=False), name="lead_submission_of_contact"
            ),
            models.Index(fields=["tenant", "lead"], condition=Q(lead__isnull=False), name="lead_submission_of_lead"),
            models.Index(
                fields=["tenant", "connection", "submitted_at", "id"],
                condition=Q(state="received"),
                name="lead_submission_to_process",
            ),
            models.Index(
                fields=["tenant", "connection", "next_attempt_at"],
                condition=Q(state="announced"),
                name="lead_submission_to_fetch",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def is_settled(self) -> bool:
        """Whether nothing about the person may come back: she has withdrawn it, or was erased."""
        return self.state in (self.State.WITHDRAWN, self.State.ERASED)


class LeadCount(models.Model):
    """How many leads LinkedIn says that a campaign had on these days (UTC, both included), when it was last asked.

    The gap report (`integrations.linkedin.gaps`) holds it against what has come here.
    """

    tenant = TenantKey()
    campaign = models.ForeignKey(AdCampaign, models.CASCADE, related_name="+", db_index=False)
    first_on = models.DateField()
    last_on = models.DateField()
    count = models.IntegerField()
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "campaign"], name="one_lead_count_per_campaign")]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.count}"


class LeadInbox(models.Model):
    """The address by which other systems send submissions in, signed: the way without LinkedIn's approval.

    The address carries a signed token of the tenant and the connection; messages are signed by Standard Webhooks.
    """

    tenant = TenantKey()
    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+", db_index=False)
    secret = EncryptedText()
    # The one before, which still counts as well until then.
    previous_secret = EncryptedText(null=True)
    previous_until = models.DateTimeField(null=True, editable=False)
    last_received_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection"], name="one_lead_inbox_per_connection")]

    def __str__(self) -> str:
        return f"inbox of {self.connection_id}"
