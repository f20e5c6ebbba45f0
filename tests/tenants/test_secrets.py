"""Secrets at rest: encrypted in the database, shown nowhere, and encrypted anew with another key by command."""

import copy
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from messaging.models import AddressKey
from tenants import secrets
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.secrets import Secret

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM messaging_addresskey")
        return str(cursor.fetchone()[0])


def test_the_database_has_a_secret_encrypted_only_and_the_code_can_read_it(acme: Tenant) -> None:
    with tenant_scope(acme):
        row = AddressKey.objects.create(key="open sesame")
        assert "sesame" not in stored()
        assert AddressKey.objects.get().key.reveal() == row.key.reveal() == "open sesame"
        AddressKey.objects.update(key="close sesame")
        assert "sesame" not in stored()
        assert AddressKey.objects.get().key.reveal() == "close sesame"


def test_a_secret_shows_itself_in_no_text(acme: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    with tenant_scope(acme):
        AddressKey.objects.create(key="open sesame")
        row = AddressKey.objects.get()
    shown = [str(row.key), repr(row.key), f"{row.key}", repr(vars(row)), repr(copy.deepcopy(row).key)]
    shown += [row._meta.get_field("key").value_to_string(row)]
    assert all("sesame" not in text for text in shown)
    assert str(row.key) == secrets.HIDDEN


def test_nothing_is_found_by_a_secret(acme: Tenant) -> None:
    with tenant_scope(acme), pytest.raises(FieldError, match="cannot be searched"):
        AddressKey.objects.filter(key="open sesame").exists()


@pytest.mark.parametrize(("keys", "says"), [([], "SECRETS_KEYS is empty"), (["short"], "what is no key")])
def test_without_a_key_saving_a_secret_says_in_one_line_what_to_do(
    acme: Tenant, settings: Any, keys: list[str], says: str
) -> None:
    settings.SECRETS_KEYS = keys
    with tenant_scope(acme), pytest.raises(ImproperlyConfigured, match=says) as refused:
        AddressKey.objects.create(key="open sesame")
    assert "\n" not in str(refused.value)
    assert "openssl rand" in str(refused.value)


def test_rotation_encrypts_every_companys_secrets_anew_and_the_old_key_may_go(
    acme: Tenant, rival: Tenant, settings: Any
) -> None:
    settings.SECRETS_KEYS = [OLD]
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            AddressKey.objects.create(key=f"of {tenant.name}")
    settings.SECRETS_KEYS = [NEW, OLD]
    out = StringIO()
    call_command("rotate_secrets", stdout=out)
    assert out.getvalue().startswith("2 secrets")
    settings.SECRETS_KEYS = [NEW]
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            assert AddressKey.objects.get().key.reveal() == f"of {tenant.name}"


def test_rotation_goes_on_past_a_secret_that_no_key_opens_and_names_it(
    acme: Tenant, rival: Tenant, settings: Any
) -> None:
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    with tenant_scope(acme):
        lost = AddressKey.objects.create(key="of Acme")
    settings.SECRETS_KEYS = [OLD]
    with tenant_scope(rival):
        AddressKey.objects.create(key="of Rival")
    settings.SECRETS_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=rf"AddressKey {lost.pk}\."):
        call_command("rotate_secrets", stdout=StringIO())
    settings.SECRETS_KEYS = [NEW]
    with tenant_scope(rival):
        assert AddressKey.objects.get().key.reveal() == "of Rival"
    with tenant_scope(acme), pytest.raises(secrets.Unreadable, match="used before"):
        AddressKey.objects.get().key.reveal()


def test_every_field_with_a_secret_is_found_by_the_rotation() -> None:
    assert (AddressKey, "key") in list(secrets.fields())


def test_a_secret_is_encrypted_differently_each_time() -> None:
    assert Secret("same").sealed != Secret("same").sealed
