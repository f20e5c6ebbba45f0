from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        # The chore of files registers itself as it is imported.
        from tenants import files  # noqa: F401
        from tenants.access import Right
        from tenants.registry import Section, menu

        menu.add(Section.SETTINGS, _("Members"), "tenants:members", "users-group", Right.MANAGE, 10)
        menu.add(Section.SETTINGS, _("Company"), "tenants:settings", "settings", Right.MANAGE, 20)
        menu.add(Section.SETTINGS, _("Jobs"), "tenants:jobs", "loader-2", Right.VIEW, 90)
        # Partitions come with the schema; nothing about people or work is ever done by a signal.
        post_migrate.connect(_make_partitions, dispatch_uid="partitions")


def _make_partitions(**kwargs: object) -> None:
    from tenants.postgres import partitions

    if kwargs["app_config"].name == "journeys":  # type: ignore[attr-defined]
        partitions.ensure()
