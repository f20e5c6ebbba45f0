"""What the CRMs add to the rest of the product as the apps start."""

from django.utils.translation import gettext_lazy as _

from contacts import registry, timeline
from integrations.crm import backlog, erasing, kinds, links
from integrations.crm.interface import crms
from integrations.dynamics import queries as dynamics
from integrations.dynamics.crm import DYNAMICS, SYSTEM
from integrations.systems import systems
from leads.registry import lead_panels
from tenants import jobs


def register() -> None:
    """Called once, by `integrations.apps`."""
    timeline.register(*kinds.KINDS)
    jobs.kinds.add(backlog.KIND)
    crms.add(DYNAMICS)
    systems.add(SYSTEM)
    # Before the leads' own: by then they would be nobody's.
    registry.erasers.insert(0, erasing.ERASER)
    registry.after_merge.append(links.after_merge)
    title, template = _("Sales side"), "integrations/dynamics/_panel.html"
    lead_panels.add(registry.Panel("dynamics", title, template, dynamics.panel_of, icon="building", order=15))
