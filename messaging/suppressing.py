"""The suppression list by hand: adding an address, lifting one."""

from messaging.models import Suppression
from tenants import audit
from tenants.models import Member

Reason = Suppression.Reason


def suppress(address: str, *, detail: str = "", by: Member) -> Suppression:
    """Stop all mail to an address, for ever; a complaint stays a complaint."""
    row, is_new = Suppression.objects.get_or_create(
        address=address.strip().lower(), defaults={"reason": Reason.MANUAL, "detail": detail}
    )
    if not is_new and row.reason != Reason.COMPLAINT:
        row.reason, row.detail, row.until = Reason.MANUAL, detail, None
        row.save(update_fields=["reason", "detail", "until"])
    audit.write("suppression.added", row, by=by)
    return row


def lift(row: Suppression, *, by: Member) -> bool:
    """Let an address be mailed again; False for a complaint, which stays."""
    if row.reason == Reason.COMPLAINT:
        return False
    audit.write("suppression.lifted", row, by=by)
    row.delete()
    return True
