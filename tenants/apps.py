from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from tenants.access import Right
        from tenants.registry import Section, menu

        menu.add(Section.SETTINGS, _("Members"), "tenants:members", "users-group", Right.MANAGE, 10)
        menu.add(Section.SETTINGS, _("Company"), "tenants:settings", "settings", Right.MANAGE, 20)
        # Partitions come with the schema; nothing about people or work is ever done by a signal.
        post_migrate.connect(_make_partitions, dispatch_uid="partitions")


def _make_partitions(**kwargs: object) -> None:
    from tenants.postgres import partitions

    if kwargs["app_config"].name == "journeys":  # type: ignore[attr-defined]
        partitions.ensure()
