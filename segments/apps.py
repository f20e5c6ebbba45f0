from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"

    def ready(self) -> None:
        from contacts import custom, reactor, timeline
        from contacts.reactor import Reader
        from segments import fields, following, ground, kinds, subjects, usage

        timeline.register(*kinds.KINDS)
        for subject in ground.SUBJECTS:
            subjects.register(subject)
        fields.register(*ground.FIELDS)
        fields.register_objects(*ground.OBJECTS)
        reactor.register(Reader("segments", run=following.run, due=following.due))
        usage.usages.append(usage.other_segments)
        custom.usages.append(usage.of_field)
