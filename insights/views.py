"""The home page: where leads stand, what came in, what journeys and e-mails did, and what is mine to do."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from insights import figures
from messaging import queries as emails
from tenants.access import Right, allow
from tenants.days import begin_of
from tenants.models import Member

# Days that "lately" means, and how many rows a card shows.
MONTH, SHOWN = 30, 6


@allow(Right.VIEW)
def start(request: Any) -> HttpResponse:
    """Where a member begins: a sales rep with the day's work, everybody else with the figures."""
    is_rep = request.member.role == Member.Role.SALES_REP
    return redirect("leads:my_day" if is_rep else "insights:home")


@allow(Right.VIEW)
def home(request: Any) -> HttpResponse:
    weeks, stages = figures.leads_per_week(), figures.leads_by_stage()
    # Days, as the lists behind the numbers take them.
    month_ago = timezone.localdate() - timedelta(days=MONTH)
    tasks = figures.my_tasks(request.member)
    context = {
        "stages": [stage for stage in stages if not stage.is_way_out],
        "ways_out": [stage for stage in stages if stage.is_way_out],
        "most_at_stage": max((stage.count for stage in stages), default=0),
        "weeks": weeks,
        "most_per_week": max((week.count for week in weeks), default=0),
        "new_this_week": weeks[-1],
        "new_last_week": weeks[-2],
        "open_leads": figures.open_lead_count(),
        "qualified": figures.qualified_since(begin_of(month_ago)),
        "month_ago": month_ago,
        "emails": emails.results_since(begin_of(month_ago), SHOWN),
        "journeys": figures.journey_results(),
        "tasks": tasks[:SHOWN],
        "task_count": tasks.count(),
    }
    return render(request, "insights/home.html", context)
