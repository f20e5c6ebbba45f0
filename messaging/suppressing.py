"""The suppression list: adding an address, lifting one, and keeping it up when the person behind it is erased.

Of an erased person's address only a *fingerprint* stays: its HMAC-SHA256 under a random key of the tenant's, which is
itself encrypted with SECRETS_KEYS. So the list survives erasure, restarts and new keys, and a copy of the database
tells nobody whose addresses these were. Senders compare fingerprints in SQL (`fingerprint_of`); an address that
bounces or is entered by hand is in use again, and stands in clear beside its old reason (`recall`).
"""

import hmac
import secrets
from collections.abc import Iterable

from psycopg import sql

from messaging.models import AddressKey, Suppression
from tenants import audit
from tenants.models import Member

Reason = Suppression.Reason
BLOCK = 64


def suppress(address: str, *, detail: str = "", by: Member) -> Suppression:
    """Stop all mail to an address, for ever; a complaint stays a complaint."""
    address = address.strip().lower()
    recall([address])
    row, is_new = Suppression.objects.get_or_create(
        address=address, defaults={"reason": Reason.MANUAL, "detail": detail}
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


def find(address: str) -> Suppression | None:
    """What stands against an address, erased people's included."""
    address = address.strip().lower()
    row = Suppression.objects.filter(address=address).first()
    if row is None and (key := _key()):
        row = Suppression.objects.filter(fingerprint=_fingerprint(key, address)).first()
    return row


def forget(addresses: Iterable[str], refused: Iterable[str]) -> None:
    """Keep of these addresses only fingerprints, where they are suppressed or among the `refused`."""
    known = Suppression.objects.filter(address__in=list(addresses))
    key = _key()
    if key is None:
        if not known.exists() and not list(refused):
            return
        key = _make_key()
    for row in known:
        mark = _fingerprint(key, row.address or "")
        Suppression.objects.filter(fingerprint=mark).delete()
        Suppression.objects.filter(pk=row.pk).update(address=None, fingerprint=mark, detail="")
    marks = [_fingerprint(key, address) for address in refused]
    rows = [Suppression(fingerprint=mark, reason=Reason.REFUSED) for mark in marks]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)


def recall(addresses: Iterable[str]) -> None:
    """Put addresses that are in use again back in clear, where erased people had them suppressed.

    A refusal stays as it is: it ends with a new consent, which a bounce is not.
    """
    key = _key()
    if key is None:
        return
    marks = {_fingerprint(key, address): address for address in addresses}
    for row in Suppression.objects.filter(fingerprint__in=list(marks)).exclude(reason=Reason.REFUSED):
        address = marks[row.fingerprint or ""]
        if not Suppression.objects.filter(address=address).exists():
            Suppression.objects.filter(pk=row.pk).update(address=address, fingerprint=None)


def fingerprint_of(address: sql.Composable) -> sql.Composable:
    """SQL: the fingerprint of an address (a text expression); NULL while nobody suppressed was erased here.

    HMAC (RFC 2104) of what PostgreSQL has built in: two SHA-256, some 2 µs.
    """
    key = _key()
    if key is None:
        return sql.SQL("NULL::text")
    padded = key.ljust(BLOCK, b"\0")
    inner, outer = (sql.Literal(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))
    return sql.SQL(
        "encode(sha256({outer}::bytea || sha256({inner}::bytea || convert_to({address}, 'UTF8'))), 'hex')"
    ).format(outer=outer, inner=inner, address=address)


def _key() -> bytes | None:
    row = AddressKey.objects.first()
    return bytes.fromhex(row.key.reveal()) if row else None


def _make_key() -> bytes:
    """The tenant's key; the unique constraint decides between two who make it at once."""
    AddressKey.objects.bulk_create([AddressKey(key=secrets.token_hex(32))], ignore_conflicts=True)
    key = _key()
    assert key is not None
    return key


def _fingerprint(key: bytes, address: str) -> str:
    return hmac.digest(key, address.encode(), "sha256").hex()
