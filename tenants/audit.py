"""The audit trail: who changed what."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models

from tenants.models import Audit, Member, User


def write(
    action: str, target: models.Model | None = None, *, by: Member | User | None, detail: dict[str, Any] | None = None
) -> None:
    """Write an audit row in the current scope, e.g. `write("member.role_changed", member, by=owner)`."""
    actor = by.user if isinstance(by, Member) else by
    Audit.objects.create(
        actor=None if isinstance(actor, AnonymousUser) else actor,
        action=action,
        object_kind=(target._meta.model_name or "") if target is not None else "",
        object_id=target.pk if target is not None else None,
        object_label=str(target)[:200] if target is not None else "",
        detail=detail or {},
    )
