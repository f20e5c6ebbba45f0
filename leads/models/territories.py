"""Territories: which countries' leads go to whom."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.fields import TenantKey


class Territory(models.Model):
    """Countries whose leads go to the members who look after them, in turn."""

    tenant = TenantKey()
    name = models.CharField(_("name"), max_length=100)
    # Country codes; a country belongs to one territory.
    countries = models.JSONField(default=list)
    # Who had the last turn; two assignments at once wait for this row.
    last_turn = models.BigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="one_territory_per_name",
                violation_error_message=_("Another territory already has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class TerritoryMember(models.Model):
    """A member looks after a territory."""

    tenant = TenantKey()
    territory = models.ForeignKey(Territory, models.CASCADE, related_name="places")
    member = models.ForeignKey("tenants.Member", models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "territory", "member"], name="in_a_territory_once")]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.territory_id}"
