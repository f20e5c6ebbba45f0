from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        # Queues and chores register themselves as their modules are imported.
        from contacts import reactor, registry
        from integrations import reader, tiles  # noqa: F401 (the tiles register themselves)
        from integrations.connections import expiring  # noqa: F401
        from integrations.crm import registering as crm
        from integrations.linkedin import registering as linkedin
        from integrations.linkedin import showing
        from integrations.webhooks import erasing, sending  # noqa: F401
        from tenants.access import Right
        from tenants.registry import Section, menu

        reactor.register(reader.READER)
        registry.erasers.append(erasing.ERASER)
        linkedin.register()
        showing.register()
        crm.register()
        menu.add(Section.SETTINGS, _("Integrations"), "integrations:index", "plug", Right.MANAGE, 55)
        menu.add(Section.SETTINGS, _("Webhooks"), "integrations:webhooks", "webhook", Right.MANAGE, 60)
