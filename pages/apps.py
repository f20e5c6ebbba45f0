from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PagesConfig(AppConfig):
    name = "pages"

    def ready(self) -> None:
        from contacts import timeline
        from pages import kinds
        from tenants.access import Right
        from tenants.registry import menu

        timeline.register(kinds.FORM_SUBMITTED, kinds.PAGE_VISITED, kinds.VISITOR_IDENTIFIED)
        menu.add("marketing", _("Pages"), "pages:list", "browser", right=Right.VIEW, order=30)
