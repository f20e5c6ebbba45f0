"""What is shared with a CRM that sales works in: whose records belong together, which fields, what is to be written."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from integrations.models.connections import Connection
from tenants.fields import TenantKey


class Entity(models.TextChoices):
    """What a record is, whatever the CRM calls it."""

    LEAD = "lead", _("Lead")
    CONTACT = "contact", _("Contact")
    ACCOUNT = "account", _("Account")
    OPPORTUNITY = "opportunity", _("Opportunity")
    ACTIVITY = "activity", _("Activity")


# Whose fields can be mapped.
MAPPED = (Entity.LEAD, Entity.CONTACT, Entity.ACCOUNT)


class FieldMapping(models.Model):
    """One of our fields and one of theirs that are to be the same, and who decides where they differ."""

    class Owner(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        SALES = "sales", _("Sales")
        NEWEST = "newest", _("Whoever changed it last")

    tenant = TenantKey()
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="mappings", db_index=False)
    entity = models.TextField(choices=Entity.choices)
    # A key of `crm.ours`: `contact.job_title`, `lead.custom.budget`.
    field = models.TextField()
    # The name of their column.
    remote = models.TextField()
    owner = models.TextField(choices=Owner.choices, default=Owner.NEWEST, db_default=Owner.NEWEST)
    # {our value: theirs}, for columns that only take certain values.
    options = models.JSONField(default=dict, db_default={}, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection", "entity", "remote"], name="one_mapping_per_remote"),
            models.UniqueConstraint(fields=["tenant", "connection", "field"], name="one_mapping_per_field"),
        ]

    def __str__(self) -> str:
        return f"{self.field} ↔ {self.remote}"


class RemoteTable(models.Model):
    """What one of their tables can hold, as their metadata said last."""

    tenant = TenantKey()
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="tables", db_index=False)
    entity = models.TextField(choices=Entity.choices)
    # What they call it.
    name = models.TextField()
    # A list of `crm.columns.Column`s as JSON.
    columns = models.JSONField(default=list, db_default=[])
    fetched_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection", "entity"], name="one_table_per_entity")]

    def __str__(self) -> str:
        return self.name


class RecordLink(models.Model):
    """One of our records and theirs.

    `uid` is our key at the CRM, given before the first write: whatever becomes of an answer, writing again meets the
    same record. `known` is what their mapped columns held when we last saw or wrote them, under the row version
    `version`: what differs on either side has been changed since.
    """

    class State(models.TextChoices):
        LINKED = "linked", _("Linked")
        # Deleted there; ours stays, and is written no more.
        UNLINKED = "unlinked", _("Deleted there")
        # Ours has been erased; theirs is to follow.
        ERASED = "erased", _("Erased here")

    tenant = TenantKey()
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="links", db_index=False)
    entity = models.TextField(choices=Entity.choices)
    object_id = models.BigIntegerField(null=True)
    # Whose it was when it was made: a merge changes `object_id`, and gives it back when it is undone.
    as_object_id = models.BigIntegerField(null=True)
    uid = models.UUIDField()
    # Their key; empty until we have seen it.
    external_id = models.TextField(blank=True, default="", db_default="")
    version = models.TextField(blank=True, default="", db_default="")
    state = models.TextField(choices=State.choices, default=State.LINKED, db_default=State.LINKED)
    known = models.JSONField(default=dict, db_default={})
    # What else they say of it, by our words: status, reason, owner … (`crm.news`).
    standing = models.JSONField(default=dict, db_default={})
    # Of a lead: the summary for sales as we wrote it last, and as we have sent it since without hearing of it.
    summaries = models.JSONField(default=list, db_default=[])
    # {our field: when we changed it}, of what has not been written since.
    changed = models.JSONField(default=dict, db_default={})
    # Why it is not as it should be, as `crm.reasons` keeps it; empty: all is well.
    problem = models.TextField(blank=True, default="", db_default="")
    # When a full read met it last.
    seen_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "entity", "object_id"],
                condition=Q(object_id__isnull=False),
                name="one_link_per_object",
            ),
            models.UniqueConstraint(fields=["tenant", "connection", "entity", "uid"], name="one_link_per_uid"),
            models.UniqueConstraint(
                fields=["tenant", "connection", "entity", "external_id"],
                condition=~Q(external_id=""),
                name="one_link_per_external_id",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "entity", "object_id"], name="link_of_object"),
            models.Index(fields=["tenant", "connection", "entity", "state", "-id"], name="links_of_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.object_id} ↔ {self.external_id or self.uid}"


class CrmChange(models.Model):
    """Something to be written to a CRM: a row of the outbox, made in the transaction of what caused it.

    It says which record and why; the values are read when it is carried out, so that the latest are written. `key`
    makes a second one impossible: `handoff:{connection}:{fact}`, `update:{connection}:{fact}:{entity}:{object}`,
    `summary:{connection}:{lead}:{hour}`.
    """

    class Kind(models.TextChoices):
        HANDOFF = "handoff", _("Handoff")
        UPDATE = "update", _("Update")
        ERASURE = "erasure", _("Erasure")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Being written")
        DONE = "done", _("Done")
        PARKED = "parked", _("Parked")
        CANCELLED = "cancelled", _("Cancelled")

    tenant = TenantKey()
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="changes", db_index=False)
    key = models.TextField()
    kind = models.TextField(choices=Kind.choices)
    entity = models.TextField(choices=Entity.choices)
    object_id = models.BigIntegerField(null=True)
    # Of an erasure: what is to go there.
    link = models.ForeignKey(RecordLink, models.CASCADE, null=True, related_name="+", db_index=False)
    # Our fields that have changed, for the page.
    fields = ArrayField(models.TextField(), default=list, db_default=[])
    state = models.TextField(choices=State.choices, default=State.QUEUED, db_default=State.QUEUED)
    # A word of `crm.reasons`, and in detail what does not fit or the system's own words.
    reason = models.TextField(blank=True, default="", db_default="")
    error = models.TextField(blank=True, default="", db_default="")
    attempt_count = models.IntegerField(default=0, db_default=0)
    # The latest attempts: [{"at", "outcome", "error"}].
    attempts = models.JSONField(default=list, db_default=[])
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_id = models.UUIDField(null=True)
    # An attempt was made of whose outcome we have not heard: it is looked for before it is repeated.
    is_uncertain = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="one_change_per_key")]
        indexes = [
            models.Index(
                fields=["tenant", "connection", "next_attempt_at", "id"],
                condition=Q(state="queued"),
                name="change_queued",
            ),
            models.Index(fields=["tenant", "connection"], condition=Q(state="sending"), name="change_leased"),
            models.Index(fields=["tenant", "connection", "state", "-id"], name="changes_of_connection"),
            models.Index(fields=["tenant", "entity", "object_id", "-id"], name="changes_of_object"),
            models.Index(fields=["tenant", "finished_at"], name="change_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.entity} {self.object_id}"


class SalesUser(models.Model):
    """Somebody who works in the CRM, and which of our members that is."""

    tenant = TenantKey()
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="users", db_index=False)
    external_id = models.TextField()
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, blank=True)
    member = models.ForeignKey("tenants.Member", models.SET_NULL, null=True, related_name="+", db_index=False)
    # Somebody has said so, and no address changes it.
    is_chosen = models.BooleanField(default=False, db_default=False)
    is_active = models.BooleanField(default=True, db_default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection", "external_id"], name="one_user_per_external_id"),
            models.UniqueConstraint(
                fields=["tenant", "connection", "member"],
                condition=Q(member__isnull=False),
                name="one_user_per_member",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CrmCursor(models.Model):
    """How far the changes of one of their tables have been read."""

    tenant = TenantKey()
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="cursors", db_index=False)
    # What the package calls the table.
    table = models.TextField()
    # Theirs, as it came; empty: everything is to be read.
    position = models.TextField(blank=True, default="", db_default="")
    # Since when a read of everything has been going on.
    full_since = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection", "table"], name="one_cursor_per_table")]

    def __str__(self) -> str:
        return self.table


class Pace(models.Model):
    """How a CRM wants to be called at the moment."""

    tenant = TenantKey()
    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True, related_name="pace")
    # Nothing is asked of it until then.
    held_until = models.DateTimeField(null=True)
    # Failures in a row that were nobody's record's fault.
    failure_count = models.IntegerField(default=0, db_default=0)
    # Why, in words.
    reason = models.TextField(blank=True, default="", db_default="")
    # By how many seconds its clock is ahead of ours, as the last write has shown.
    clock_ahead = models.FloatField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"pace of {self.connection_id}"
