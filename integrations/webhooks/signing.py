"""Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over `{id}.{timestamp}.{body}`, base64, marked v1."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A secret of 256 random bits, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature; `timestamp` in Unix seconds, the body exactly as it is sent."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(message_id: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers; a signature by each of the secrets, any of which may match. Without secrets: two headers."""
    found = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    signatures = " ".join(sign(secret, message_id, timestamp, body) for secret in secrets)
    return found | ({"webhook-signature": signatures} if signatures else {})
