"""Telling members about leads: at the bell, and by mail through the outbox."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.models import Assignment, Lead, StageChange
from leads.registry import strongest_reasons
from messaging import outbox
from messaging.models import Message
from tenants import notifications
from tenants.links import tenant_path, tenant_url
from tenants.models import Member, Notification, Tenant
from tenants.scope import current_tenant_id

# How many leads a message about several names.
LISTED = 10


def assigned(lead: Lead, given: Assignment) -> None:
    """Tell a member that a lead is hers: who it is, the score, the three strongest reasons, by when."""
    title = _("New lead: %(person)s") % {"person": _who(lead)}
    _tell(given.member, "lead.assigned", f"lead-assigned:{given.pk}", title, _facts(lead, given.why), lead)


def assigned_many(given: Sequence[Assignment]) -> None:
    """Tell members about the leads that they got at once: each one message with all of hers."""
    by_member: dict[Member, list[Assignment]] = {}
    for assignment in given:
        by_member.setdefault(assignment.member, []).append(assignment)
    for member, rows in by_member.items():
        if len(rows) == 1:
            assigned(rows[0].lead, rows[0])
            continue
        title = ngettext("%(n)d new lead", "%(n)d new leads", len(rows)) % {"n": len(rows)}
        shown = [f"{_who(row.lead)}: {row.lead.topic}" for row in rows[:LISTED]]
        if len(rows) > LISTED:
            shown.append(_("… and %(n)d more") % {"n": len(rows) - LISTED})
        _tell(member, "lead.assigned", f"leads-assigned:{rows[0].pk}", title, "\n".join([*shown, rows[0].why]), None)


def taken_back(lead: Lead, member: Member, reason: str, change_id: int) -> None:
    """Tell a rep that a lead which she has not accepted went back to marketing."""
    title = _("Lead taken back: %(person)s") % {"person": _who(lead)}
    _tell(member, "lead.taken_back", f"lead-taken-back:{change_id}", title, reason, lead)


def overdue(lead: Lead, manager: Member) -> None:
    """Tell a manager that a lead was not answered in time."""
    title = _("Not answered in time: %(person)s") % {"person": _who(lead)}
    body = _("%(name)s has neither accepted nor rejected this lead.") % {"name": lead.owner or _("Nobody")}
    key = f"lead-overdue:{lead.pk}:{manager.pk}:{lead.respond_by:%Y%m%d%H%M%S}"
    _tell(manager, "lead.overdue", key, title, f"{body}\n{_facts(lead, '')}".strip(), lead)


def forget(lead_ids: list[int]) -> None:
    """Take back what members were told about leads of erased people: at the bell, and the mails' texts."""
    if not lead_ids:
        return
    tenant = Tenant.objects.get(pk=current_tenant_id())
    paths = [tenant_path(tenant, "leads:detail", pk) for pk in lead_ids]
    Notification.objects.filter(path__in=paths).delete()
    given = Assignment.objects.filter(lead__in=lead_ids).values_list("pk", flat=True)
    changes = StageChange.objects.filter(lead__in=lead_ids).values_list("pk", flat=True)
    told = Q(key__in=[*(f"lead-assigned:{pk}" for pk in given), *(f"lead-taken-back:{pk}" for pk in changes)])
    for pk in lead_ids:
        told |= Q(key__startswith=f"lead-overdue:{pk}:")
    Message.objects.filter(told, email=None).update(content={})


def _tell(member: Member, kind: str, key: str, title: str, body: str, lead: Lead | None) -> None:
    """About a lead, or without one about the member's day."""
    page: tuple[Any, ...] = ("leads:detail", lead.pk) if lead else ("leads:my_day",)
    notifications.notify(member, kind, title, body, tenant_path(member.tenant, *page))
    button = (_("Open the lead") if lead else _("Open my day"), tenant_url(member.tenant, *page))
    outbox.order_notice(key, member.user.email, title, body.replace("\n", "\n\n"), path_button=button)


def _who(lead: Lead) -> str:
    company = str(lead.account) if lead.account else lead.company
    return f"{lead.person}, {company}" if company and company != lead.person else lead.person


def _facts(lead: Lead, why: str) -> str:
    lines = [lead.topic]
    if lead.score is not None:
        lines.append(_("Score %(score)d %(grade)s") % {"score": lead.score, "grade": lead.grade})
    lines += [f"+{reason.points} {reason.text}" for reason in strongest_reasons(lead)]
    if why:
        lines.append(why)
    return "\n".join(line.strip() for line in lines)
