"""The home page: where leads stand, what came in, what journeys and e-mails did, and what is mine to do."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from insights import figures, setting_up
from tenants.access import Right, allow, may
from tenants.models import Member


@allow(Right.VIEW)
def start(request: Any) -> HttpResponse:
    """Where a member begins: a sales rep with the day's work, everybody else with the figures."""
    is_rep = request.member.role == Member.Role.SALES_REP
    return redirect("leads:my_day" if is_rep else "insights:home")


@allow(Right.VIEW)
def home(request: Any) -> HttpResponse:
    weeks, stages, since = figures.leads_per_week(), figures.leads_by_stage(), figures.begin()
    task_count, tasks = figures.my_tasks(request.member)
    context = {
        "stages": [stage for stage in stages if not stage.is_way_out],
        "ways_out": [stage for stage in stages if stage.is_way_out],
        "most_at_stage": max((stage.count for stage in stages), default=0),
        "weeks": weeks,
        "most_per_week": max((week.count for week in weeks), default=0),
        "new_this_week": weeks[-1],
        "new_last_week": weeks[-2],
        "open_leads": figures.open_lead_count(),
        "qualified": figures.qualified_since(since),
        "since": since,
        "emails": figures.email_results(),
        "journeys": figures.journey_results(),
        "tasks": tasks,
        "task_count": task_count,
        "steps": setting_up.steps(request.member) if may(request.member, Right.EDIT_MARKETING) else [],
    }
    return render(request, "insights/home.html", context)
