"""Companies (tenants): founding one, and its settings."""

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from tenants import audit
from tenants.models import Member, Tenant, User
from tenants.scope import tenant_scope


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
