from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InsightsConfig(AppConfig):
    name = "insights"

    def ready(self) -> None:
        from contacts.registry import contact_sets
        from insights import figures
        from tenants.access import Right
        from tenants.registry import Section, menu

        menu.add(Section.INSIGHTS, _("Insights"), "insights:home", "chart-bar", right=Right.VIEW, order=10)
        contact_sets["email"] = figures.people_of_email
