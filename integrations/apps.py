from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        # The queue and the chore register themselves as these are imported.
        from contacts import reactor, registry, timeline
        from integrations import (
            reader,
            tiles,  # noqa: F401 (it registers)
        )
        from integrations.connections import expiring  # noqa: F401
        from integrations.crm import erasing as crm_erasing
        from integrations.crm import kinds, links
        from integrations.crm.interface import crms
        from integrations.dynamics import queries as dynamics
        from integrations.dynamics.crm import DYNAMICS, SYSTEM
        from integrations.systems import systems
        from integrations.webhooks import erasing, sending  # noqa: F401
        from leads.registry import lead_panels
        from tenants.access import Right
        from tenants.registry import Section, menu

        reactor.register(reader.READER)
        timeline.register(*kinds.KINDS)
        crms.add(DYNAMICS)
        systems.add(SYSTEM)
        registry.erasers.append(erasing.ERASER)
        # Before the leads' own: by then they would be nobody's.
        registry.erasers.insert(0, crm_erasing.ERASER)
        registry.after_merge.append(links.after_merge)
        side = registry.Panel(
            "dynamics",
            _("Sales side"),
            "integrations/dynamics/_panel.html",
            dynamics.panel_of,
            icon="building",
            order=15,
        )
        lead_panels.add(side)
        menu.add(Section.SETTINGS, _("Integrations"), "integrations:index", "plug", Right.MANAGE, 55)
        menu.add(Section.SETTINGS, _("Webhooks"), "integrations:webhooks", "webhook", Right.MANAGE, 60)
