"""E-mails, the outbox they leave by, and what comes back."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey
from tenants.secrets import EncryptedText


class ContentSettings(models.Model):
    """Sender and legal details that e-mails carry; read when a message is sent."""

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=100)
    is_default = models.BooleanField(_("default"), default=False)
    from_name = models.CharField(_("sender's name"), max_length=100)
    from_email = models.EmailField(_("sender's address"))
    reply_to = models.EmailField(_("reply to"), blank=True)
    postal_address = models.TextField(_("postal address"), help_text=_("Required in every commercial e-mail."))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(is_default=True), name="one_default_content_settings"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Email(models.Model):
    """An e-mail that marketers write. What is sent is its live version."""

    class Designation(models.TextChoices):
        COMMERCIAL = "commercial", _("Commercial")
        TRANSACTIONAL = "transactional", _("Transactional")

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=200)
    designation = models.CharField(
        _("legal designation"), max_length=15, choices=Designation.choices, default=Designation.COMMERCIAL
    )
    purpose = models.ForeignKey("contacts.Purpose", models.PROTECT, null=True, blank=True, related_name="+")
    content_settings = models.ForeignKey(ContentSettings, models.PROTECT, null=True, blank=True, related_name="+")
    is_archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="one_email_per_name",
                violation_error_message=_("Another e-mail already has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class EmailVersion(models.Model):
    """One version of an e-mail. A live version never changes; a draft may stand beside it."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("Live")
        RETIRED = "retired", _("Retired")

    tenant = TenantKey()
    email = models.ForeignKey(Email, models.CASCADE, related_name="versions")
    number = models.IntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    preheader = models.CharField(_("preheader"), max_length=300, blank=True)
    blocks = models.JSONField(default=list, blank=True)
    html = models.TextField(blank=True, editable=False)
    text = models.TextField(blank=True, editable=False)
    # Where this version's links lead, by key; a live version's never change.
    links = models.JSONField(default=dict, editable=False)
    went_live_at = models.DateTimeField(null=True, editable=False)
    went_live_by = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "email", "number"], name="one_email_version_per_number"),
            models.UniqueConstraint(
                fields=["tenant", "email"], condition=Q(state="live"), name="one_live_email_version"
            ),
            models.UniqueConstraint(
                fields=["tenant", "email"], condition=Q(state="draft"), name="one_draft_email_version"
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class Link(models.Model):
    """A link of an e-mail, the same across its versions: what branches and figures name."""

    tenant = TenantKey()
    email = models.ForeignKey(Email, models.CASCADE, related_name="links")
    key = models.SlugField(max_length=60, db_index=False)
    label = models.CharField(_("label"), max_length=200)
    url = models.URLField(_("address"), max_length=2000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "email", "key"], name="one_link_per_key")]

    def __str__(self) -> str:
        return self.label


class Message(models.Model):
    """The outbox: a message is a row in the transaction of the step that ordered it, under a key that makes a
    second one impossible.

    The database does not check its references: a check per row would cost as much as the rest of the step, and lock the
    contact. Ids come from rows that row-level security has shown; a contact that is gone by the time of sending gets no
    mail, e-mails are never deleted, and a tenant's messages go with it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        BLOCKED = "blocked", _("Blocked")
        UNCERTAIN = "uncertain", _("Uncertain")
        CANCELLED = "cancelled", _("Cancelled")
        HELD = "held", _("Held")

    class Priority(models.IntegerChoices):
        ACCOUNT = 0, _("Account mail")
        TRANSACTIONAL = 1, _("Transactional")
        TRIGGERED = 2, _("Triggered")
        BULK = 3, _("Bulk")

    tenant = TenantKey(db_constraint=False)
    # Made by whoever orders it, e.g. `visit:81`, `test:5f…`; also the Message-ID.
    key = models.TextField()
    priority = models.SmallIntegerField(
        choices=Priority.choices, default=Priority.TRIGGERED, db_default=Priority.TRIGGERED
    )
    contact = models.ForeignKey(
        "contacts.Contact", models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    address = models.CharField(max_length=254)
    email = models.ForeignKey(Email, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)
    # The version that was sent; the latest live one is chosen when the message is claimed.
    version_id = models.BigIntegerField(null=True)
    journey_id = models.BigIntegerField(null=True)
    tile = models.TextField(default="", db_default="")
    participant_id = models.BigIntegerField(null=True)
    # Of a notice (no e-mail of a marketer): subject, text, button, reply_to. Of a test: subject_prefix, as_contact.
    content = models.JSONField(default=dict, db_default={})
    state = models.TextField(choices=State.choices, default=State.QUEUED, db_default=State.QUEUED)
    reason = models.TextField(default="", db_default="")
    attempts = models.SmallIntegerField(default=0, db_default=0)
    queued_at = models.DateTimeField(db_default=Now())
    next_attempt_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    lease_id = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The first time that a person (or somebody unknown, but no machine) opened, clicked, unsubscribed.
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="one_message_per_key")]
        indexes = [
            models.Index(
                fields=["tenant", "priority", "next_attempt_at", "id"],
                condition=Q(state="queued"),
                name="message_queued",
            ),
            models.Index(fields=["tenant", "leased_until"], condition=Q(state="sending"), name="message_leased"),
            models.Index(fields=["tenant", "contact", "-id"], name="message_of_contact"),
            models.Index(
                fields=["tenant", "journey_id", "tile", "address"],
                condition=Q(journey_id__isnull=False),
                name="message_of_tile",
            ),
            models.Index(fields=["tenant", "email", "state", "-id"], name="message_of_email"),
            # Not while it is being sent, which is the state that every message passes through.
            models.Index(fields=["tenant", "state", "-id"], condition=~Q(state="sending"), name="message_of_state"),
            models.Index(
                fields=["tenant", "email", "-id"], condition=Q(opened_at__isnull=False), name="message_opened"
            ),
            models.Index(
                fields=["tenant", "email", "-id"], condition=Q(clicked_at__isnull=False), name="message_clicked"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class MessageFigure(models.Model):
    """How many messages of a journey's tile were sent, opened, clicked …, per batch; folded by a job."""

    tenant = TenantKey()
    journey_id = models.BigIntegerField()
    tile = models.TextField()
    # A name of `messaging.figures.WHAT`.
    what = models.TextField()
    day = models.DateField()
    count = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "journey_id", "tile"], name="message_figure_of_tile")]

    def __str__(self) -> str:
        return f"{self.tile} {self.what}: {self.count}"


class LinkClick(models.Model):
    """That the recipient of a message followed a link: the first time, machines left out."""

    tenant = TenantKey()
    link = models.ForeignKey(Link, models.CASCADE, related_name="clicks", db_index=False)
    # A plain id: a reference would cost every message one more index.
    message_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "link", "message_id"], name="one_click_per_link")]
        indexes = [models.Index(fields=["tenant", "message_id"], name="clicks_of_message")]

    def __str__(self) -> str:
        return f"{self.link_id} of {self.message_id}"


class Suppression(models.Model):
    """An address that must not be mailed: it belongs to the address, not to a contact.

    When the person is erased, only the address's fingerprint stays (`messaging.suppressing`).
    """

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("Hard bounce")
        SOFT_BOUNCES = "soft_bounces", _("Soft bounces in a row")
        COMPLAINT = "complaint", _("Complaint")
        MANUAL = "manual", _("By hand")
        # Of somebody erased who had refused: silence is no consent again, whatever the tenant's mode.
        REFUSED = "refused", _("Refused before being erased")

    tenant = TenantKey()
    address = models.CharField(max_length=254, null=True)
    fingerprint = models.CharField(max_length=64, null=True, editable=False)
    reason = models.CharField(max_length=15, choices=Reason.choices)
    detail = models.TextField(blank=True)
    soft_bounces = models.SmallIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "address"], name="one_suppression_per_address"),
            models.UniqueConstraint(fields=["tenant", "fingerprint"], name="one_suppression_per_fingerprint"),
            models.CheckConstraint(
                condition=Q(address__isnull=True, fingerprint__isnull=False)
                | Q(address__isnull=False, fingerprint__isnull=True),
                name="suppression_of_address_or_fingerprint",
            ),
        ]

    def __str__(self) -> str:
        return self.address or str(_("The address of somebody erased"))


class AddressKey(models.Model):
    """The key of the fingerprints by which erased people's addresses are known. Made once, never changed: with
    another key nobody would find them again."""

    tenant = TenantKey()
    key = EncryptedText()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_address_key")]

    def __str__(self) -> str:
        return f"address key {self.pk}"


class Hit(models.Model):
    """A request to a message's pixel, link or unsubscribe address, as it came in; kept apart from what people did."""

    class Kind(models.TextChoices):
        OPEN = "open", _("Open")
        CLICK = "click", _("Click")
        UNSUBSCRIBE = "unsubscribe", _("One-click unsubscribe")

    class Verdict(models.TextChoices):
        HUMAN = "human", _("A person")
        MACHINE = "machine", _("A machine")
        UNKNOWN = "unknown", _("Unknown")

    tenant = TenantKey()
    message_id = models.BigIntegerField()
    kind = models.TextField(choices=Kind.choices)
    # The link that was followed; of an unsubscription the purpose that the mail was sent for.
    link_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(default="", db_default="")
    verdict = models.TextField(default="", db_default="", help_text=_("Empty until it has been looked at."))
    reasons = models.JSONField(default=list, db_default=[])

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "id"], condition=Q(verdict=""), name="hit_unseen"),
            models.Index(fields=["tenant", "message_id"], name="hit_of_message"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.message_id}"


class CaughtMail(models.Model):
    """A mail that the catcher took in, for the tenant to look at; nothing of it left the machine."""

    tenant = TenantKey()
    sender = models.CharField(max_length=254)
    recipient = models.CharField(max_length=254)
    subject = models.TextField(blank=True)
    message_id = models.TextField(blank=True)
    raw = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["tenant", "-id"], name="caught_latest")]

    def __str__(self) -> str:
        return self.subject
