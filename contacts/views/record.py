"""What pages of contacts, accounts and leads share: the timeline, and notes on it."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import people, queries
from contacts.forms import NoteForm
from contacts.models import Account, Contact
from tenants.access import Right, allow
from tenants.responses import done

SUBJECTS = ("contact", "account", "lead")
NOTED = {"contact": (Contact, "contacts:detail"), "account": (Account, "contacts:account")}


@allow(Right.VIEW)
def timeline(request: Any, subject: str, pk: int) -> HttpResponse:
    """A fragment: another group of the timeline, or older entries."""
    if subject not in SUBJECTS:
        raise Http404
    group, before = request.GET.get("group"), request.GET.get("before")
    found = queries.timeline(**{subject: pk}, group=group, before=before)
    template = "contacts/_timeline.html#entries" if before else "contacts/_timeline.html"
    return render(request, template, {"timeline": found})


@allow(Right.EDIT_AUDIENCE)
@require_POST
def note(request: Any, subject: str, pk: int) -> HttpResponse:
    """Write a note on a contact or an account."""
    if subject not in NOTED:
        raise Http404
    model, page = NOTED[subject]
    target: Any = get_object_or_404(model, pk=pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return done(request, _("A note needs a text of at most 5,000 characters."), page, pk, level="warning")
    people.write_note(form.cleaned_data["text"], by=request.member, **{subject: target})
    return done(request, _("The note is on the timeline."), page, pk)
