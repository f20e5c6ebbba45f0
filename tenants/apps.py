from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        # Partitions come with the schema; nothing about people or work is ever done by a signal.
        post_migrate.connect(_make_partitions, dispatch_uid="partitions")


def _make_partitions(**kwargs: object) -> None:
    from tenants.postgres import partitions

    if kwargs["app_config"].name == "journeys":  # type: ignore[attr-defined]
        partitions.ensure()
