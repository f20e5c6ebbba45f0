"""The pages of webhooks: endpoints, what was delivered to them, and each delivery."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.forms.webhooks import EndpointForm
from integrations.models import Delivery, Endpoint
from integrations.webhooks import bodies, endpoints, outbox, queries, reasons
from journeys.models import Participant
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.MANAGE)
def index(request: Any) -> HttpResponse:
    """All endpoints."""
    return render(request, "integrations/webhooks.html", {"rows": queries.endpoints()})


@allow(Right.MANAGE)
def new(request: Any) -> HttpResponse:
    """A new endpoint; the answer shows its secret, once."""
    form = EndpointForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "integrations/webhook_edit.html", {"form": form}, status=status)
    given = form.cleaned_data
    endpoint, secret = endpoints.add(given["url"], given["kinds"], description=given["description"], by=request.member)
    return _shown_once(request, endpoint, secret)


@allow(Right.MANAGE)
def edit(request: Any, pk: int) -> HttpResponse:
    """Change an endpoint's address and events."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    form = EndpointForm(request.POST or None, instance=endpoint)
    if request.method == "POST" and form.is_valid():
        endpoints.change(form.save(commit=False), by=request.member)
        return done(request, _("Saved."), "integrations:endpoint", pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "integrations/webhook_edit.html", {"form": form, "endpoint": endpoint}, status=status)


@allow(Right.MANAGE)
def detail(request: Any, pk: int) -> HttpResponse:
    """One endpoint and its deliveries (`?state=`, `?kind=`)."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    kinds = queries.kinds_of(endpoint)
    state = state if state in Delivery.State.values else ""
    kind = kind if kind in dict(kinds) else ""
    page = page_of(queries.deliveries(endpoint, state, kind), ("-id",), request.GET)
    latest, titles = queries.last_attempts(page.rows), queries.titles()
    rows = [
        (row, titles.get(row.kind, row.kind), latest.get(row.pk), reasons.in_words(row.reason)) for row in page.rows
    ]
    context = {
        "endpoint": endpoint, "page": page, "rows": rows, "state": state, "kind": kind, "kinds": kinds,
        "counts": queries.counts(endpoint), "events": [(key, titles.get(key, "")) for key in endpoint.kinds],
    }  # fmt: skip
    return render(request, "integrations/webhook.html", context)


@allow(Right.MANAGE)
def delivery(request: Any, pk: int) -> HttpResponse:
    """One delivery: what was sent, each attempt, what came back."""
    return _delivery(request, get_object_or_404(Delivery.objects.select_related("endpoint", "contact"), pk=pk))


@allow(Right.VIEW)
def call(request: Any, participant: int, tile: str) -> HttpResponse:
    """What a journey's tile sent for a participant, and what came back."""
    row = Delivery.objects.select_related("endpoint", "contact").filter(participant_id=participant, tile=tile).first()
    if row is not None:
        return _delivery(request, row)
    person = get_object_or_404(Participant, pk=participant)
    return render(request, "integrations/delivery_gone.html", {"person": person})


def _delivery(request: Any, row: Delivery) -> HttpResponse:
    context = {
        "delivery": row,
        "body": json.dumps(bodies.ordered(row.body), indent=2, ensure_ascii=False) if row.body else "",
        "attempts": queries.attempts(row),
        "ahead": queries.ahead(row),
        "reason": reasons.in_words(row.reason),
        "title": queries.titles().get(row.kind, row.kind),
    }
    return render(request, "integrations/delivery.html", context)


@allow(Right.MANAGE)
@require_POST
def replay(request: Any, pk: int) -> HttpResponse:
    """Send one delivery again."""
    row = get_object_or_404(Delivery, pk=pk)
    if outbox.replay(row, request.member):
        return done(request, _("It is sent again."), "integrations:delivery", pk)
    text = _("It cannot be sent again now.")
    return done(request, text, "integrations:delivery", pk, level="warning")


@allow(Right.MANAGE)
@require_POST
def replay_failed(request: Any, pk: int) -> HttpResponse:
    """Send again what failed."""
    count = outbox.replay_failed(get_object_or_404(Endpoint, pk=pk), request.member)
    text = ngettext("%(n)d delivery is sent again.", "%(n)d deliveries are sent again.", count) % {"n": count}
    return done(request, text, "integrations:endpoint", pk)


@allow(Right.MANAGE)
@require_POST
def rotate(request: Any, pk: int) -> HttpResponse:
    """A new secret; the answer shows it, once."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    return _shown_once(request, endpoint, endpoints.rotate(endpoint, request.member))


@allow(Right.MANAGE)
@require_POST
def test(request: Any, pk: int) -> HttpResponse:
    """Send a test message."""
    if outbox.send_test(get_object_or_404(Endpoint, pk=pk), request.member):
        return done(request, _("A test message is on its way."), "integrations:endpoint", pk)
    text = _("Nothing is sent there now: resume it first.")
    return done(request, text, "integrations:endpoint", pk, level="warning")


@allow(Right.MANAGE)
@require_POST
def pause(request: Any, pk: int) -> HttpResponse:
    """Hold an endpoint's deliveries."""
    return _verb(request, pk, endpoints.pause, _("Paused. What happens meanwhile is kept for later."))


@allow(Right.MANAGE)
@require_POST
def resume(request: Any, pk: int) -> HttpResponse:
    """Let an endpoint's deliveries go on."""
    return _verb(request, pk, endpoints.resume, _("It goes on."))


@allow(Right.MANAGE)
@require_POST
def remove(request: Any, pk: int) -> HttpResponse:
    """Delete an endpoint."""
    endpoint = get_object_or_404(Endpoint, pk=pk)
    endpoints.remove(endpoint, request.member)
    return done(request, _("%(name)s has been deleted.") % {"name": endpoint}, "integrations:webhooks")


def _verb(request: Any, pk: int, verb: Callable[[Endpoint, Any], bool], said: str) -> HttpResponse:
    if verb(get_object_or_404(Endpoint, pk=pk), request.member):
        return done(request, said, "integrations:endpoint", pk)
    text = _("Somebody was faster: look at its state.")
    return done(request, text, "integrations:endpoint", pk, level="warning")


def _shown_once(request: Any, endpoint: Endpoint, secret: str) -> HttpResponse:
    """The page with the secret: an answer to a POST, so that no address and no store leads to it again."""
    response = render(request, "integrations/webhook_secret.html", {"endpoint": endpoint, "secret": secret})
    response["Cache-Control"] = "no-store"
    return response
