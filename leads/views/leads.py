"""The page of a lead."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from leads import queries
from leads.registry import strongest_reasons
from leads.transitions import PATH
from tenants.access import Right, allow


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """Who it is, where it stands and why, and everything that happened."""
    lead = get_object_or_404(queries.shown(), pk=pk)
    context = {
        "lead": lead,
        "path": PATH,
        "reasons": strongest_reasons(lead),
        "changes": lead.stage_changes.select_related("actor__user").order_by("-pk"),
    }
    return render(request, "leads/detail.html", context)
