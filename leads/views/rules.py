"""How a company handles its leads: the rules, and the territories."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from leads import preferences, territories
from leads.forms import RulesForm, TerritoryForm
from leads.models import Territory
from tenants.access import Right, allow
from tenants.responses import done


@allow(Right.MANAGE)
def rules(request: Any) -> HttpResponse:
    """What makes a lead sales-ready, who gets it, the time to answer, the rest after recycling, the stages' names."""
    form = RulesForm(request.POST or None, initial=preferences.values())
    context = {"form": form, "territories": [(row, territories.members_of(row)) for row in Territory.objects.all()]}
    if request.method != "POST":
        return render(request, "leads/rules.html", context)
    if not form.is_valid():
        return render(request, "leads/rules.html", context, status=422)
    preferences.save(form.values(), by=request.member)
    return done(request, _("Saved."), "leads:rules")


@allow(Right.MANAGE)
def territory(request: Any, pk: int | None = None) -> HttpResponse:
    """A territory, new or to change."""
    found = get_object_or_404(Territory, pk=pk) if pk else None
    form = TerritoryForm.of(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            saved = territories.save(found, **form.cleaned_data, by=request.member)
            return done(request, _("%(name)s is saved.") % {"name": saved}, "leads:rules")
        except ValidationError as error:
            form.add_error(None, error)
    status = 422 if request.method == "POST" else 200
    return render(request, "leads/territory.html", {"form": form, "territory": found}, status=status)


@allow(Right.MANAGE)
@require_POST
def delete_territory(request: Any, pk: int) -> HttpResponse:
    """Take a territory away."""
    found = get_object_or_404(Territory, pk=pk)
    territories.delete(found, by=request.member)
    return done(request, _("%(name)s is deleted.") % {"name": found}, "leads:rules")
