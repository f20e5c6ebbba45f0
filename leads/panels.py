"""What the pages of contacts and accounts show about leads: panels, buttons, names of stages."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from contacts import registry
from contacts.models import Account, Contact
from leads import erasing, queries, stage_names
from leads.moves import keep_contact_stages
from tenants.access import Right

SHOWN = 8


def register() -> None:
    """Fill the registries of contacts."""
    leads, activities = "leads/_panel_leads.html", "leads/_panel_activities.html"
    for panels, of_leads, of_activities in (
        (registry.contact_panels, _leads_of_contact, _activities_of_contact),
        (registry.account_panels, _leads_of_account, _activities_of_account),
    ):
        panels.add(registry.Panel("leads", _("Leads"), leads, of_leads, icon="target-arrow", order=20))
        panels.add(registry.Panel("activities", _("Activities"), activities, of_activities, icon="checklist", order=30))
    add = registry.contact_actions.add
    add(registry.Action("call", _("Log call"), "phone", _path_to_call, Right.WORK_LEADS, 10))
    add(registry.Action("lead", _("New lead"), "target-arrow", _path_to_lead, Right.WORK_LEADS, 20))
    registry.lists["leads"] = "leads:list"
    registry.stages.fill(stage_names.choices)
    registry.object_pages |= {
        "lead": "leads:detail",
        "activity": "leads:complete",
        "opportunity": "leads:opportunity",
    }
    registry.after_merge.append(lambda survivor, merged: keep_contact_stages([survivor, merged]))
    registry.erasers.append(erasing.ERASER)


def _leads_of_contact(contact: Contact) -> dict[str, Any]:
    return {"leads": queries.shown().filter(contact=contact).order_by("-pk")[:SHOWN], "whom": f"contact:{contact.pk}"}


def _leads_of_account(account: Account) -> dict[str, Any]:
    leads = queries.shown().filter(account=account).order_by("-pk")[:SHOWN]
    deals = queries.opportunities().filter(account=account).order_by("-pk")[:SHOWN]
    return {"leads": leads, "opportunities": deals, "whom": f"account:{account.pk}"}


def _activities_of_contact(contact: Contact) -> dict[str, Any] | None:
    rows = list(queries.activities().filter(contact=contact).order_by("-pk")[:SHOWN])
    return {"activities": rows, "plan": f"contact={contact.pk}"}


def _activities_of_account(account: Account) -> dict[str, Any] | None:
    rows = list(queries.activities().filter(account=account).order_by("-pk")[:SHOWN])
    return {"activities": rows, "names_person": True} if rows else None


def _path_to_call(contact: Contact) -> str:
    return reverse("leads:log_call") + f"?contact={contact.pk}"


def _path_to_lead(contact: Contact) -> str:
    return reverse("leads:new") + f"?whom=contact:{contact.pk}"
