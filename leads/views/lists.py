"""Leads as a list, as a board, and those that nobody is linked to yet."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import exporting, saved_views
from leads import actions, bulk, linking, listing, queries
from leads.errors import MovedMeanwhile
from leads.resources import LeadResource
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import attachment, done


@allow(Right.VIEW)
def lead_list(request: Any) -> HttpResponse:
    """Leads by tab, filters and order; all of it is in the address."""
    context = {
        "listing": listing.leads(request.GET, request.member),
        "tabs": listing.TABS,
        "tab": listing.tab_of(request.GET),
        "bulk_actions": bulk.OFFERED,
        "saved": saved_views.tabs("leads", request.GET, request.member),
    }
    return render(request, "leads/list.html#rows" if request.htmx else "leads/list.html", context)


@allow(Right.WORK_LEADS, scoped=False)
def export(request: Any) -> Any:
    """The leads of the list as a CSV file."""
    found = exporting.lines(request.tenant.pk, LeadResource, lambda: listing.found(request.GET, request.member))
    return attachment("leads.csv", found)


@allow(Right.VIEW)
def board(request: Any) -> HttpResponse:
    """Open leads by stage."""
    only_mine = request.GET.get("whose") == "mine"
    columns = queries.board(request.member, only_mine=only_mine)
    cards = [(column, [(lead, actions.ways(lead)) for lead in column.leads]) for column in columns]
    return render(request, "leads/board.html", {"columns": cards, "only_mine": only_mine})


@allow(Right.VIEW)
def unmatched(request: Any) -> HttpResponse:
    """Leads without a contact or with several candidates, each beside who it may be."""
    page = page_of(linking.needing(), ("-pk",), request.GET, size=20)
    found = linking.candidates(page.rows)
    return render(
        request, "leads/unmatched.html", {"page": page, "rows": [(lead, found[lead.pk]) for lead in page.rows]}
    )


@allow(Right.WORK_LEADS)
@require_POST
def match(request: Any, pk: int) -> HttpResponse:
    """Link a lead to the contact or account chosen, make a contact of it, merge two, or leave it as it is."""
    lead = get_object_or_404(linking.needing(), pk=pk)
    names, choice = {"person": lead.person}, request.POST.get("to", "")
    try:
        linking.decide(lead, choice, request.member)
    except MovedMeanwhile as error:
        return done(request, str(error), "leads:unmatched", level="error")
    except ValidationError as error:
        return done(request, " ".join(error.messages), "leads:unmatched", level="error")
    if choice == linking.LEAVE:
        return done(request, _("%(person)s stays as it is.") % names, "leads:unmatched")
    return done(request, _("%(person)s is linked.") % names, "leads:unmatched")
