"""The sample companies and their members; passwords are random for each installation."""

import secrets
from dataclasses import dataclass

from tenants.models import Member, Tenant, User


@dataclass(frozen=True)
class SignIn:
    """How to sign in as somebody of a sample company."""

    company: str
    name: str
    role: str
    email: str
    password: str


@dataclass
class Cast:
    """A sample company with its members, by first name in lower case."""

    tenant: Tenant
    members: dict[str, Member]
    sign_ins: list[SignIn]


ROLES = {
    "acme": (
        ("Ana Castillo", Member.Role.OWNER),
        ("Max Brandt", Member.Role.MARKETER),
        ("Sam Whitfield", Member.Role.SALES_REP),
        ("Nora Lindqvist", Member.Role.SALES_REP),
        ("Ava Raman", Member.Role.ANALYST),
    ),
    "rival": (("Rob Delgado", Member.Role.OWNER), ("Rita Moreau", Member.Role.SALES_REP)),
}


def assemble(tenant: Tenant) -> Cast:
    """Make the company's members; the owner manages the sales reps, and may use the admin."""
    cast = Cast(tenant, {}, [])
    for name, role in ROLES[tenant.slug]:
        first = name.split()[0].lower()
        email, password = f"{first}@{tenant.slug}.example.com", secrets.token_urlsafe(9)
        user = User.objects.create_user(email, password, name=name, is_staff=role == Member.Role.OWNER)
        manager = cast.members.get(ROLES[tenant.slug][0][0].split()[0].lower())
        member = Member.objects.create(
            tenant=tenant, user=user, role=role, manager=manager if role == Member.Role.SALES_REP else None
        )
        cast.members[first] = member
        cast.sign_ins.append(SignIn(tenant.name, name, str(member.get_role_display()), email, password))
    return cast
