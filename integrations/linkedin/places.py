"""Where LinkedIn is: the addresses of the settings, or this installation's stand-in for a sandbox connection."""

from django.conf import settings

from integrations.models import Connection


def api_url(connection: Connection) -> str:
    """The base of the versioned API."""
    return f"{sandbox_url(connection)}/rest" if connection.is_sandbox else settings.LINKEDIN_API_URL


def auth_url(connection: Connection) -> str:
    """The base of OAuth 2.0."""
    return f"{sandbox_url(connection)}/oauth/v2" if connection.is_sandbox else settings.LINKEDIN_AUTH_URL


def sandbox_url(connection: Connection) -> str:
    """The world of this connection in the sandbox; no two connections share one."""
    return f"{settings.SANDBOX_URL}/linkedin/{connection.tenant_id}-{connection.pk}"
