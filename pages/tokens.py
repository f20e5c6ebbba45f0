"""Signed tokens of public forms and confirmations: purpose-bound, so that one never serves as another."""

import secrets
from dataclasses import dataclass

from django.core import signing

# A form may stay open in a browser for this long (seconds) …
FORM_AGE = 24 * 60 * 60
# … and nobody fills one in faster than this.
FORM_HASTE = 2
# A double opt-in can be confirmed for this long (seconds).
CONFIRMATION_AGE = 30 * 24 * 60 * 60

_FORM = signing.TimestampSigner(salt="pages.form")
_CONFIRMATION = signing.TimestampSigner(salt="pages.confirmation")


class Expired(ValueError):
    """The token was ours, but it is too old."""


class Forged(ValueError):
    """The token is not ours, or not for this."""


@dataclass(frozen=True)
class FormToken:
    """What a form carried: the nonce that makes a second sending the same submission."""

    form_id: int
    nonce: str


def form_token(form_id: int) -> str:
    return _FORM.sign(f"{form_id}.{secrets.token_urlsafe(12)}")


def read_form_token(token: str, form_id: int) -> FormToken:
    """The token of a sent form; raises Expired or Forged."""
    value = _unsign(_FORM, token, FORM_AGE)
    signed_form, _, nonce = value.partition(".")
    if signed_form != str(form_id):
        raise Forged
    return FormToken(form_id, nonce)


def confirmation_token(tenant_id: int, submission_id: int) -> str:
    return _CONFIRMATION.sign(f"{tenant_id}.{submission_id}")


def read_confirmation_token(token: str) -> tuple[int, int]:
    """(tenant id, submission id); raises Expired or Forged."""
    tenant_id, _, submission_id = _unsign(_CONFIRMATION, token, CONFIRMATION_AGE).partition(".")
    return int(tenant_id), int(submission_id)


def _unsign(signer: signing.TimestampSigner, token: str, age: int) -> str:
    try:
        return signer.unsign(token, max_age=age)
    except signing.SignatureExpired as error:
        raise Expired from error
    except signing.BadSignature as error:
        raise Forged from error
