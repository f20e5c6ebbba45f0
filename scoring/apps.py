from django.apps import AppConfig


class ScoringConfig(AppConfig):
    name = "scoring"

    def ready(self) -> None:
        # Readers, queues and panels register themselves as they are imported.
        from contacts import registry as contacts_registry
        from contacts import timeline
        from leads import registry
        from scoring import explain, jobs, kinds, reader, subjects  # noqa: F401

        timeline.register(*kinds.KINDS)
        subjects.register()
        registry.reasons.append(explain.reasons)
        contacts_registry.computed |= {"scoring.Score", "scoring.ScoreEntry"}
