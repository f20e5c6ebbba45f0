from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("E-mails")

    def ready(self) -> None:
        from messaging import kinds, sending  # noqa: F401  sending registers its queue

        kinds.declare()
