"""The list of contacts, and the pages of one."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import bulk as bulk_verbs
from contacts import (
    consent,
    deletion,
    duplicates,
    editing,
    erasure,
    exporting,
    listing,
    mailability,
    merging,
    queries,
    registry,
    roles,
    saved_views,
)
from contacts.forms import ConsentForm, ContactForm, NoteForm
from contacts.models import Consent, Contact, ContactMerge, Role
from contacts.resources import ContactResource
from tenants.access import Right, allow, may
from tenants.responses import attachment, done


@allow(Right.VIEW)
def contact_list(request: Any) -> HttpResponse:
    """All contacts, narrowed and ordered by the address."""
    actions = [action for action in registry.bulk_actions if may(request.member, action.right)]
    context = {
        "listing": listing.contacts(request.GET, request.member),
        "views": [] if request.htmx else registry.contact_views(),
        "viewed": f"in={request.GET.get('in', '')}",
        "saved": saved_views.tabs("contacts", request.GET, request.member),
        "bulk_actions": [(action, list(action.choices()) if action.choices else None) for action in actions],
    }
    return render(request, "contacts/list.html#rows" if request.htmx else "contacts/list.html", context)


@allow(Right.EDIT_AUDIENCE, scoped=False)
def export(request: Any) -> Any:
    """The contacts of the list as a CSV file."""
    found = exporting.lines(
        request.tenant.pk, ContactResource, lambda: listing.contacts_to_export(request.GET, request.member)
    )
    return attachment("contacts.csv", found)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def bulk(request: Any) -> HttpResponse:
    """Do something to the ticked contacts, and come back to the list."""
    try:
        text = bulk_verbs.run(request.POST, by=request.member)
    except bulk_verbs.CannotDo as error:
        return done(request, str(error), "contacts:list", level="warning")
    return done(request, text, "contacts:list")


@allow(Right.EDIT_AUDIENCE)
def new(request: Any) -> HttpResponse:
    """A new contact."""
    form = ContactForm(request.POST or None, initial={"owner": request.member})
    if request.method == "POST":
        if contact := form.submit(lambda values: editing.create(values, by=request.member)):
            return done(request, _("%(name)s has been added.") % {"name": contact}, "contacts:detail", contact.pk)
        return render(request, "contacts/edit.html", {"form": form}, status=422)
    return render(request, "contacts/edit.html", {"form": form})


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """One contact: facts, timeline, and what the other apps know."""
    contact: Any = _contact(pk)
    if contact.merged_into_id and not contact.is_active:
        return redirect("contacts:detail", contact.merged_into_id)
    mail = mailability.answer(contact)
    listing.add_facts([contact], refused={contact.pk} if any(state.is_refused for state in mail.purposes) else set())
    context = {
        "contact": contact,
        "mail": mail,
        "own_fields": queries.own_fields("contact", contact.custom),
        "roles": roles.of_contact(contact) if contact.has_roles else [],
        "timeline": queries.timeline(contact=contact, group=request.GET.get("group"), before=request.GET.get("before")),
        "panels": registry.shown_panels(registry.contact_panels, contact),
        "actions": [(a, a.path(contact)) for a in registry.contact_actions if may(request.member, a.right)],
        "note_form": NoteForm(),
        "consent_form": ConsentForm(purposes=[state.purpose for state in mail.purposes]),
        "merges": merging.undoable(contact) if contact.has_merges else [],
        "similar": duplicates.similar(contact),
    }
    return render(request, "contacts/detail.html", context)


@allow(Right.EDIT_AUDIENCE)
def edit(request: Any, pk: int) -> HttpResponse:
    """A contact's fields."""
    contact = _contact(pk)
    form = ContactForm(request.POST or None, record=contact)
    if request.method == "POST":
        changes = form.submit(lambda values: editing.change(contact, values, by=request.member))
        if changes is not None:
            text = _("%(name)s has been changed.") if changes else _("Nothing was changed at %(name)s.")
            return done(request, text % {"name": contact}, "contacts:detail", contact.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "contacts/edit.html", {"form": form, "contact": contact}, status=status)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def set_consent(request: Any, pk: int) -> HttpResponse:
    """What she said about a purpose, as a member heard it."""
    contact, form = _contact(pk), ConsentForm(request.POST)
    if not form.is_valid():
        return render(request, "contacts/consent.html", {"form": form, "contact": contact}, status=422)
    purpose, basis = form.cleaned_data["purpose"], form.cleaned_data["basis"]
    if form.cleaned_data["state"] == Consent.State.GRANTED:
        consent.grant(contact, purpose, basis=basis, source=_("entered by hand"), by=request.member)
    else:
        consent.refuse(contact, purpose, source=basis or _("entered by hand"), by=request.member)
    return done(request, _("The consent has been noted."), "contacts:detail", contact.pk)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def delete(request: Any, pk: int) -> HttpResponse:
    """Take a contact out of everything; she is erased after 30 days."""
    contact = _contact(pk)
    deletion.deactivate(contact, by=request.member)
    text = _("%(name)s has been deleted. You can restore the contact for 30 days.") % {"name": contact}
    return done(request, text, "contacts:detail", contact.pk)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def restore(request: Any, pk: int) -> HttpResponse:
    """Take a deletion back."""
    contact = _contact(pk)
    try:
        deletion.restore(contact, by=request.member)
    except deletion.AddressTaken as error:
        return done(request, str(error), "contacts:detail", contact.pk, level="warning")
    return done(request, _("%(name)s is back.") % {"name": contact}, "contacts:detail", contact.pk)


@allow(Right.MANAGE)
def erase(request: Any, pk: int) -> HttpResponse:
    """Asks, naming the person and what goes; by POST she is erased for good, without the 30 days."""
    contact = _contact(pk)
    if contact.merged_into_id:
        raise Http404  # it goes with the contact that it was merged into
    if request.method == "POST":
        erasure.erase([contact.pk], by=request.member)
        return done(request, _("The contact has been erased."), "contacts:list")
    return render(request, "contacts/erase.html", {"contact": contact, "stays": erasure.what_becomes()})


@allow(Right.VIEW)
def companies(request: Any) -> HttpResponse:
    """Suggestions for a company's name, as <option>s."""
    found = editing.companies_like(request.GET.get("company", ""))
    return render(request, "contacts/edit.html#companies", {"companies": found})


def _contact(pk: int) -> Contact:
    """The contact, and (for what few have) whether there is anything to ask for."""
    rows = Contact.objects.select_related("account", "owner__user", "facts").annotate(
        has_roles=Exists(Role.objects.filter(contact=OuterRef("pk"))),
        has_merges=Exists(ContactMerge.objects.filter(survivor=OuterRef("pk"))),
    )
    contact = get_object_or_404(rows, pk=pk)
    if not contact.is_active and not (contact.deactivated_at or contact.merged_into_id):
        raise Http404
    return contact
