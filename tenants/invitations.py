"""Inviting people into a company: by mail, with a link that works once and for a while."""

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants import audit
from tenants.links import site_url
from tenants.mail import connection_for
from tenants.models import Invitation, Member, Tenant, User
from tenants.scope import tenant_scope

VALID_FOR = timedelta(days=14)
logger = logging.getLogger(__name__)


class AlreadyMember(ValueError):
    """The address belongs to an active member."""


class InvitationGone(ValueError):
    """Accepted, withdrawn or expired."""


class OtherPerson(ValueError):
    """The invitation is for another address than the one signed in with."""


def invite(tenant: Tenant, email: str, role: str, *, by: Member | None) -> Invitation:
    """Invite an address; an earlier open invitation of it ends. Send it afterwards, outside of the scope: `send`."""
    with tenant_scope(tenant):
        if Member.objects.filter(tenant=tenant, user__email=email, is_active=True).exists():
            raise AlreadyMember(_("%(email)s is a member already.") % {"email": email})
        open_ones(tenant).filter(email=email).update(expires_at=Now())
        invitation = Invitation.objects.create(
            tenant=tenant, email=email, role=role, invited_by=by, expires_at=timezone.now() + VALID_FOR
        )
        audit.write("member.invited", invitation, by=by, detail={"role": role})
    return invitation


def send(invitation: Invitation) -> bool:
    """Send the mail; False if it could not be handed over (the page then asks to pass the link on by hand)."""
    context = {"invitation": invitation, "url": url_of(invitation), "days": VALID_FOR.days}
    subject = _("%(company)s invites you to Onward") % {"company": invitation.tenant.name}
    body = render_to_string("tenants/invitation_mail.txt", context)
    try:
        EmailMessage(subject, body, to=[invitation.email], connection=connection_for(invitation.tenant)).send()
    except (OSError, SMTPException):
        logger.warning("The invitation of %s could not be sent", invitation.pk, exc_info=True)
        return False
    return True


def withdraw(invitation: Invitation, *, by: Member) -> None:
    """End an open invitation; run in the company's scope."""
    if open_ones(invitation.tenant).filter(pk=invitation.pk).update(expires_at=Now()):
        audit.write("member.invitation_withdrawn", invitation, by=by)


def accept(invitation: Invitation, person: User) -> Member:
    """Make the person a member. Works once: the row count decides. Raises OtherPerson, InvitationGone."""
    if person.email != invitation.email:
        raise OtherPerson(_("This invitation is for %(email)s.") % {"email": invitation.email})
    with tenant_scope(invitation.tenant):
        if not open_ones(invitation.tenant).filter(pk=invitation.pk).update(accepted_at=Now()):
            raise InvitationGone(_("This invitation is no longer valid."))
        member = Member.objects.filter(tenant=invitation.tenant, user=person).first()
        if member is None:
            member = Member.objects.create(tenant=invitation.tenant, user=person, role=invitation.role)
        elif not member.is_active:
            member.role, member.is_active = invitation.role, True
            member.save(update_fields=["role", "is_active"])
        audit.write("member.joined", member, by=person, detail={"role": member.role})
    return member


def open_ones(tenant: Tenant) -> QuerySet[Invitation]:
    """Invitations that can still be accepted."""
    return Invitation.objects.filter(tenant=tenant, accepted_at=None, expires_at__gt=Now())


def find(token: str) -> Invitation | None:
    """The open invitation behind a link; None for a forged, used, withdrawn or expired one."""
    found = Invitation.objects.select_related("tenant", "invited_by__user").filter(token=token, accepted_at=None)
    return found.filter(expires_at__gt=Now()).first()


def url_of(invitation: Invitation) -> str:
    """The absolute address that accepts it."""
    return site_url("invitation", invitation.token)
