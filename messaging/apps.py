from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("E-mails")

    def ready(self) -> None:
        # Queues are registered as these are imported.
        from messaging import hits, kinds, sending  # noqa: F401

        kinds.declare()
