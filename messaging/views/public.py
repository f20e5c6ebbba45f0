"""Recipients' own pages, by the token of their mail: no session, no cookie; GET changes nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt

from messaging import preferences as choosing
from messaging import previews, tokens, unsubscribing
from messaging.models import EmailVersion
from messaging.personalization import Refused
from messaging.unsubscribing import Subject
from messaging.views.design import PREVIEW_POLICY
from tenants.access import in_scope_of
from tenants.models import Tenant

POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
View = Callable[..., HttpResponse]


def by_token(view: View) -> View:
    """A page that the token of a mail opens: runs in its tenant's scope, as `view(request, tenant, subject, token)`.

    The token in the address is what lets somebody in; there is no session that a forged request could ride on.
    """

    @csrf_exempt
    @wraps(view)
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        try:
            own = tokens.read_pages(token)
        except tokens.Forged as error:
            raise Http404 from error
        tenant = Tenant.objects.filter(pk=own.tenant_id).first()
        if tenant is None:
            raise Http404
        return in_scope_of(tenant, request, _with_subject, view, own, token)

    opened.is_public = True  # type: ignore[attr-defined]
    return opened


@csp(POLICY)  # type: ignore[arg-type]
@by_token
def unsubscribe(request: Any, tenant: Tenant, subject: Subject, token: str) -> HttpResponse:
    """Asks, and by POST unsubscribes; who is unsubscribed or unknown is told so."""
    if request.method == "POST":
        unsubscribing.unsubscribe(subject, source="unsubscribe page")
    context = {
        "tenant": tenant,
        "subject": subject,
        "token": token,
        "is_subscribed": unsubscribing.is_subscribed(subject),
    }
    return render(request, "messaging/public/unsubscribe.html", context)


@csp(POLICY)  # type: ignore[arg-type]
@by_token
def preferences(request: Any, tenant: Tenant, subject: Subject, token: str) -> HttpResponse:
    """The subscription center: what somebody wants to get."""
    if request.method == "POST":
        wanted = {int(key) for key in request.POST.getlist("purpose") if key.isdecimal() and len(key) < 19}
        choosing.save(subject, wanted, wants_none="none" in request.POST)
    context = {
        "tenant": tenant,
        "subject": subject,
        "token": token,
        "choices": choosing.choices(subject.contact) if subject.contact else [],
        "is_saved": request.method == "POST",
    }
    return render(request, "messaging/public/preferences.html", context)


@csp(PREVIEW_POLICY)  # type: ignore[arg-type]
@by_token
def view(request: Any, tenant: Tenant, subject: Subject, token: str) -> HttpResponse:
    """The mail in the browser, as it was sent."""
    message = subject.message
    if message is None or message.email is None or message.version_id is None:
        raise Http404
    version = get_object_or_404(EmailVersion, pk=message.version_id)
    place = f"/m/{token}/"
    addresses = {"unsubscribe": place, "preferences": f"{place}preferences/", "view": f"{place}view/"}
    try:
        shown = previews.preview(tenant, message.email, version, previews.values_of(subject.contact), addresses)
    except Refused as error:
        raise Http404 from error
    return HttpResponse(shown.html)


def _with_subject(request: HttpRequest, tenant: Tenant, view: View, own: tokens.Own, token: str) -> HttpResponse:
    return view(request, tenant, unsubscribing.subject_of(own), token)
