from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self) -> None:
        # The reactor registers its queue as it is imported.
        from contacts import kinds, reactor, timeline  # noqa: F401

        timeline.register(*kinds.KINDS)
