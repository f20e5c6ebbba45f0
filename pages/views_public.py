"""What visitors see. No session, no app cookie; pages run in their own Content-Security-Policy."""

from typing import Any

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from pages import limits, submissions, tokens, visits
from pages.forms import HONEYPOT, PublicForm
from pages.models import Page, Submission, Visitor
from pages.submissions import Entered
from tenants.access import in_scope_of, public
from tenants.links import site_path
from tenants.models import Tenant

POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'self'"],
}

# The states of pages whose forms are taken.
SENT_FROM = (Page.State.LIVE, Page.State.ARCHIVED)


@csrf_exempt
@csp_replace(POLICY)
@public
def page(request: HttpRequest, tenant: Tenant, slug: str) -> HttpResponse:
    """A live page; a POST is its form, sent. There is no session to forge a request in: the form's own token counts.

    Who had the page open when it was taken off the web can still send it.
    """
    found = _page(slug, *SENT_FROM if request.method == "POST" else [Page.State.LIVE])
    if request.method == "POST" and found.form:
        return _receive(request, tenant, found)
    return _show(request, tenant, found, PublicForm(found.form) if found.form else None)


@csp_replace(POLICY)
@public
def thanks(request: HttpRequest, tenant: Tenant, slug: str) -> HttpResponse:
    """What a visitor sees after sending."""
    found = _page(slug, *SENT_FROM)
    if found.form is None:
        raise Http404
    return render(request, "pages/public/thanks.html", {"tenant": tenant, "page": found})


def _page(slug: str, *states: str) -> Page:
    pages = Page.objects.select_related("form", "form__purpose").filter(slug=slug, state__in=states)
    if (found := pages.first()) is None:
        raise Http404
    return found


def _show(
    request: HttpRequest, tenant: Tenant, found: Page, form: PublicForm | None, status: int = 200, problem: str = ""
) -> HttpResponse:
    context = {
        "tenant": tenant,
        "page": found,
        "content": found.live_content,
        "form": form,
        "token": tokens.form_token(found.form_id) if found.form_id else "",
        "honeypot": HONEYPOT,
        "problem": problem,
        "o": request.GET.get("o", "") or request.POST.get("o", ""),
    }
    return render(request, "pages/public/page.html", context, status=status)


def _receive(request: HttpRequest, tenant: Tenant, found: Page) -> HttpResponse:
    """A sent form: what is wrong with it, or thanks. Whatever is wrong, the input stays."""
    assert found.form is not None
    form = PublicForm(found.form, request.POST)
    if request.POST.get(HONEYPOT):
        return redirect("public_pages:thanks", tenant.slug, found.slug)
    try:
        token = tokens.read_form_token(request.POST.get("token", ""), found.form.pk)
    except tokens.Expired:
        return _show(request, tenant, found, form, 422, _("This page was open for long. Please send it once more."))
    except tokens.Forged:
        return _show(request, tenant, found, form, 422, _("We could not read this form. Please send it once more."))
    if not form.is_valid():
        return _show(request, tenant, found, form, 422)
    if limits.is_over_limit(request, tenant.pk, str(form.cleaned_data.get("email", ""))):
        return _show(request, tenant, found, form, 429, _("Too many at once. Please try again in ten minutes."))
    entered = Entered(form.values(), form.unknown(), bool(form.cleaned_data.get("consent")), token.nonce)
    submissions.submit(found.form, found, entered, tenant=tenant, visitor=visits.visitor_of(request))
    return redirect("public_pages:thanks", tenant.slug, found.slug)


@csrf_exempt
@require_POST
@public
def visit(request: HttpRequest, tenant: Tenant, slug: str) -> HttpResponse:
    """The page's beacon: somebody is looking at it. Sent by script, so that link scanners seldom count."""
    found = Page.objects.filter(slug=slug, state=Page.State.LIVE).first()
    if found is None:
        raise Http404
    contact = visits.contact_of(request.POST.get("o", ""), tenant.pk)
    visitor = visits.visitor_of(request)
    if visitor and contact:
        visits.identify(visitor, contact, by=_("a link in an e-mail"))
    url, referrer = request.POST.get("url", ""), request.POST.get("referrer", "")
    visits.record(found, contact=contact, visitor=visitor, url=url, referrer=referrer)
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
@public
def recognise(request: HttpRequest, tenant: Tenant, slug: str) -> HttpResponse:
    """The visitor allows us to recognise this browser."""
    visitor = visits.visitor_of(request) or Visitor.objects.create()
    if contact := visits.contact_of(request.POST.get("o", ""), tenant.pk):
        visits.identify(visitor, contact, by=_("a link in an e-mail"))
    response = redirect("public_pages:page", tenant.slug, slug)
    response.set_cookie(
        visits.COOKIE,
        visitor.key,
        max_age=visits.COOKIE_AGE,
        path=f"/p/{tenant.slug}/",
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@csrf_exempt
@csp_replace(POLICY)  # type: ignore[arg-type]
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a double opt-in: GET shows a button (scanners follow links), POST confirms."""
    try:
        tenant_id, submission_id = tokens.read_confirmation_token(token)
    except tokens.Expired:
        return render(request, "pages/public/confirm.html", {"is_expired": True}, status=410)
    except tokens.Forged as error:
        raise Http404 from error
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is None:
        raise Http404
    return in_scope_of(tenant, request, _confirm, submission_id)


def _confirm(request: HttpRequest, tenant: Tenant, submission_id: int) -> HttpResponse:
    submission = Submission.objects.select_related("form", "page").filter(pk=submission_id).first()
    if submission is None:
        raise Http404
    context: dict[str, Any] = {"tenant": tenant, "submission": submission}
    if request.method == "POST":
        submissions.confirm(submission)
        context["is_confirmed"] = True
    else:
        context["is_confirmed"] = submission.state == Submission.State.DONE
    context["home"] = site_path("public_pages:page", tenant.slug, submission.page.slug) if submission.page else ""
    return render(request, "pages/public/confirm.html", context)


confirm.is_public = True  # type: ignore[attr-defined]
