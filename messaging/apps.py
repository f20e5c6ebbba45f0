from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("E-mails")

    def ready(self) -> None:
        # Queues are registered as these are imported.
        from contacts import registry
        from messaging import eligibility, erasing, hits, kinds, queries, sending  # noqa: F401
        from messaging.models import Email
        from segments import fields
        from tenants.access import Right
        from tenants.registry import Section, Tab, menu, tabs

        kinds.declare()
        emails = fields.Objects(
            "email", _("E-mail"), lambda: list(Email.objects.order_by("name").values_list("pk", "name"))
        )
        links = fields.Objects("link", _("Link"), queries.link_choices, queries.link_choices)
        fields.register_objects(emails, links)
        registry.object_pages["email"] = "messaging:detail"
        registry.erasers.append(erasing.ERASER)
        registry.mail_obstacles.append(eligibility.obstacles)
        menu.add(Section.MARKETING, _("E-mails"), "messaging:list", "mail", Right.VIEW, 20)
        menu.add(Section.MARKETING, _("Outbox"), "messaging:outbox", "send", Right.VIEW, 80)
        menu.add(Section.MARKETING, _("Mail catcher"), "messaging:caught_list", "inbox", Right.VIEW, 90)
        menu.add(Section.SETTINGS, _("Senders"), "messaging:content_list", "address-book", Right.EDIT_MARKETING, 40)
        menu.add(Section.SETTINGS, _("Suppressed addresses"), "messaging:suppressions", "mail-off", Right.VIEW, 50)
        tabs.add("contact", Tab("emails", _("E-mails"), "messaging:of_contact", 40))
