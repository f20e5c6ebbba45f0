"""Settings of messaging: who e-mails come from, which addresses are not mailed."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from messaging import queries, senders, suppressing
from messaging.forms.emails import ContentSettingsForm, SuppressionForm
from messaging.models import ContentSettings, Suppression
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.EDIT_MARKETING)
def content_list(request: Any) -> HttpResponse:
    """All content settings."""
    rows = ContentSettings.objects.order_by("-is_default", "name")
    return render(request, "messaging/content_list.html", {"rows": rows})


@allow(Right.EDIT_MARKETING, post=Right.MANAGE)
def content(request: Any, pk: int | None = None) -> HttpResponse:
    """One of them; without a key a new one."""
    row = get_object_or_404(ContentSettings, pk=pk) if pk else ContentSettings()
    form = ContentSettingsForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        senders.save(form.save(commit=False), by=request.member)
        return done(request, _("Saved. Mails that are sent from now on carry it."), "messaging:content_list")
    status = 422 if request.method == "POST" else 200
    return render(request, "messaging/content.html", {"form": form, "row": row}, status=status)


@allow(Right.VIEW, post=Right.EDIT_MARKETING)
def suppression_list(request: Any) -> HttpResponse:
    """Addresses that are not mailed, or what stands against one (`?address=`); a POST adds one."""
    form = SuppressionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        suppressing.suppress(form.cleaned_data["address"], detail=form.cleaned_data["detail"], by=request.member)
        return done(request, _("It is not mailed any more."), "messaging:suppressions")
    page = page_of(queries.suppressions(), ("-id",), request.GET)
    asked = request.GET.get("address", "").strip()
    context = {"page": page, "form": form, "asked": asked, "found": suppressing.find(asked) if asked else None}
    status = 422 if request.method == "POST" else 200
    return render(request, "messaging/suppressions.html", context, status=status)


@allow(Right.EDIT_MARKETING)
@require_POST
def lift(request: Any, pk: int) -> HttpResponse:
    """Let an address be mailed again."""
    row = get_object_or_404(Suppression, pk=pk)
    if not suppressing.lift(row, by=request.member):
        text = _("Who complained is never mailed again.")
        return done(request, text, "messaging:suppressions", level="error")
    return done(request, _("%(address)s can be mailed again.") % {"address": row}, "messaging:suppressions")
