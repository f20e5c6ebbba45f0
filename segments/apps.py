from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"

    def ready(self) -> None:
        from segments import fields, ground, subjects

        for subject in ground.SUBJECTS:
            subjects.register(subject)
        fields.register(*ground.FIELDS)
