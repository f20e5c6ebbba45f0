from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PagesConfig(AppConfig):
    name = "pages"

    def ready(self) -> None:
        from contacts import registry, timeline
        from pages import kinds, submissions
        from pages.models import Form, Page
        from segments import fields
        from tenants.access import Right
        from tenants.registry import menu

        timeline.register(kinds.FORM_SUBMITTED, kinds.PAGE_VISITED, kinds.VISITOR_IDENTIFIED)
        fields.register_objects(
            fields.Objects("form", _("Form"), lambda: list(Form.objects.order_by("name").values_list("pk", "name"))),
            fields.Objects("page", _("Page"), lambda: list(Page.objects.order_by("name").values_list("pk", "name"))),
        )
        registry.object_pages |= {"form": "pages:submissions", "page": "pages:detail"}
        registry.erasers.append(submissions.ERASER)
        menu.add("marketing", _("Pages"), "pages:list", "browser", right=Right.VIEW, order=30)
