from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self) -> None:
        # The reactor, the chores and the queue of search register themselves as they are imported.
        from contacts import (  # noqa: F401
            bulk,
            erasure,
            facts,
            findable,
            finding,
            kinds,
            purposes,
            reactor,
            received,
            registry,
            timeline,
        )
        from tenants import companies
        from tenants.access import Right
        from tenants.registry import Section, Tab, menu, search_sources, tabs

        timeline.register(*kinds.KINDS)
        reactor.register(facts.READER)
        for action in (bulk.ASSIGN, bulk.DELETE):
            registry.bulk_actions.add(action)
        registry.erasers.append(erasure.ERASER)
        registry.object_pages["account"] = "contacts:account"
        tabs.add("contact", Tab("overview", _("Overview"), "contacts:detail", 0))
        for source in (finding.CONTACTS, finding.ACCOUNTS):
            search_sources.add(source)
        menu.add(Section.AUDIENCE, _("Contacts"), "contacts:list", "users", Right.VIEW, 10)
        menu.add(Section.AUDIENCE, _("Accounts"), "contacts:accounts", "building", Right.VIEW, 20)
        menu.add(Section.SETTINGS, _("Own fields"), "contacts:fields", "forms", Right.MANAGE, 30)
        menu.add(Section.SETTINGS, _("Consent"), "contacts:purposes", "shield-check", Right.MANAGE, 32)
        companies.at_founding.append(purposes.found)
