"""A tenant's own fields."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import custom
from contacts.forms import FieldForm
from contacts.models import Field
from tenants.access import Right, allow
from tenants.responses import done


@allow(Right.MANAGE)
def field_list(request: Any) -> HttpResponse:
    """All fields by what they are on; the retired ones below."""
    rows = list(Field.objects.order_by("entity", "label", "pk"))
    context = {
        "fields": [row for row in rows if not row.retired_at],
        "retired": [row for row in rows if row.retired_at],
    }
    return render(request, "contacts/fields.html", context)


@allow(Right.MANAGE)
def new(request: Any) -> HttpResponse:
    """A new field."""
    form = FieldForm(request.POST or None)
    if request.method == "POST":
        if field := form.submit(by=request.member):
            return done(request, _("The field “%(label)s” has been added.") % {"label": field}, "contacts:fields")
        return render(request, "contacts/field.html", {"form": form}, status=422)
    return render(request, "contacts/field.html", {"form": form})


@allow(Right.MANAGE)
def change(request: Any, pk: int) -> HttpResponse:
    """A field's label, choices and sensitivity; and what uses it."""
    field = get_object_or_404(Field, pk=pk)
    form = FieldForm.of(field, request.POST or None)
    if request.method == "POST" and form.is_valid():
        custom.change(field, **form.cleaned_data, by=request.member)
        return done(request, _("The field “%(label)s” has been changed.") % {"label": field}, "contacts:fields")
    context = {"form": form, "field": field, "usages": custom.used_by(field)}
    return render(request, "contacts/field.html", context, status=422 if request.method == "POST" else 200)


@allow(Right.MANAGE)
@require_POST
def retire(request: Any, pk: int) -> HttpResponse:
    """Take a field out of use."""
    field = get_object_or_404(Field, pk=pk)
    custom.retire(field, by=request.member)
    return done(request, _("The field “%(label)s” has been retired.") % {"label": field}, "contacts:fields")


@allow(Right.MANAGE)
@require_POST
def restore(request: Any, pk: int) -> HttpResponse:
    """Take a field into use again."""
    field = get_object_or_404(Field, pk=pk)
    custom.restore(field, by=request.member)
    return done(request, _("The field “%(label)s” is in use again.") % {"label": field}, "contacts:fields")
