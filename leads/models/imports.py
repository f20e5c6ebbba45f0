"""Imports, their pieces, and mappings to be used again."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey, Xid8


class Import(models.Model):
    """A file that is being imported, or was: what its columns are, what is to be done with them, how far it is."""

    class Entity(models.TextChoices):
        CONTACT = "contact", _("People, with their companies and leads")
        ACCOUNT = "account", _("Companies alone")

    class State(models.TextChoices):
        DRAFT = "draft", _("Not started")
        STARTED = "started", _("Started")
        UNDONE = "undone", _("Undone")

    tenant = TenantKey()
    name = models.CharField(_("file"), max_length=200)
    entity = models.CharField(_("contains"), max_length=10, choices=Entity.choices, default=Entity.CONTACT)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT, editable=False)
    # The file as it came, and its rows in pieces as `reading` cuts them.
    file = models.ForeignKey("tenants.File", models.SET_NULL, null=True, related_name="+")
    rows = models.ForeignKey("tenants.File", models.SET_NULL, null=True, related_name="+")
    fingerprint = models.CharField(max_length=64)
    row_count = models.BigIntegerField(null=True)
    # The names of the columns, and some of their values to look at.
    headers = models.JSONField(default=list)
    samples = models.JSONField(default=list)
    # The target of each column, "" for those left out; see contacts.targets.
    mapping = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    trial = models.ForeignKey("tenants.Job", models.SET_NULL, null=True, related_name="+")
    job = models.ForeignKey("tenants.Job", models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="import_latest")]

    def __str__(self) -> str:
        return self.name


class ImportPiece(models.Model):
    """What a piece of an import came to: the proof that it was written, and all it takes to undo it."""

    tenant = TenantKey()
    batch = models.ForeignKey(Import, models.CASCADE, related_name="pieces", db_index=False)
    is_trial = models.BooleanField(default=False)
    position = models.IntegerField()
    counts = models.JSONField(default=dict)
    # {entity: [ids]} of what was made, and {entity: {id: {"before": …, "after": …}}} of what was changed.
    created = models.JSONField(default=dict)
    changed = models.JSONField(default=dict)
    # Contacts that the piece's rows are about, for erasure.
    contact_ids = ArrayField(models.BigIntegerField(), default=list)
    # [[line, why, [cells]], …]
    refused = models.JSONField(default=list)
    # Of a trial: whom its rows would make, as numbers; and rows to look at beside whom they may be.
    keys = ArrayField(models.BigIntegerField(), default=list)
    alike = models.JSONField(default=list)
    consequences = models.JSONField(default=dict)
    written_at = models.DateTimeField(db_default=Now())
    written_xid = Xid8(null=True)
    undone_xid = Xid8(null=True)
    # What an undo has left as it is, because it was changed since: [[entity, id, name, why], …]
    kept = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "batch", "is_trial", "position"], name="one_piece_of_import_per_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.position}"


class ImportMapping(models.Model):
    """How columns of these names were mapped the last time: offered when they come again."""

    tenant = TenantKey()
    entity = models.CharField(max_length=10, choices=Import.Entity.choices)
    header_key = models.CharField(max_length=64)
    mapping = models.JSONField()
    options = models.JSONField(default=dict)
    used_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "entity", "header_key"], name="one_mapping_per_header")
        ]

    def __str__(self) -> str:
        return self.header_key
