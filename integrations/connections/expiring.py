"""Warns owners before an authorisation ends: nobody should learn of it by missing leads."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from integrations.connections import verbs
from integrations.models import Connection
from tenants.housekeeping import chore
from tenants.models import Tenant
from tenants.scope import tenant_scope

AHEAD = timedelta(days=14)


@chore("connections:expiring", timedelta(hours=6))
def warn_all() -> None:
    """Look through every tenant's connections."""
    for tenant in Tenant.objects.order_by("pk"):
        with tenant_scope(tenant):
            warn()


def warn() -> int:
    """Tell the owners, once per end of an authorisation that lies within AHEAD; returns of how many connections."""
    ending = Connection.objects.filter(state__in=verbs.RUNS, authorisation_ends_at__lte=timezone.now() + AHEAD).exclude(
        warned_for=F("authorisation_ends_at")
    )
    for connection in ending:
        day = date_format(connection.authorisation_ends_at)  # type: ignore[arg-type]
        title = _("%(name)s has to be authorised again soon") % {"name": connection.name}
        verbs.tell(connection, title, _("Its authorisation ends on %(day)s.") % {"day": day})
        Connection.objects.filter(pk=connection.pk).update(warned_for=connection.authorisation_ends_at)
    return len(ending)


def ends_soon(connection: Connection) -> bool:
    """Whether a person has to authorise again within AHEAD."""
    at = connection.authorisation_ends_at
    return at is not None and at <= timezone.now() + AHEAD
