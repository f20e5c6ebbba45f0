from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JourneysConfig(AppConfig):
    name = "journeys"

    def ready(self) -> None:
        from contacts import reactor, timeline
        from journeys import engine, reader  # noqa: F401 (the engine's queue)
        from journeys.kinds import KINDS
        from journeys.tiles import (  # noqa: F401 (they register, in the order of the menu)
            activity,
            audience,
            create_lead,
            email,
            if_then,
            split,
            update_record,
            wait,
            which_of,
        )
        from tenants.access import Right
        from tenants.registry import Section, menu

        menu.add(Section.MARKETING, _("Journeys"), "journeys:list", "sitemap", Right.VIEW, 10)
        timeline.register(*KINDS)
        reactor.register(reader.READER)
