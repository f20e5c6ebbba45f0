from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        # The readers, the queue and the settings register themselves as they are imported.
        from contacts import timeline
        from leads import capture, clock, kinds, preferences, rule_fields, stages  # noqa: F401

        timeline.register(*kinds.KINDS)
        rule_fields.register()
