"""Trying a draft before it goes live: on all leads, and on one."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from contacts import search
from leads.models import Lead
from scoring import charts, explain, trial
from scoring.models import ScoringModel
from tenants.access import Right, allow

FOUND = 8


@allow(Right.EDIT_MARKETING)
def compare(request: Any, pk: int) -> HttpResponse:
    """Scores before and after, and who would become sales-ready; nothing changes."""
    draft = get_object_or_404(ScoringModel.objects.select_related("replaces"), pk=pk, state=ScoringModel.State.DRAFT)
    tried = trial.compare(draft)
    everything = [*tried.before, *tried.after, 0, draft.threshold]
    low, high = min(everything), max(everything)
    context = {
        "model": draft,
        "trial": tried,
        "before": charts.histogram(charts.counted(tried.before), low, high, draft.threshold),
        "after": charts.histogram(charts.counted(tried.after), low, high, draft.threshold),
    }
    return render(request, "scoring/try.html", context)


@allow(Right.VIEW)
def test(request: Any, pk: int) -> HttpResponse:
    """What the model, a draft too, gives one lead: chosen by `?lead=`, found by `?q=`."""
    model = get_object_or_404(ScoringModel, pk=pk)
    context: dict[str, Any] = {"model": model, "q": request.GET.get("q", "")}
    chosen = request.GET.get("lead", "")
    if chosen.isdecimal() and len(chosen) < 19:
        lead = get_object_or_404(Lead.objects.select_related("contact", "account"), pk=chosen)
        parts = explain.computed(model, lead)
        context |= {"lead": lead, "chart": charts.waterfall(parts, model.threshold)}
    elif context["q"]:
        context["found"] = _found(context["q"])
    else:
        context["found"] = Lead.objects.select_related("contact", "account").order_by("-pk")[:FOUND]
    return render(request, "scoring/test.html", context)


def _found(text: str) -> list[Lead]:
    """Leads by their own words or their contact's."""
    hits = search.find(text, kinds=("lead", "contact"), limit=FOUND)
    leads = [pk for kind, pk in hits if kind == "lead"]
    contacts = [pk for kind, pk in hits if kind == "contact"]
    rows = Lead.objects.select_related("contact", "account")
    return list((rows.filter(pk__in=leads) | rows.filter(contact_id__in=contacts)).order_by("-pk")[:FOUND])
