"""Where answers go: the list of forms, and the mapping of each, tried on what people have sent."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integrations.forms.linkedin_mapping import MappingPage
from integrations.linkedin import mapping, queries, rerun
from integrations.models import Connection, LeadForm
from tenants.access import Right, allow, may
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.VIEW)
def form_list(request: Any, pk: int) -> HttpResponse:
    """A connection's forms, and by which mapping each is read."""
    connection = get_object_or_404(queries.connections(), pk=pk)
    page = page_of(queries.forms_of(connection), ("name", "pk"), request.GET)
    context = {"connection": connection, "page": page, "may_map": may(request.member, Right.EDIT_MARKETING)}
    return render(request, "integrations/linkedin/forms.html", context)


@allow(Right.EDIT_MARKETING)
def of_connection(request: Any, pk: int) -> HttpResponse:
    """The mapping of all forms without their own."""
    return _edit(request, get_object_or_404(queries.connections(), pk=pk), None)


@allow(Right.EDIT_MARKETING)
def of_form(request: Any, pk: int) -> HttpResponse:
    """The mapping of one form."""
    form = get_object_or_404(LeadForm.objects.select_related("connection"), pk=pk)
    return _edit(request, form.connection, form)


@allow(Right.EDIT_MARKETING)
@require_POST
def forget(request: Any, pk: int) -> HttpResponse:
    """Let the default hold for a form again."""
    form = get_object_or_404(LeadForm, pk=pk)
    mapping.forget(form, by=request.member)
    return done(request, _("The mapping of all forms holds for it again."), "integrations:linkedin_form_mapping", pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def apply(request: Any, pk: int) -> HttpResponse:
    """Order the mapping of a form (`form`; none: that of all others) for what is stored: a trial, or for good."""
    connection = get_object_or_404(queries.connections(), pk=pk)
    number = request.POST.get("form", "")
    forms = LeadForm.objects.filter(connection=connection)
    form = get_object_or_404(forms, pk=int(number)) if number.isdecimal() and len(number) < 18 else None
    is_trial = request.POST.get("do") != "apply"
    job = rerun.order(connection, form, is_trial=is_trial, by=request.member)
    said = _("It is tried; nothing is changed.") if is_trial else _("It is applied to what is stored.")
    return done(request, said, "tenants:job", job.pk)


def _edit(request: Any, connection: Connection, form: LeadForm | None) -> HttpResponse:
    page = MappingPage(connection, form, request.POST if request.method == "POST" else None)
    is_right = page.given is None or page.is_valid()
    if is_right and page.given is not None and request.POST.get("do") != "preview":
        is_right = page.save(request.member)
        if is_right:
            return done(request, _("Saved. What comes in from now on is read by it."), *page.url())
    status = 200 if is_right else 422
    context = {
        "connection": connection,
        "form": form,
        "page": page,
        "preview": page.preview(request.tenant.country),
        "has_submissions": queries.has_submissions(connection, form),
    }
    return render(request, "integrations/linkedin/mapping.html", context, status=status)
