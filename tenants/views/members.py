"""The company's people: list, invite, change, remove."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants import invitations, members
from tenants.access import Right, allow
from tenants.models import Member
from tenants.responses import done
from tenants.views.forms import InviteForm, MemberForm


@allow(Right.MANAGE)
def member_list(request: Any) -> HttpResponse:
    """Who belongs to the company, and who is invited; each open invitation with its link."""
    people = Member.objects.filter(tenant=request.tenant, is_active=True).select_related("user", "manager__user")
    waiting = [(invitation, invitations.url_of(invitation)) for invitation in invitations.open_ones(request.tenant)]
    context = {"members": people.order_by("user__name", "pk"), "invitations": waiting}
    return render(request, "tenants/members.html", context)


@allow(Right.MANAGE, scoped=False)
def invite(request: Any) -> HttpResponse:
    """Invite by e-mail: the row in the scope, the mail outside of it."""
    form = InviteForm(request.POST or None)
    if request.method != "POST":
        return render(request, "tenants/invite.html", {"form": form})
    if not form.is_valid():
        return render(request, "tenants/invite.html", {"form": form}, status=422)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        invitation = invitations.invite(request.tenant, email, role, by=request.member)
    except invitations.AlreadyMember as error:
        form.add_error("email", str(error))
        return render(request, "tenants/invite.html", {"form": form}, status=422)
    if invitations.send(invitation):
        return done(request, _("%(email)s has been invited.") % {"email": email}, "tenants:members")
    text = _("The mail to %(email)s could not be sent. Copy the link below and pass it on.") % {"email": email}
    return done(request, text, "tenants:members", level="warning")


@allow(Right.MANAGE)
@require_POST
def withdraw(request: Any, pk: int) -> HttpResponse:
    """End an open invitation."""
    invitation = get_object_or_404(invitations.open_ones(request.tenant), pk=pk)
    invitations.withdraw(invitation, by=request.member)
    return done(request, _("The invitation has been withdrawn."), "tenants:members")


@allow(Right.MANAGE)
def change(request: Any, pk: int) -> HttpResponse:
    """A member's role, manager and presence."""
    member = _member(request, pk)
    form = MemberForm(request.POST or None, member=member)
    if request.method != "POST":
        return render(request, "tenants/member.html", {"form": form, "member": member})
    if form.is_valid():
        try:
            members.change(
                member, role=form.cleaned_data["role"], manager=form.cleaned_data["manager"], by=request.member
            )
            members.set_away(member, form.cleaned_data["is_away"], by=request.member)
            return done(request, _("%(name)s has been changed.") % {"name": member}, "tenants:members")
        except members.LastOwner as error:
            form.add_error("role", str(error))
    return render(request, "tenants/member.html", {"form": form, "member": member}, status=422)


@allow(Right.MANAGE)
@require_POST
def remove(request: Any, pk: int) -> HttpResponse:
    """End a membership."""
    member = _member(request, pk)
    try:
        members.remove(member, by=request.member)
    except members.LastOwner as error:
        return done(request, str(error), "tenants:members", level="error")
    to = "/" if member.pk == request.member.pk else "tenants:members"
    return done(request, _("%(name)s has been removed.") % {"name": member}, to)


def _member(request: Any, pk: int) -> Member:
    mine = Member.objects.filter(tenant=request.tenant, is_active=True).select_related("user", "tenant")
    return get_object_or_404(mine, pk=pk)
