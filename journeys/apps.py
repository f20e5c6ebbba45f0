from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JourneysConfig(AppConfig):
    name = "journeys"

    def ready(self) -> None:
        from contacts import custom, reactor, registry, timeline
        from journeys import (  # noqa: F401 (the queues)
            engine,
            erasing,
            importing,
            merging,
            people,
            reader,
            reentry,
            review,
            usage,
        )
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
        from leads.importing import consequences
        from segments import usage as segment_usage
        from tenants.access import Right
        from tenants.registry import Section, menu

        menu.add(Section.MARKETING, _("Journeys"), "journeys:list", "sitemap", Right.VIEW, 10)
        registry.contact_panels.add(
            registry.Panel(
                "journeys",
                _("Journeys"),
                "journeys/_of_contact.html",
                lambda contact: {"participations": people.of_contact(contact.pk)},
                icon="sitemap",
                order=60,
            )
        )
        registry.object_pages["journey"] = "journeys:detail"
        registry.contact_sets["review"] = review.contact_set
        consequences.askers["journeys"] = (_("Would enter a journey"), importing.would_start)
        registry.before_merge.append(merging.settle)
        registry.erasers.append(erasing.ERASER)
        segment_usage.usages.append(usage.of_segment)
        custom.usages.append(usage.of_field)
        timeline.register(*KINDS)
        reactor.register(reader.READER)
