from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("E-mails")

    def ready(self) -> None:
        # Queues are registered as these are imported.
        from messaging import hits, kinds, sending  # noqa: F401
        from tenants.access import Right
        from tenants.registry import Section, Tab, menu, tabs

        kinds.declare()
        menu.add(Section.MARKETING, _("E-mails"), "messaging:list", "mail", Right.VIEW, 20)
        menu.add(Section.MARKETING, _("Outbox"), "messaging:outbox", "send", Right.VIEW, 80)
        menu.add(Section.MARKETING, _("Mail catcher"), "messaging:caught_list", "inbox", Right.VIEW, 90)
        menu.add(Section.SETTINGS, _("Senders"), "messaging:content_list", "address-book", Right.EDIT_MARKETING, 40)
        menu.add(Section.SETTINGS, _("Suppressed addresses"), "messaging:suppressions", "mail-off", Right.VIEW, 50)
        tabs.add("contact", Tab("emails", _("E-mails"), "messaging:of_contact", 40))
