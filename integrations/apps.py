from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        # The queue and the chore register themselves as these are imported.
        from contacts import reactor, registry
        from integrations import tiles  # noqa: F401 (it registers)
        from integrations.connections import expiring  # noqa: F401
        from integrations.webhooks import erasing, reader, sending  # noqa: F401
        from tenants.access import Right
        from tenants.registry import Section, menu

        reactor.register(reader.READER)
        registry.erasers.append(erasing.ERASER)
        menu.add(Section.SETTINGS, _("Integrations"), "integrations:index", "plug", Right.MANAGE, 55)
        menu.add(Section.SETTINGS, _("Webhooks"), "integrations:webhooks", "webhook", Right.MANAGE, 60)
