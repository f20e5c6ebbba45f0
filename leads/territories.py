"""A company's territories: which countries' leads go to whom, and whose turn it is there."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import Lead, Territory, TerritoryMember
from tenants import audit
from tenants.models import Member


def country_of(lead: Lead) -> str:
    """The country that a lead is from: its own, its contact's, its account's; empty if none is known."""
    known = (lead, lead.contact, lead.account)
    return next((one.country for one in known if one and one.country), "")


def of(lead: Lead) -> Territory | None:
    """The territory of the lead's country. A company has few: one query reads them all."""
    country = country_of(lead)
    return next((row for row in Territory.objects.all() if country in row.countries), None) if country else None


def members_of(territory: Territory) -> list[Member]:
    """Who looks after it, in the order of their turns, whether present or not."""
    rows = TerritoryMember.objects.filter(territory=territory, member__is_active=True).order_by("member")
    return [row.member for row in rows.select_related("member__user", "member__tenant")]


@transaction.atomic
def whose_turn(territory: Territory) -> tuple[Member, int] | None:
    """The present member after the one who had the last turn, and how many are present; moves the turn on."""
    locked = Territory.objects.select_for_update().get(pk=territory.pk)
    present = [member for member in members_of(locked) if not member.is_away]
    if not present:
        return None
    member = next((one for one in present if one.pk > locked.last_turn), present[0])
    Territory.objects.filter(pk=locked.pk).update(last_turn=member.pk)
    return member, len(present)


@transaction.atomic
def save(
    territory: Territory | None, name: str, countries: Sequence[str], members: Sequence[Member], *, by: Member
) -> Territory:
    """Add or change a territory. Raises ValidationError for a name or a country that another one has."""
    for other in Territory.objects.select_for_update():
        if other == territory:
            continue
        if other.name.casefold() == name.casefold():
            raise ValidationError({"name": _("Another territory already has this name.")})
        if taken := set(countries) & set(other.countries):
            text = _("%(name)s has %(countries)s already.") % {"name": other, "countries": ", ".join(sorted(taken))}
            raise ValidationError({"countries": text})
    row = territory or Territory()
    row.name, row.countries = name, sorted(countries)
    row.save()
    TerritoryMember.objects.filter(territory=row).exclude(member__in=members).delete()
    TerritoryMember.objects.bulk_create(
        [TerritoryMember(territory=row, member=member) for member in members], ignore_conflicts=True
    )
    audit.write("territory.changed" if territory else "territory.created", row, by=by)
    return row


@transaction.atomic
def delete(territory: Territory, *, by: Member) -> None:
    """Take a territory away; leads that were given by it stay with whom they are."""
    audit.write("territory.deleted", territory, by=by, detail={"countries": territory.countries})
    territory.delete()
