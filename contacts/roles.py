"""Buying roles: who decides, influences and uses at an account; who is known, active and missing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from contacts import timeline
from contacts.models import Account, Contact, Role
from tenants.models import Member

# Whoever did something herself within this time is active.
ACTIVE = timedelta(days=30)
# An account without these is not worked completely; a blocker is not missed.
WANTED = (Role.Kind.DECISION_MAKER, Role.Kind.CHAMPION, Role.Kind.INFLUENCER, Role.Kind.USER)


@dataclass(frozen=True, slots=True)
class Part:
    """A role at an account with those who have it; `is_missing` if nobody does and somebody should."""

    kind: Role.Kind
    holders: list[tuple[Role, bool]]
    is_missing: bool


def give(account: Account, contact: Contact, kind: str, *, source: str = "manual", by: Member | None = None) -> Role:
    """Note a contact's part in the account's decisions; the same again changes nothing."""
    role, is_new = Role.objects.get_or_create(account=account, contact=contact, kind=kind, defaults={"source": source})
    if is_new:
        detail = {"role": kind, "role_name": role.get_kind_display(), "account": account.name}
        timeline.record(
            "contact.role_given", contact=contact, account=account, object_id=account.pk, actor=by, detail=detail
        )
    return role


def take(role: Role, *, by: Member | None = None) -> None:
    """A contact no longer has this part."""
    detail = {"role": role.kind, "role_name": role.get_kind_display(), "account": role.account.name}
    timeline.record(
        "contact.role_taken",
        contact=role.contact_id,
        account=role.account_id,
        object_id=role.account_id,
        actor=by,
        detail=detail,
    )
    role.delete()


def committee(account: Account) -> list[Part]:
    """All roles at an account: holders with whether they are active. One query."""
    since = timezone.now() - ACTIVE
    found = Role.objects.filter(account=account, contact__is_active=True).select_related("contact__facts")
    roles = list(found.order_by("contact__sort_key", "pk"))
    parts = []
    for kind in Role.Kind:
        holders = [(role, _is_active(role.contact, since)) for role in roles if role.kind == kind]
        parts.append(Part(kind, holders, not holders and kind in WANTED))
    return parts


def _is_active(contact: Contact, since: datetime) -> bool:
    last = contact.facts.last_activity_at if hasattr(contact, "facts") else None
    return last is not None and last >= since


def of_contact(contact: Contact) -> list[Role]:
    """The roles that a contact has, with their accounts."""
    return list(contact.roles.select_related("account").order_by("pk"))
