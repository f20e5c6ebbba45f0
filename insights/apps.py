from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InsightsConfig(AppConfig):
    name = "insights"

    def ready(self) -> None:
        from tenants.access import Right
        from tenants.registry import Section, menu

        menu.add(Section.INSIGHTS, _("Insights"), "insights:home", "chart-bar", right=Right.VIEW, order=10)
