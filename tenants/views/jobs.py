"""Long work: what is under way and what it came to; cancelling, taking back, files."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants import jobs
from tenants.access import Right, allow, may
from tenants.models import Job
from tenants.paging import page_of
from tenants.responses import attachment, done
from tenants.scope import tenant_scope


@allow(Right.VIEW)
def job_list(request: Any) -> HttpResponse:
    """All jobs, newest first."""
    rows = Job.objects.select_related("started_by__user")
    page = page_of(rows, ("-created_at", "-pk"), request.GET)
    return render(
        request, "tenants/jobs.html", {"page": page, "rows": [(job, jobs.kinds.of(job)) for job in page.rows]}
    )


@allow(Right.VIEW)
def job(request: Any, pk: int) -> HttpResponse:
    """One job; while it runs the page asks for its progress, and is loaded anew when that ends."""
    context = _context(request, pk)
    context |= context["kind"].context(context["job"])
    return render(request, "tenants/job.html", context)


@allow(Right.VIEW)
def progress(request: Any, pk: int) -> HttpResponse:
    """How far a job is; when it is over, the page is to be loaded anew."""
    context = _context(request, pk)
    response = render(request, "tenants/job.html#progress", context)
    if not context["is_open"]:
        response["HX-Refresh"] = "true"
    return response


@allow(Right.VIEW)
@require_POST
def cancel(request: Any, pk: int) -> HttpResponse:
    """Stop a job after the piece under way."""
    found = _permitted(request, pk)
    if jobs.cancel(found, by=request.member):
        return done(request, _("The job has been cancelled; what it had done stays."), "tenants:job", pk)
    return done(request, _("The job was over already."), "tenants:job", pk, level="info")


@allow(Right.VIEW)
@require_POST
def undo(request: Any, pk: int) -> HttpResponse:
    """Order the way back, and show its progress."""
    found = _permitted(request, pk)
    kind = jobs.kinds.of(found)
    if kind.undo is None:
        raise Http404
    try:
        way_back = kind.undo(found, request.member)
    except jobs.CannotUndo as error:
        return done(request, str(error), "tenants:job", pk, level="error")
    return done(request, _("It is being taken back."), "tenants:job", way_back.pk)


@allow(Right.VIEW, scoped=False)
def download(request: Any, pk: int, key: str) -> Any:
    """A file of the job, written while it is read."""
    with tenant_scope(request.tenant, read_only=True):
        found = _permitted(request, pk)
        offered = {each.key: each for each in jobs.kinds.of(found).downloads(found)}
    if key not in offered:
        raise Http404
    return attachment(offered[key].file_name, offered[key].lines(found))


def _permitted(request: Any, pk: int) -> Job:
    """The job, if the member's role may do what its kind does."""
    found = get_object_or_404(Job, pk=pk)
    if not may(request.member, jobs.kinds.of(found).right):
        raise PermissionDenied
    return found


def _context(request: Any, pk: int) -> dict[str, Any]:
    found = get_object_or_404(Job.objects.select_related("started_by__user"), pk=pk)
    kind, is_open = jobs.kinds.of(found), found.state in jobs.OPEN
    is_permitted = may(request.member, kind.right)
    return {
        "job": found,
        "kind": kind,
        "is_open": is_open,
        "is_permitted": is_permitted,
        "phase": kind.phase(found),
        "figures": kind.figures(found),
        "downloads": kind.downloads(found) if is_permitted else (),
        "may_undo": bool(kind.undo) and not is_open and is_permitted and kind.may_undo(found),
    }
