"""Shared reads of leads."""

from django.db.models import QuerySet

from leads.models import Lead


def shown() -> QuerySet[Lead]:
    """Leads with whatever a list or a page shows of them, in one query."""
    return Lead.objects.select_related("contact", "account", "owner__user")
