"""Saved views: a list's filters and order under a name."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey


class SavedView(models.Model):
    """What a list's address asks for, kept as a tab: a member's own, or (without a member) everybody's."""

    tenant = TenantKey()
    # Which list: a key of `contacts.registry.lists`.
    page = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=60)
    # The address's query, without the place in the list.
    query = models.CharField(max_length=2000, blank=True)
    member = models.ForeignKey("tenants.Member", models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "page", "name"], condition=Q(member__isnull=True), name="one_shared_view_per_name"
            ),
            models.UniqueConstraint(
                fields=["tenant", "page", "member", "name"],
                condition=Q(member__isnull=False),
                name="one_own_view_per_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name
