"""Opportunities: the list, the page, won and lost."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from leads import opportunities, queries
from leads.errors import NotPossible
from leads.forms import OpportunityForm, ReasonForm
from leads.models import Opportunity
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done

State = Opportunity.State


@allow(Right.VIEW)
def opportunity_list(request: Any) -> HttpResponse:
    """Opportunities by state, with what they are worth in all."""
    state = request.GET.get("state", "")
    state = state if state in State.values else State.OPEN.value
    page = page_of(queries.opportunities().filter(state=state), ("-pk",), request.GET)
    context = {"page": page, "state": state, "states": State, "totals": queries.totals(state)}
    return render(request, "leads/opportunities.html", context)


@allow(Right.VIEW, post=Right.WORK_LEADS)
def opportunity(request: Any, pk: int) -> HttpResponse:
    """An opportunity: what it may be worth, by when; POST changes that while it is open."""
    found = get_object_or_404(queries.opportunities(), pk=pk)
    form = OpportunityForm(request.POST or None, initial=OpportunityForm.initial_of(found))
    context = {"opportunity": found, "form": form, "reason_form": ReasonForm()}
    if request.method != "POST":
        return render(request, "leads/opportunity.html", context)
    if form.is_valid():
        try:
            opportunities.update(found, **form.values())
            return done(request, _("Saved."), "leads:opportunity", pk)
        except NotPossible as error:
            return done(request, str(error), "leads:opportunity", pk, level="error")
    return render(request, "leads/opportunity.html", context, status=422)


@allow(Right.WORK_LEADS)
@require_POST
def win(request: Any, pk: int) -> HttpResponse:
    """The customer buys."""
    found = get_object_or_404(queries.opportunities(), pk=pk)
    try:
        opportunities.win(found, request.member)
    except NotPossible as error:
        return done(request, str(error), "leads:opportunity", pk, level="error")
    return done(request, _("“%(name)s” is won.") % {"name": found.name}, "leads:opportunity", pk)


@allow(Right.WORK_LEADS)
@require_POST
def lose(request: Any, pk: int) -> HttpResponse:
    """The customer does not buy, and why."""
    found = get_object_or_404(queries.opportunities(), pk=pk)
    reason_form = ReasonForm(request.POST)
    if not reason_form.is_valid():
        form = OpportunityForm(initial=OpportunityForm.initial_of(found))
        context = {"opportunity": found, "form": form, "reason_form": reason_form}
        return render(request, "leads/opportunity.html", context, status=422)
    try:
        opportunities.lose(found, reason_form.reason, request.member)
    except NotPossible as error:
        return done(request, str(error), "leads:opportunity", pk, level="error")
    return done(request, _("“%(name)s” is lost.") % {"name": found.name}, "leads:opportunity", pk)
