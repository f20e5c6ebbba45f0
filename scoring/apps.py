from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScoringConfig(AppConfig):
    name = "scoring"

    def ready(self) -> None:
        # Readers and queues register themselves as they are imported.
        from contacts import timeline
        from scoring import jobs, kinds, reader, subjects  # noqa: F401

        timeline.register(*kinds.KINDS)
        subjects.register()
        _fill_registries()


def _fill_registries() -> None:
    from contacts import registry as contacts
    from contacts.registry import Panel
    from leads import registry as leads
    from scoring import explain, jobs, standings
    from scoring.kinds import MODEL
    from tenants import jobs as long_work
    from tenants.access import Right
    from tenants.registry import Section, menu

    long_work.kinds.add(long_work.JobKind(jobs.KIND, _("Scoring"), "gauge", Right.EDIT_MARKETING, figures=jobs.figures))
    menu.add(Section.MARKETING, _("Scoring"), "scoring:list", "gauge", Right.VIEW, 50)
    panel = Panel("score", _("Why this score"), "scoring/_panel.html", explain.panel, icon="gauge", order=10)
    contacts.contact_panels.add(panel)
    leads.lead_panels.add(panel)
    leads.reasons.append(explain.reasons)
    leads.standings.append(standings.of_leads)
    leads.scoring_models.fill(standings.live_models)
    contacts.object_pages[MODEL] = "scoring:detail"
    # A merge leaves scores where they are: the survivor's are computed anew, the other's go with her.
    contacts.computed |= {"scoring.Score", "scoring.ScoreEntry"}
