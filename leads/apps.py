from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        # The readers, the queue and the settings register themselves as they are imported.
        from contacts import registry, targets, timeline
        from leads import capture, clock, kinds, panels, preferences, rule_fields, stages  # noqa: F401
        from leads.importing import erasing, job_kinds, running  # noqa: F401
        from leads.resources import LeadResource

        timeline.register(*kinds.KINDS)
        rule_fields.register()
        panels.register()
        targets.resources["lead"] = LeadResource
        job_kinds.register()
        registry.erasers.append(erasing.ERASER)
        _fill_registries()


def _fill_registries() -> None:
    from leads.queries import find_leads
    from tenants.access import Right
    from tenants.registry import SearchSource, Section, menu, search_sources

    menu.add(Section.HOME, _("My day"), "leads:my_day", "sun", Right.VIEW, 10)
    menu.add(Section.SALES, _("Leads"), "leads:list", "target-arrow", Right.VIEW, 10)
    menu.add(Section.SALES, _("Opportunities"), "leads:opportunities", "trophy", Right.VIEW, 20)
    menu.add(Section.AUDIENCE, _("Imports"), "leads:imports", "file-import", Right.EDIT_AUDIENCE, 50)
    menu.add(Section.SALES, _("Activities"), "leads:activities", "checklist", Right.VIEW, 30)
    menu.add(Section.SETTINGS, _("Lead rules"), "leads:rules", "adjustments", Right.MANAGE, 60)
    search_sources.add(SearchSource("leads", _("Leads"), "target-arrow", find_leads, order=30))
