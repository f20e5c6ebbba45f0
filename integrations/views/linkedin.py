"""LinkedIn: figures and submissions for everybody, and the page of a connection for who manages it."""

from functools import partial
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from contacts import exporting
from integrations.connections import expiring
from integrations.linkedin import gaps, queries, setting_up, sheets, versions
from integrations.linkedin.answers import Questions
from integrations.models import Connection, LeadSubmission
from tenants.access import Right, allow, may
from tenants.paging import page_of
from tenants.responses import attachment


@allow(Right.VIEW)
def home(request: Any) -> HttpResponse:
    """What LinkedIn has brought: by week, by form, by campaign."""
    weeks = queries.per_week()
    context = {
        "connections": list(queries.connections()),
        "may_manage": may(request.member, Right.MANAGE),
        "has_sandbox": setting_up.is_sandbox_offered(),
        "weeks": weeks,
        "most_per_week": max(week.count for week in weeks),
        "charts": [("form", queries.by_form()), ("campaign", queries.by_campaign())],
        "since": weeks[0].monday,
        "latest": queries.submissions(queries.Filters()).order_by("-submitted_at", "-pk")[:8],
    }
    return render(request, "integrations/linkedin/home.html", context)


@allow(Right.VIEW)
def submissions(request: Any) -> HttpResponse:
    """All submissions, newest first; by tab, form, campaign and day."""
    filters = queries.Filters.read(request.GET)
    page = page_of(queries.submissions(filters), ("-submitted_at", "-pk"), request.GET)
    forms, campaigns = queries.choices()
    context = {"filters": filters, "page": page, "tabs": queries.tabs(filters)}
    context |= {"forms": forms, "campaigns": campaigns}
    return render(request, "integrations/linkedin/submissions.html", context)


@allow(Right.EDIT_AUDIENCE, scoped=False)
def export(request: Any) -> Any:
    """The submissions of the list as a CSV file."""
    filters = queries.Filters.read(request.GET)
    # The days are the viewer's, whose zone does not hold any more while the file is sent.
    rows = queries.submissions(filters)
    found = exporting.lines(request.tenant.pk, partial(sheets.SubmissionSheet, filters.form), rows.all)
    return attachment("linkedin.csv", found)


@allow(Right.VIEW)
def figures(request: Any) -> Any:
    """A chart as a CSV file: by week, form or campaign."""
    by = request.GET.get("by", "week")
    if by not in ("week", "form", "campaign"):
        raise Http404
    return attachment(f"linkedin-by-{by}.csv", iter(list(exporting.as_csv(sheets.figures(by)))))


@allow(Right.VIEW)
def submission(request: Any, pk: int) -> HttpResponse:
    """One submission: what was sent, and what became of it and why."""
    rows = LeadSubmission.objects.select_related(
        "form", "version", "campaign", "account", "contact", "company", "lead", "connection"
    )
    found = get_object_or_404(rows, pk=pk)
    questions = Questions([found])
    context = {
        "submission": found,
        "answers": [shown for shown in questions.shown(found) if not shown.key.startswith("hidden:")],
        "hidden": questions.hidden(found),
        "consents": questions.consents(found),
        "others": queries.others_of(found),
        "may_map": may(request.member, Right.EDIT_MARKETING),
    }
    return render(request, "integrations/linkedin/submission.html", context)


@allow(Right.MANAGE)
def connection(request: Any, pk: int) -> HttpResponse:
    """A connection: how it is doing, its runs, and everything that is set up about it."""
    found = get_object_or_404(queries.connections(), pk=pk)
    accounts = list(queries.accounts_of(found))
    version, version_ends_on, is_version_ending = versions.ending()
    context = {
        **_sync(found),
        "accounts": accounts,
        "runs": queries.latest_runs(found),
        "counts": queries.counts_in_words(found),
        "ends_soon": expiring.ends_soon(found),
        "gaps": gaps.report(found),
        "told_at_once": [account for account in accounts if account.subscription_id],
        "is_told_of_chosen": all(bool(account.subscription_id) == account.is_chosen for account in accounts),
        "is_without_api": bool(found.settings.get(setting_up.WITHOUT_API)),
        "version": version,
        "version_ends_on": version_ends_on,
        "is_version_ending": is_version_ending,
    }
    return render(request, "integrations/linkedin/connection.html", context)


@allow(Right.MANAGE)
def progress(request: Any, pk: int) -> HttpResponse:
    """How far the run is; when it is over, the page is to be loaded anew."""
    context = _sync(get_object_or_404(queries.connections(), pk=pk))
    response = render(request, "integrations/linkedin/connection.html#sync", context)
    if not context["is_busy"]:
        response["HX-Refresh"] = "true"
    return response


def _sync(found: Connection) -> dict[str, Any]:
    running = queries.running(found)
    return {
        "connection": found,
        "running": running,
        "counted": queries.counted(running) if running else [],
        "is_busy": running is not None or queries.is_due(found),
    }
