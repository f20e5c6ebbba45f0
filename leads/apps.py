from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        from leads import capture, clock, kinds, preferences, stages  # noqa: F401  (each registers itself)
