"""The journey's page: the outline, with a panel beside it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from journeys import figures, outline, publishing, queries, results
from journeys.models import Journey, JourneyVersion
from tenants.access import Right, allow, may

State = JourneyVersion.State


def find(pk: int) -> Journey:
    """The journey, or 404."""
    return get_object_or_404(Journey.objects.select_related("owner__user"), pk=pk)


def show(
    request: Any,
    journey: Journey,
    panel: str = "journeys/_about.html",
    extra: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Answer with the panel (to htmx), or with the whole page around it."""
    context = {"journey": journey, "panel": panel, **(extra or {})}
    versions = queries.versions(journey)
    wants_live = request.GET.get("version") == "live" and State.LIVE in versions
    draft = versions.get(State.DRAFT)
    context["draft"], context["live"] = draft, versions.get(State.LIVE)
    context["version"] = version = context["live"] if wants_live or draft is None else draft
    context["may_edit"] = version is draft and draft is not None and may(request.member, Right.EDIT_MARKETING)
    if request.htmx and request.method == "GET":
        return render(request, panel, context, status=status)
    issues = []
    if version:
        is_draft = version.state == State.DRAFT
        issues = publishing.check(version) if is_draft else publishing.broken(version)
    numbers = figures.of_journey(journey)
    context |= {
        "issues": issues,
        "errors": sum(issue.severity == "error" for issue in issues),
        "cards": outline.build(version, numbers, results.of_tiles(journey.pk), issues) if version else [],
        "selected": request.resolver_match.kwargs.get("key", ""),
    }
    return render(request, "journeys/detail.html", context, status=status)


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """The outline of the draft or, with `?version=live` or without a draft, of the live version."""
    return show(request, find(pk))
