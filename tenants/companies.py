"""Companies (tenants): founding one, and its settings."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from tenants import audit, invitations
from tenants.models import Invitation, Member, Tenant, User
from tenants.scope import tenant_scope

# What higher apps give a new company; called in its scope.
at_founding: list[Callable[[], None]] = []


def may_start(person: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether somebody may found a company here: everybody if the installation is open, else its staff."""
    return settings.IS_SIGNUP_OPEN or (isinstance(person, User) and person.is_staff)


def found(name: str, owner_email: str, *, time_zone: str = "UTC") -> Invitation:
    """Found a company on behalf of somebody, who becomes its owner by the invitation."""
    with transaction.atomic():
        return invitations.invite(_create(name, time_zone), owner_email, Member.Role.OWNER, by=None)


def start(person: User, name: str, *, time_zone: str = "UTC") -> Tenant:
    """Found a company whose first owner is the person."""
    with transaction.atomic():
        tenant = _create(name, time_zone)
        with tenant_scope(tenant):
            owner = Member.objects.create(tenant=tenant, user=person, role=Member.Role.OWNER)
            audit.write("company.started", tenant, by=owner)
    return tenant


def update(tenant: Tenant, *, by: Member, **values: str) -> None:
    """Change a company's name, time zone, country or currency; run in its scope."""
    changed = {key: value for key, value in values.items() if getattr(tenant, key) != value}
    if not changed:
        return
    before = {key: getattr(tenant, key) for key in changed}
    for key, value in changed.items():
        setattr(tenant, key, value)
    tenant.save(update_fields=list(changed))
    audit.write("company.changed", tenant, by=by, detail={"before": before, "after": changed})


def _create(name: str, time_zone: str) -> Tenant:
    """A tenant with what it begins with."""
    tenant = _named(name, time_zone)
    with tenant_scope(tenant):
        for give in at_founding:
            give()
    return tenant


def _named(name: str, time_zone: str) -> Tenant:
    """A tenant under the first free address made of its name: acme, acme-2, … The unique slug decides."""
    base = slugify(name)[:34].strip("-") or "company"
    number = 1
    while True:
        slug = base if number == 1 else f"{base}-{number}"
        try:
            with transaction.atomic():
                return Tenant.objects.create(slug=slug, name=name, time_zone=time_zone)
        except IntegrityError:
            number += 1
