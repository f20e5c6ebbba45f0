"""`manage.py rotate_secrets`: encrypt every secret anew with the newest of SECRETS_KEYS.

To change the key: put a new one in front (`SECRETS_KEYS=new,old`), restart, run this, then take the old one away.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from tenants import secrets
from tenants.models import Tenant
from tenants.postgres.base import is_tenants
from tenants.scope import tenant_scope

BATCH = 500


class Command(BaseCommand):
    help = "Encrypt all secrets at rest with the newest of SECRETS_KEYS, in every company."

    def handle(self, *args: Any, **options: Any) -> None:
        secrets.box()
        tenants = list(Tenant.objects.order_by("pk").values_list("pk", flat=True))
        self.unreadable: list[str] = []
        count = 0
        for model, name in secrets.fields():
            for tenant_id in tenants if is_tenants(model) else [None]:
                count += self.rotate(model, name, tenant_id)
        if self.unreadable:
            raise CommandError(
                f"{count} secrets are encrypted with the newest key. No key opens {len(self.unreadable)}: "
                f"{', '.join(self.unreadable)}. Add the key that was used before to SECRETS_KEYS."
            )
        self.stdout.write(f"{count} secrets are encrypted with the newest key. Older keys may go.")

    def rotate(self, model: type[models.Model], name: str, tenant_id: int | None) -> int:
        """One model's secrets, of one tenant if it is a tenant's; a transaction per batch; returns how many."""
        count, last = 0, 0
        while True:
            with tenant_scope(tenant_id) if tenant_id else transaction.atomic():
                rows = model._default_manager.select_for_update().filter(pk__gt=last, **{f"{name}__isnull": False})
                batch = list(rows.order_by("pk")[:BATCH])
                for row in batch:
                    try:
                        rotated = getattr(row, name).rotated()
                    except secrets.Unreadable:
                        self.unreadable.append(f"{model._meta.label} {row.pk}")
                        continue
                    model._default_manager.filter(pk=row.pk).update(**{name: rotated})
                    count += 1
            if len(batch) < BATCH:
                return count
            last = batch[-1].pk
