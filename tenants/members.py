"""A company's members: roles, absence, leaving. Each verb writes the audit trail; run them in the company's scope."""

from django.db import transaction
from django.utils.translation import gettext as _

from tenants import audit
from tenants.models import Member, Tenant


class LastOwner(ValueError):
    """A company keeps at least one owner."""


@transaction.atomic
def change(member: Member, *, role: str, manager: Member | None, by: Member) -> None:
    """Give a member another role or manager. Raises LastOwner, and ValueError for a manager that cannot be."""
    if role != Member.Role.OWNER:
        _keep_an_owner(member)
    if manager is not None and (manager.tenant_id != member.tenant_id or manager.pk == member.pk):
        raise ValueError(_("Choose another member of this company as the manager."))
    before = {"role": member.role, "manager": member.manager_id}
    member.role, member.manager = role, manager
    member.save(update_fields=["role", "manager"])
    after = {"role": member.role, "manager": member.manager_id}
    if before != after:
        audit.write("member.changed", member, by=by, detail={"before": before, "after": after})


@transaction.atomic
def set_away(member: Member, is_away: bool, *, by: Member) -> None:
    """Mark a member away (gets no new leads) or back."""
    if Member.objects.filter(pk=member.pk, is_away=not is_away).update(is_away=is_away):
        member.is_away = is_away
        audit.write("member.away" if is_away else "member.back", member, by=by)


@transaction.atomic
def remove(member: Member, *, by: Member) -> None:
    """End a membership: the person loses access at once, what she did stays hers. Raises LastOwner."""
    _keep_an_owner(member)
    if Member.objects.filter(pk=member.pk, is_active=True).update(is_active=False):
        member.is_active = False
        audit.write("member.removed", member, by=by)


def _keep_an_owner(member: Member) -> None:
    """Raise LastOwner if the company would be left without one; its row is locked, as two owners may go at once."""
    Tenant.objects.select_for_update().get(pk=member.tenant_id)
    owners = Member.objects.filter(tenant_id=member.tenant_id, role=Member.Role.OWNER, is_active=True)
    if set(owners.values_list("pk", flat=True)) == {member.pk}:
        raise LastOwner(_("The last owner has to stay. Make somebody else an owner first."))
