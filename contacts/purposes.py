"""What a tenant asks consent for, and whether silence means no (opt-in) or yes (opt-out).

A purpose is never renamed into another one: its key, and what people agreed to, stand in the ledger.
"""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from contacts.consent import OPT_OUT_SETTING
from contacts.models import Consent, Purpose
from tenants import audit, preferences
from tenants.models import Member


class InUse(ValueError):
    """People have answered for this purpose, or an e-mail or form names it."""


def found() -> None:
    """Give a new tenant, in its scope, the purpose that its first form and e-mail need."""
    Purpose.objects.create(
        key="news",
        name=_("News and offers"),
        description=_("News about our products, offers and events by e-mail."),
        is_default=True,
    )


def create(name: str, description: str = "", *, by: Member | None) -> Purpose:
    """Add a purpose; its key is made of its name. The first one is the default. Raises ValidationError if there is one
    of that name."""
    key = slugify(name)[:40].strip("-") or "purpose"
    try:
        with transaction.atomic():
            purpose = Purpose.objects.create(
                key=key, name=name, description=description, is_default=not Purpose.objects.exists()
            )
    except IntegrityError:
        raise ValidationError({"name": _("There is a purpose of this name already.")}) from None
    audit.write("purpose.created", purpose, by=by)
    return purpose


def change(purpose: Purpose, name: str, description: str, *, by: Member | None) -> None:
    """Change how a purpose is shown from now on; what people were shown before stays in the ledger."""
    before = {"name": purpose.name, "description": purpose.description}
    purpose.name, purpose.description = name, description
    purpose.save(update_fields=["name", "description"])
    audit.write("purpose.changed", purpose, by=by, detail={"before": before})


@transaction.atomic
def make_default(purpose: Purpose, *, by: Member | None) -> None:
    """Let e-mails and forms that name no purpose be about this one."""
    Purpose.objects.filter(is_default=True).exclude(pk=purpose.pk).update(is_default=False)
    Purpose.objects.filter(pk=purpose.pk).update(is_default=True)
    audit.write("purpose.made_default", purpose, by=by)


def delete(purpose: Purpose, *, by: Member | None) -> None:
    """Remove a purpose that nobody has been asked about. Raises InUse.

    The ledger is asked first, for one row: what protects a purpose is fetched whole otherwise, to be named.
    """
    if purpose.is_default:
        raise InUse(_("The default purpose stays: make another one the default first."))
    in_use = InUse(_("This purpose stays: people have answered for it, or an e-mail or form names it."))
    if Consent.objects.filter(purpose=purpose).exists():
        raise in_use
    try:
        with transaction.atomic():
            purpose.delete()
    except (ProtectedError, IntegrityError):
        raise in_use from None
    audit.write("purpose.deleted", by=by, detail={"name": purpose.name})


def set_opt_out(is_opt_out: bool, *, by: Member | None) -> None:
    """Mail commercially until somebody refuses, instead of from when somebody agrees."""
    preferences.put(OPT_OUT_SETTING, is_opt_out)
    audit.write("consent.mode_changed", by=by, detail={"opt_out": is_opt_out})
