"""Pages outside any company: choosing one, starting one, accepting an invitation."""

from typing import Any

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tenants import companies, invitations, people
from tenants.models import Invitation, Member, Tenant
from tenants.responses import done
from tenants.views.forms import JoinForm, StartForm


@login_required
def choose_company(request: Any) -> HttpResponse:
    """The companies a person belongs to; who belongs to one only goes straight there (unless she asks to choose)."""
    memberships = (
        Member.objects.select_related("tenant").filter(user=request.user, is_active=True).order_by("tenant__name")
    )
    if len(memberships) == 1 and "choose" not in request.GET:
        return redirect(home_of(memberships[0].tenant))
    return render(request, "tenants/choose_company.html", {"memberships": memberships})


def start(request: Any) -> HttpResponse:
    """Start a company; somebody without an account makes hers on the way. Where that is not open, says who can."""
    if not companies.may_start(request.user):
        return render(request, "account/signup_closed.html", status=403)
    form = StartForm(request.POST or None, person=request.user)
    if request.method != "POST":
        return render(request, "tenants/start.html", {"form": form})
    if limited := ratelimit.consume_or_429(request, action="signup"):
        return limited
    if not form.is_valid():
        return render(request, "tenants/start.html", {"form": form}, status=422)
    try:
        person = form.person()
    except people.AddressTaken as error:
        form.add_error("email", str(error))
        return render(request, "tenants/start.html", {"form": form}, status=422)
    tenant = companies.start(person, form.cleaned_data["company"], time_zone=form.cleaned_data["time_zone"])
    if not request.user.is_authenticated:
        people.sign_in(request, person)
    return done(request, _("Welcome. Your company is ready."), home_of(tenant))


def invitation(request: Any, token: str) -> HttpResponse:
    """Accept an invitation: by signing in, or by making an account under the invited address."""
    found = invitations.find(token)
    if found is None:
        return render(request, "tenants/invitation_gone.html", status=404)
    if request.user.is_authenticated:
        return _join_signed_in(request, found)
    form = JoinForm(request.POST or None, invitation=found)
    if request.method != "POST":
        return render(request, "tenants/invitation.html", {"invitation": found, "form": form})
    if not form.is_valid():
        return render(request, "tenants/invitation.html", {"invitation": found, "form": form}, status=422)
    try:
        person = people.create(found.email, form.cleaned_data["name"], form.cleaned_data["password"])
    except people.AddressTaken as error:
        form.add_error(None, str(error))
        return render(request, "tenants/invitation.html", {"invitation": found, "form": form}, status=422)
    people.sign_in(request, person)
    return _join(request, found)


def _join_signed_in(request: Any, found: Invitation) -> HttpResponse:
    """The page for somebody signed in: join with one click, or sign out if the invitation is another person's."""
    is_for_her = request.user.email == found.email
    if request.method == "POST" and is_for_her:
        return _join(request, found)
    context = {"invitation": found, "is_for_her": is_for_her, "token": found.token}
    return render(request, "tenants/invitation_signed_in.html", context, status=200 if request.method == "GET" else 422)


def _join(request: Any, found: Invitation) -> HttpResponse:
    try:
        invitations.accept(found, request.user)
    except invitations.InvitationGone:
        return render(request, "tenants/invitation_gone.html", status=404)
    return done(request, _("Welcome to %(company)s.") % {"company": found.tenant.name}, home_of(found.tenant))


def home_of(tenant: Tenant) -> str:
    """The path of a company's first page."""
    return f"/t/{tenant.slug}/"
