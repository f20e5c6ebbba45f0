"""The company's settings, and the sample company's clock."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants import clock, companies
from tenants.access import Right, allow
from tenants.models import Audit
from tenants.paging import page_of
from tenants.responses import done
from tenants.views.forms import CompanyForm


@allow(Right.MANAGE)
def settings(request: Any) -> HttpResponse:
    """Name, zone, country and currency."""
    form = CompanyForm(request.POST) if request.method == "POST" else CompanyForm.of(request.tenant)
    if request.method != "POST":
        return render(request, "tenants/company.html", {"form": form})
    if not form.is_valid():
        return render(request, "tenants/company.html", {"form": form}, status=422)
    companies.update(request.tenant, by=request.member, **form.cleaned_data)
    return done(request, _("The company's settings have been saved."), "tenants:settings")


@allow(Right.MANAGE)
def history(request: Any) -> HttpResponse:
    """Who changed what: the audit trail, newest first."""
    page = page_of(Audit.objects.select_related("actor"), ("-at", "-pk"), request.GET)
    return render(request, "tenants/history.html", {"page": page})


@allow(Right.EDIT_MARKETING, scoped=False)
@require_POST
def clock_forward(request: Any) -> HttpResponse:
    """Let a day pass for the sample company, and come back to the page."""
    if not request.tenant.is_sample:
        raise Http404
    clock.forward(request.tenant, days=1)
    back = request.META.get("HTTP_REFERER", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return done(request, _("A day has passed for this company."), back if is_ours else "tenants:preferences")
