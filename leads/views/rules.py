"""How a company handles its leads."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from leads import preferences
from leads.forms import RulesForm
from tenants.access import Right, allow
from tenants.responses import done


@allow(Right.MANAGE)
def rules(request: Any) -> HttpResponse:
    """Handing over by itself, the time to answer, the rest after recycling."""
    form = RulesForm(request.POST) if request.method == "POST" else RulesForm(initial=preferences.values())
    if request.method != "POST":
        return render(request, "leads/rules.html", {"form": form})
    if not form.is_valid():
        return render(request, "leads/rules.html", {"form": form}, status=422)
    preferences.save(form.cleaned_data, by=request.member)
    return done(request, _("Saved."), "leads:rules")
