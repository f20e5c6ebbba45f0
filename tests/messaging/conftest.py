"""What tests of messaging start from: a purpose, sender's details, an e-mail, people who agreed to it, a mail server.

Models are imported inside the fixtures: pytest reads this file before Django is set up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contacts.models import Contact, Purpose
    from messaging.models import ContentSettings, Email
    from tenants.models import Member, Tenant
    from tests.standins.smtp import MailServer


@pytest.fixture
def newsletter(acme: Tenant) -> Purpose:
    from contacts.models import Purpose
    from tenants.scope import tenant_scope

    with tenant_scope(acme):
        return Purpose.objects.create(key="newsletter", name="Newsletter", is_default=True)


@pytest.fixture
def sender(acme: Tenant) -> ContentSettings:
    from messaging.models import ContentSettings
    from tenants.scope import tenant_scope

    with tenant_scope(acme):
        return ContentSettings.objects.create(
            name="Acme",
            is_default=True,
            from_name="Acme News",
            from_email="news@acme.example",
            postal_address="Acme GmbH, Domplatz 1, Köln",
        )


@pytest.fixture
def email(acme: Tenant, newsletter: Purpose, sender: ContentSettings) -> Email:
    """A commercial e-mail of Acme's, without a live version."""
    from messaging.models import Email
    from tenants.scope import tenant_scope

    with tenant_scope(acme):
        return Email.objects.create(name="Spring", purpose=newsletter, content_settings=sender)


@pytest.fixture
def person(acme: Tenant, newsletter: Purpose) -> Callable[..., Contact]:
    """`person("amara")`: a contact of Acme's who agreed to the newsletter; `agreed=False`: who said nothing."""
    from contacts import consent, people
    from tenants.scope import tenant_scope

    def make(name: str, *, agreed: bool = True, **values: str) -> Contact:
        with tenant_scope(acme):
            address = f"{name.lower()}@lead.example"
            contact = people.create_contact({"email": address, "first_name": name.title(), **values})
            if agreed:
                consent.grant(contact, newsletter, basis="form", source="test")
            return contact

    return make


@pytest.fixture
def live(acme: Tenant, email: Email, max_: Member) -> Email:
    """The e-mail with a live version."""
    from messaging import publishing
    from messaging.designs import blocks
    from tenants.scope import tenant_scope

    with tenant_scope(acme):
        publishing.save_draft(
            email,
            subject="Hello {{ contact.first_name | default('you') }}",
            preheader="News",
            blocks=[
                blocks.new("text", html="Dear {{ contact.first_name }}, <b>spring</b> is here. .\n.dots"),
                blocks.new("button", label="Read on", url="https://acme.example/spring?a=1&b=2"),
            ],
        )
        publishing.go_live(email, max_)
    return email


@pytest.fixture
def server(settings: Any, tmp_path: Any) -> Iterator[MailServer]:
    """The configured mail server; the sender's journals are in a folder of their own."""
    from django.core.cache import cache

    from tests.standins.smtp import MailServer

    cache.clear()
    with MailServer() as server:
        settings.EMAIL_CONFIG = {**settings.EMAIL_CONFIG, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": server.port}
        settings.VAR_DIR = tmp_path
        yield server
