"""Through which server a tenant's account mail goes."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from tenants.models import Tenant


def connection_for(tenant: Tenant) -> BaseEmailBackend:
    """The configured server; for a sample company the mail catcher, whatever EMAIL_URL says."""
    if not tenant.is_sample:
        return get_connection()
    catcher = urlsplit(settings.CATCHER_URL)
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=catcher.hostname,
        port=catcher.port,
        username="",
        password="",
        use_tls=False,
        use_ssl=False,
    )
