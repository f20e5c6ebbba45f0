from django.apps import AppConfig


class JourneysConfig(AppConfig):
    name = "journeys"

    def ready(self) -> None:
        from contacts import reactor, timeline
        from journeys import engine, reader  # noqa: F401 (the engine's queue)
        from journeys.kinds import KINDS
        from journeys.tiles import (  # noqa: F401 (they register, in the order of the menu)
            activity,
            audience,
            create_lead,
            email,
            if_then,
            split,
            update_record,
            wait,
            which_of,
        )

        timeline.register(*KINDS)
        reactor.register(reader.READER)
