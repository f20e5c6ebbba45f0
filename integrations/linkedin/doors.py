"""The addresses by which others reach us: signed tokens of the tenant and the connection, for one purpose each."""

from typing import NamedTuple

from django.core import signing

from integrations.models import Connection
from tenants.links import site_url

PUSH, INBOX = "linkedin.push", "linkedin.inbox"
_VIEWS = {PUSH: "integration_hooks:linkedin", INBOX: "integration_hooks:leads"}


class Door(NamedTuple):
    """Whom an address is for."""

    tenant_id: int
    connection_id: int


def address(connection: Connection, purpose: str) -> str:
    """The absolute address to be entered at the other side."""
    token = signing.Signer(salt=purpose).sign(f"{connection.tenant_id}.{connection.pk}")
    return site_url(_VIEWS[purpose], token=token)


def read(token: str, purpose: str) -> Door | None:
    """Whom the address is for; None if it is none of ours."""
    try:
        tenant_id, _dot, connection_id = signing.Signer(salt=purpose).unsign(token).partition(".")
        return Door(int(tenant_id), int(connection_id))
    except (signing.BadSignature, ValueError):
        return None
