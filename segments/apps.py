from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SegmentsConfig(AppConfig):
    name = "segments"

    def ready(self) -> None:
        from contacts import custom, reactor, timeline
        from contacts.reactor import Reader
        from segments import fields, following, ground, kinds, subjects, usage

        timeline.register(*kinds.KINDS)
        for subject in ground.SUBJECTS:
            subjects.register(subject)
        fields.register(*ground.FIELDS)
        fields.register_objects(*ground.OBJECTS)
        reactor.register(Reader("segments", run=following.run, due=following.due))
        usage.usages.append(usage.other_segments)
        custom.usages.append(usage.of_field)
        _fill_registries()


def _fill_registries() -> None:
    from contacts import registry
    from contacts.registry import BulkAction, Panel
    from segments import panels, queries
    from tenants.access import Right
    from tenants.registry import SearchSource, Section, menu, search_sources

    menu.add(Section.AUDIENCE, _("Segments"), "segments:list", "filter", Right.VIEW, 30)
    search_sources.add(SearchSource("segments", _("Segments"), "filter", panels.find, order=40))
    registry.contact_panels.add(
        Panel("segments", _("Segments"), "segments/_panel.html", panels.of_contact, icon="filter", order=60)
    )
    registry.bulk_actions.add(
        BulkAction("segment", _("Add to segment"), "filter-plus", panels.add_ticked, choices=queries.static_segments)
    )
    registry.contact_views.fill(queries.views)
    registry.contact_sets["segment"] = queries.contact_set
    registry.object_pages["segment"] = "segments:detail"
