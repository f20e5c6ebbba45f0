"""The outbox, the caught mails, and a contact's mails."""

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from csp.decorators import csp
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts.models import Contact
from messaging import outbox as verbs
from messaging import previews, queries, transports
from messaging.models import CaughtMail, Message
from messaging.views.design import PREVIEW_POLICY
from tenants import preferences
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done

# What the outbox shows first: what needs somebody.
ORDER = ("uncertain", "queued", "sending", "held", "failed", "blocked", "sent", "cancelled")


@allow(Right.VIEW)
def outbox(request: Any) -> HttpResponse:
    """Messages by state, with the reasons."""
    state = request.GET.get("state", "")
    state = state if state in Message.State.values else Message.State.QUEUED
    page = page_of(queries.outbox(state), ("-id",), request.GET)
    context = {
        "page": page,
        "state": state,
        "counts": queries.outbox_counts(ORDER),
        "trouble": preferences.get(transports.TROUBLE),
    }
    return render(request, "messaging/outbox.html", context)


@allow(Right.EDIT_MARKETING)
@require_POST
def settle(request: Any, pk: int) -> HttpResponse:
    """Resend an uncertain message (`action` = resend), or take it for sent (leave)."""
    message = get_object_or_404(Message, pk=pk)
    try:
        if request.POST.get("action") == "resend":
            verbs.resend(message, request.member)
            return done(request, _("Queued again."), _uncertain())
        verbs.leave(message, request.member)
        return done(request, _("Taken for sent."), _uncertain())
    except verbs.NotUncertain:
        return done(request, _("Somebody has settled it already."), _uncertain(), level="warning")


@allow(Right.VIEW)
def of_contact(request: Any, pk: int) -> HttpResponse:
    """What a contact was sent."""
    contact = get_object_or_404(Contact, pk=pk)
    page = page_of(queries.messages_of(contact), ("-id",), request.GET)
    return render(request, "messaging/of_contact.html", {"contact": contact, "page": page})


@allow(Right.VIEW)
def caught_list(request: Any) -> HttpResponse:
    """Mails that the catcher kept instead of passing on."""
    page = page_of(CaughtMail.objects.defer("raw"), ("-id",), request.GET)
    return render(request, "messaging/caught_list.html", {"page": page})


@allow(Right.VIEW)
def caught(request: Any, pk: int) -> HttpResponse:
    """One caught mail: its headers, and itself in a frame."""
    mail = get_object_or_404(CaughtMail, pk=pk)
    parsed = _parsed(mail)
    headers = [(name, parsed[name]) for name in ("From", "To", "Reply-To", "Date", "List-Unsubscribe") if parsed[name]]
    text = parsed.get_body(("plain",))
    context = {"mail": mail, "headers": headers, "text": _content(text) if text else ""}
    return render(request, "messaging/caught.html", context)


@csp(PREVIEW_POLICY)  # type: ignore[arg-type]
@allow(Right.VIEW)
def caught_body(request: Any, pk: int) -> HttpResponse:
    """The HTML of a caught mail, in an origin of its own; its links open in new tabs."""
    parsed = _parsed(get_object_or_404(CaughtMail, pk=pk))
    html, text = parsed.get_body(("html",)), parsed.get_body(("plain",))
    if html is not None:
        return HttpResponse(previews.in_new_tabs(_content(html)))
    return HttpResponse(_content(text) if text else "", content_type="text/plain; charset=utf-8")


def _parsed(mail: CaughtMail) -> EmailMessage:
    return BytesParser(policy=email.policy.default).parsebytes(mail.raw.encode())  # type: ignore[return-value]


def _content(part: Any) -> str:
    """A part's text; a charset that nobody knows gives what can be read."""
    try:
        return part.get_content()
    except (LookupError, KeyError):
        return part.get_payload(decode=True).decode("ascii", "replace")


def _uncertain() -> str:
    return f"{reverse('messaging:outbox')}?state=uncertain"
