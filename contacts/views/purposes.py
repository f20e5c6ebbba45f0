"""A tenant's purposes, and whether silence means no or yes."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import consent, purposes
from contacts.forms import ModeForm, PurposeForm
from contacts.models import Purpose
from tenants.access import Right, allow
from tenants.responses import done


@allow(Right.MANAGE)
def index(request: Any) -> HttpResponse:
    """All purposes, and the mode."""
    rows = Purpose.objects.order_by("-is_default", "name")
    form = ModeForm(initial={"mode": ModeForm.OUT if consent.is_opt_out() else ModeForm.IN})
    return render(request, "contacts/purposes.html", {"purposes": rows, "form": form})


@allow(Right.MANAGE)
@require_POST
def mode(request: Any) -> HttpResponse:
    """Choose what silence means."""
    form = ModeForm(request.POST)
    if not form.is_valid():
        context = {"purposes": Purpose.objects.order_by("-is_default", "name"), "form": form}
        return render(request, "contacts/purposes.html", context, status=422)
    purposes.set_opt_out(form.cleaned_data["mode"] == ModeForm.OUT, by=request.member)
    return done(request, _("Saved."), "contacts:purposes")


@allow(Right.MANAGE)
def new(request: Any) -> HttpResponse:
    """A new purpose."""
    form = PurposeForm(request.POST or None)
    if request.method == "POST":
        if purpose := form.submit(lambda values: purposes.create(**values, by=request.member)):
            return done(request, _("The purpose “%(name)s” has been added.") % {"name": purpose}, "contacts:purposes")
        return render(request, "contacts/purpose.html", {"form": form}, status=422)
    return render(request, "contacts/purpose.html", {"form": form})


@allow(Right.MANAGE)
def change(request: Any, pk: int) -> HttpResponse:
    """How a purpose is shown."""
    purpose = get_object_or_404(Purpose, pk=pk)
    initial = {"name": purpose.name, "description": purpose.description}
    form = PurposeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        purposes.change(purpose, **form.cleaned_data, by=request.member)
        return done(request, _("The purpose “%(name)s” has been changed.") % {"name": purpose}, "contacts:purposes")
    status = 422 if request.method == "POST" else 200
    return render(request, "contacts/purpose.html", {"form": form, "purpose": purpose}, status=status)


@allow(Right.MANAGE)
@require_POST
def make_default(request: Any, pk: int) -> HttpResponse:
    """Let a purpose be the default."""
    purpose = get_object_or_404(Purpose, pk=pk)
    purposes.make_default(purpose, by=request.member)
    return done(request, _("“%(name)s” is the default now.") % {"name": purpose}, "contacts:purposes")


@allow(Right.MANAGE)
@require_POST
def delete(request: Any, pk: int) -> HttpResponse:
    """Remove a purpose that nobody has been asked about."""
    purpose = get_object_or_404(Purpose, pk=pk)
    try:
        purposes.delete(purpose, by=request.member)
    except purposes.InUse as error:
        return done(request, str(error), "contacts:purposes", level="error")
    return done(request, _("The purpose “%(name)s” has been removed.") % {"name": purpose}, "contacts:purposes")
