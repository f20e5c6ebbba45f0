"""Who: companies (tenants), their people, and what runs on their behalf."""

import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tenants.fields import CurrentXid, TenantKey, Xid8


def random_token() -> str:
    """128 random bits, safe in an address."""
    return secrets.token_urlsafe(16)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in, by e-mail address; member of any number of tenants."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may use the admin"), default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email


class Tenant(models.Model):
    """A company that uses Onward. Everything of it is visible in its own scope only."""

    slug = models.SlugField(_("address part"), unique=True, max_length=40)
    name = models.CharField(_("name"), max_length=200)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    country = models.CharField(_("country"), max_length=2, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    is_sample = models.BooleanField(
        _("sample data"),
        default=False,
        help_text=_("All its mail goes to the mail catcher, and its clock can be moved."),
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person's place in a tenant."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        MARKETER = "marketer", _("Marketer")
        SALES_REP = "sales_rep", _("Sales rep")
        ANALYST = "analyst", _("Analyst (read only)")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    manager = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="reports")
    is_away = models.BooleanField(_("away"), default=False, help_text=_("Gets no new leads while away."))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="one_membership")]
        ordering = ("pk",)

    def __str__(self) -> str:
        return str(self.user)


class Invitation(models.Model):
    """An invitation to join a tenant; its link carries the token."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=10, choices=Member.Role.choices)
    token = models.CharField(max_length=40, unique=True, default=random_token, editable=False)
    invited_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.email


class PublicHost(models.Model):
    """A host name of its own under which a tenant's public pages are served."""

    host = models.CharField(max_length=253, unique=True)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="public_hosts")

    def __str__(self) -> str:
        return self.host


class Wakeup(models.Model):
    """Something to do for a tenant's queue, at or after `due_at`. Append-only; see `tenants.wakeups`."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    queue = models.CharField(max_length=40)
    due_at = models.DateTimeField(db_default=Now())
    xid = Xid8(db_default=CurrentXid(), editable=False)
    # Since when its work ends in exceptions; it is tried again and again, so that it never looks late.
    failed_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["failed_since"], condition=models.Q(failed_since__isnull=False), name="wakeup_failed"),
            models.Index(fields=["due_at"], name="wakeup_due"),
            models.Index(fields=["tenant", "queue", "due_at"], name="wakeup_of_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} of {self.tenant_id}"


class Heartbeat(models.Model):
    """When a background process last said that it is alive."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Audit(models.Model):
    """Who changed what in a tenant: append-only."""

    tenant = TenantKey()
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=60, blank=True)
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-at"], name="audit_latest")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"

    @property
    def in_words(self) -> str:
        """The action as people say it: "journey.went_live" is "Journey went live"; translations know it so."""
        return gettext(self.action.replace(".", " ").replace("_", " ").capitalize())


class Setting(models.Model):
    """A tenant's setting: a small JSON value under a key that the app using it declares."""

    tenant = TenantKey()
    key = models.CharField(max_length=60)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="one_value_per_setting")]

    def __str__(self) -> str:
        return self.key


class Notification(models.Model):
    """What a member should know about, shown at the bell."""

    tenant = TenantKey()
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    path = models.CharField(max_length=500, blank=True, help_text=_("Where it leads, within the tenant's pages."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "member", "-created_at"], name="notification_latest")]

    def __str__(self) -> str:
        return self.title


class Job(models.Model):
    """A long piece of work: its progress, its result, and the way back."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    tenant = TenantKey()
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    arguments = models.JSONField(default=dict)
    done_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    started_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-created_at"], name="job_latest")]

    def __str__(self) -> str:
        return self.title


class File(models.Model):
    """A file that a tenant brought or got, kept in the database in pieces; see `tenants.files`."""

    tenant = TenantKey()
    name = models.CharField(max_length=200)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # Then it is deleted, whoever may still have use for it.
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "expires_at"], name="file_to_expire")]

    def __str__(self) -> str:
        return self.name


class FilePiece(models.Model):
    """A part of a file's content; how it is cut is the business of who wrote it."""

    tenant = TenantKey()
    file = models.ForeignKey(File, models.CASCADE, related_name="pieces", db_index=False)
    position = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "file", "position"], name="one_piece_per_position")]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.position}"
