"""Secrets at rest: what the database must hold and may not be read from a copy of it.

`EncryptedText` stores text encrypted by the newest of SECRETS_KEYS; each of them opens it (Fernet).
What comes out is a `Secret`, which shows itself nowhere: code that needs the text says `.reveal()`.
`manage.py rotate_secrets` encrypts everything anew with the newest key.
"""

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models

HIDDEN = "••••••"
MAKE_KEY = "set it to what `openssl rand -base64 32 | tr '+/' '-_'` prints."
NO_KEY = f"SECRETS_KEYS is empty, so no secret can be kept: {MAKE_KEY}"
BAD_KEY = f"SECRETS_KEYS holds what is no key: {MAKE_KEY}"
LOST_KEY = "None of SECRETS_KEYS opens this secret: add the key that was used before."


class Unreadable(ValueError):
    """None of SECRETS_KEYS opens a secret: the key that it was encrypted with is gone."""


class Secret:
    """A text that shows itself only when asked to; opened no sooner than that."""

    __slots__ = ("_sealed",)

    def __init__(self, text: str) -> None:
        self._sealed = box().encrypt(text.encode()).decode()

    @classmethod
    def of(cls, sealed: str) -> "Secret":
        """What the database holds."""
        secret = cls.__new__(cls)
        secret._sealed = sealed
        return secret

    @property
    def sealed(self) -> str:
        """As the database holds it."""
        return self._sealed

    def reveal(self) -> str:
        """The text; raises Unreadable."""
        try:
            return box().decrypt(self._sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable(LOST_KEY) from None

    def rotated(self) -> "Secret":
        """The same, encrypted by the newest key; raises Unreadable."""
        try:
            return Secret.of(box().rotate(self._sealed.encode()).decode())
        except InvalidToken:
            raise Unreadable(LOST_KEY) from None

    def __repr__(self) -> str:
        return HIDDEN


class EncryptedText(models.TextField):
    """Text that the database has only encrypted; give it a `str`, get a `Secret`. No form or admin page shows it."""

    _pyi_private_set_type: str | Secret  # type: ignore[assignment]
    _pyi_private_get_type: Secret  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret | None:
        return None if value is None else Secret.of(value)

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        return value.sealed if isinstance(value, Secret) else Secret(str(value)).sealed

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """From saving on, the instance too has the secret instead of the text."""
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = Secret(value)
            setattr(model_instance, self.attname, value)
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return HIDDEN

    def get_lookup(self, lookup_name: str) -> Any:
        """Each encryption of a text is another, so that nothing can be found by it."""
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: it cannot be searched")
        return super().get_lookup(lookup_name)


def box() -> MultiFernet:
    """The keys of the settings, newest first; raises ImproperlyConfigured saying in one line what to do."""
    if not settings.SECRETS_KEYS:
        raise ImproperlyConfigured(NO_KEY)
    try:
        return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])
    except ValueError:
        raise ImproperlyConfigured(BAD_KEY) from None


def fields() -> Iterator[tuple[type[models.Model], str]]:
    """Every model with a secret, and the name of its field."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedText):
                yield model, field.attname
