"""Custom fields, the search index, and matches that a person should look at."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import CodePointText, TenantKey


class Field(models.Model):
    """A field that a tenant added to contacts, accounts or leads; its values are in their `custom`."""

    class Entity(models.TextChoices):
        CONTACT = "contact", _("Contact")
        ACCOUNT = "account", _("Account")
        LEAD = "lead", _("Lead")

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Whole number")
        DATE = "date", _("Date")
        BOOLEAN = "boolean", _("Yes/no")
        CHOICE = "choice", _("Choice")

    tenant = TenantKey()
    entity = models.CharField(_("on"), max_length=10, choices=Entity.choices)
    key = models.SlugField(_("key"), max_length=40, db_index=False)
    label = models.CharField(_("label"), max_length=100)
    type = models.CharField(_("type"), max_length=10, choices=Type.choices, default=Type.TEXT)
    options = models.JSONField(_("options"), default=list, blank=True)
    is_sensitive = models.BooleanField(_("sensitive"), default=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "entity", "key"], name="one_field_per_key")]

    def __str__(self) -> str:
        return self.label


class SearchTerm(models.Model):
    """A word by which a record is found; a row per word, read by prefix. See `contacts.search`.

    A contact has some seven, so that checking a reference per row would take longer than anything else that is written
    of her: row-level security lets nobody write another tenant's, and a word that leads nowhere finds nothing.
    """

    tenant = TenantKey(db_constraint=False)
    term = CodePointText()
    kind = models.TextField()
    object_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "term", "kind", "object_id"], name="one_term_each")]
        indexes = [models.Index(fields=["tenant", "kind", "object_id"], name="terms_of_object")]

    def __str__(self) -> str:
        return self.term


class SearchBacklog(models.Model):
    """Records that a set has made or changed and that are not found by their words yet; a row per set.

    See `contacts.findable`.
    """

    tenant = TenantKey()
    kind = models.TextField()
    object_ids = ArrayField(models.BigIntegerField())

    class Meta:
        indexes = [models.Index(fields=["tenant", "id"], name="search_backlog_oldest")]

    def __str__(self) -> str:
        return f"{len(self.object_ids)} × {self.kind}"


class MatchAmbiguity(models.Model):
    """Several records answered to what was submitted; the most recent was taken, the others offered for merging."""

    tenant = TenantKey()
    chosen = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="+")
    others = models.JSONField(default=list)
    reason = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-at"], name="ambiguity_open", condition=models.Q(resolved_at__isnull=True))
        ]

    def __str__(self) -> str:
        return self.reason


class ContactMerge(models.Model):
    """One contact taken into another, with what it takes to undo it."""

    tenant = TenantKey()
    survivor = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="+")
    merged = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="+")
    by = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    # {table.column: [ids of the rows that were pointed at the survivor]}
    moved = models.JSONField(default=dict)
    # {field of the survivor: [before, after]}
    filled = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-at"], name="merge_latest")]

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.survivor_id}"
