"""Where the rest of the product shows LinkedIn: among the systems, in the menu, on leads and contacts."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from contacts import registry
from contacts.models import Contact
from integrations.linkedin import push, queries
from integrations.systems import System, systems
from leads.models import Lead
from leads.registry import lead_panels
from tenants.access import Right
from tenants.registry import Section, menu

ICON = "brand-linkedin"
PANEL = "integrations/linkedin/_panel.html"


def register() -> None:
    """Called once, by `integrations.apps`."""
    systems.add(
        System(
            queries.SYSTEM,
            _("LinkedIn Lead Gen"),
            ICON,
            _("What people send by LinkedIn's lead gen forms becomes contacts and leads here."),
            "integrations:linkedin_new",
            "integrations:linkedin",
            queries.SYSTEM,
            part=push.unsubscribe,
        )
    )
    menu.add(Section.MARKETING, _("LinkedIn"), "integrations:linkedin_home", ICON, Right.VIEW, 60)
    title = _("Sent at LinkedIn")
    lead_panels.add(registry.Panel("linkedin", title, PANEL, _of_lead, icon=ICON, order=40))
    registry.contact_panels.add(registry.Panel("linkedin", title, PANEL, _of_contact, icon=ICON, order=40))


def _of_lead(lead: Lead) -> dict[str, Any] | None:
    found = queries.of_lead(lead)
    return {"submissions": found} if found else None


def _of_contact(contact: Contact) -> dict[str, Any] | None:
    found = queries.of_contact(contact)
    return {"submissions": found} if found else None
