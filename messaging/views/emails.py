"""E-mails: the list, one e-mail with its results, its settings and states."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from messaging import publishing, queries
from messaging.forms.emails import EmailForm, TestForm
from messaging.models import Email, EmailVersion, Link
from messaging.personalization import readable
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.VIEW)
def email_list(request: Any) -> HttpResponse:
    """All e-mails, the latest changed first; `?archived=1` those put away."""
    is_archived = request.GET.get("archived") == "1"
    page = page_of(queries.emails(is_archived=is_archived), ("-updated_at", "-id"), request.GET)
    context = {"page": page, "rows": queries.rows_of(page.rows), "is_archived": is_archived}
    return render(request, "messaging/list.html", context)


@allow(Right.EDIT_MARKETING)
def new(request: Any) -> HttpResponse:
    """Name a new e-mail, then design it."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = publishing.create(by=request.member, **form.cleaned_data)
        return redirect("messaging:edit", email.pk)
    return render(request, "messaging/new.html", {"form": form}, status=_status(request))


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """What became of an e-mail, and what stands against going live."""
    email = get_object_or_404(Email.objects.select_related("purpose", "content_settings"), pk=pk)
    versions = EmailVersion.objects.filter(email=email).select_related("went_live_by__user").order_by("-number")
    versions = versions.defer("html", "text", "blocks")
    figures = queries.figures_of(email)
    live = next((version for version in versions if version.state == "live"), None)
    draft = next((version for version in versions if version.state == "draft"), None)
    context = {
        "email": email,
        "versions": versions,
        "live": live,
        "draft": draft,
        "subject": readable(shown.subject) if (shown := draft or live) else "",
        "figures": figures,
        "results": queries.results(figures),
        "links": queries.links_of(email),
        "issues": publishing.check(email),
    }
    return render(request, "messaging/detail.html", context)


@allow(Right.EDIT_MARKETING)
def settings(request: Any, pk: int) -> HttpResponse:
    """Name, designation, purpose and sender."""
    email = get_object_or_404(Email, pk=pk)
    form = EmailForm(request.POST or None, instance=email)
    if request.method == "POST" and form.is_valid():
        publishing.change_settings(form.save(commit=False), by=request.member)
        return done(request, _("Saved."), "messaging:detail", email.pk)
    return render(request, "messaging/settings.html", {"form": form, "email": email}, status=_status(request))


@allow(Right.EDIT_MARKETING)
@require_POST
def go_live(request: Any, pk: int) -> HttpResponse:
    """Make the draft what is sent."""
    email = get_object_or_404(Email, pk=pk)
    try:
        version = publishing.go_live(email, request.member)
    except publishing.HasErrors as error:
        text = _("Not live yet: %(errors)s") % {"errors": error}
        return done(request, text, "messaging:edit", email.pk, level="error")
    text = _("Version %(number)d is live: it is what is sent from now on.") % {"number": version.number}
    return done(request, text, "messaging:detail", email.pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def discard(request: Any, pk: int) -> HttpResponse:
    """Throw the draft away; what is live stays."""
    email = get_object_or_404(Email, pk=pk)
    publishing.discard_draft(email, request.member)
    return done(request, _("The draft has been thrown away."), "messaging:detail", email.pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def archive(request: Any, pk: int) -> HttpResponse:
    """Put an e-mail away, or bring it back (`archived` = 0)."""
    email = get_object_or_404(Email, pk=pk)
    is_archived = request.POST.get("archived") != "0"
    publishing.set_archived(email, is_archived, by=request.member)
    text = _("Put away. Journeys that send it go on doing so.") if is_archived else _("Back in the list.")
    return done(request, text, "messaging:detail", email.pk)


@allow(Right.EDIT_MARKETING)
def test(request: Any, pk: int) -> HttpResponse:
    """Send the latest version to somebody, by default oneself."""
    email = get_object_or_404(Email, pk=pk)
    form = TestForm(request.POST or None, initial={"address": request.user.email})
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["address"]
        try:
            publishing.send_test(email, address, as_contact=form.cleaned_data["contact"], by=request.member)
            return done(request, _("A test is on its way to %(to)s.") % {"to": address}, "messaging:edit", email.pk)
        except publishing.HasErrors as error:
            form.add_error(None, str(error))
    return render(request, "messaging/test.html", {"form": form, "email": email}, status=_status(request))


@allow(Right.VIEW)
def people(request: Any, pk: int, what: str) -> HttpResponse:
    """The people behind a number; `?link=` those who followed one link."""
    email = get_object_or_404(Email, pk=pk)
    if what not in queries.PEOPLE:
        raise Http404
    number = request.GET.get("link", "")
    link = get_object_or_404(Link, pk=number, email=email) if number.isdecimal() and len(number) < 19 else None
    page = page_of(queries.people(email, what, link), ("-id",), request.GET)
    context = {"email": email, "page": page, "link": link, "title": queries.LABELS[what]}
    return render(request, "messaging/people.html", context)


def _status(request: Any) -> int:
    return 422 if request.method == "POST" else 200
