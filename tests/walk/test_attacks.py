"""What has hit others, tried on every address: forged requests, identifiers in parameters, text from outside."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from contacts import people
from leads import creation
from pages.models import Form, Submission
from segments.models import Segment
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.walk.test_addresses import paths

INJECTIONS = ("id;--", "1=1", "name) OR 1=1--", "contact__user__password", "-created_at,pg_sleep(1)", "\x00", "💥" * 50)
PARAMETERS = (
    *("q", "sort", "order", "dir", "stage", "grade", "owner", "source", "kind", "state", "group", "view", "consent"),
    *("after", "before", "since", "until", "page", "tile", "tab", "lead", "contact", "link", "qualified_since"),
)
SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'


def test_no_address_takes_an_unsafe_request_without_the_csrf_token(acme: Tenant, ana: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.user, backend="django.contrib.auth.backends.ModelBackend")
    taken = [
        f"{method} {name}"
        for name, path, _ in paths()
        for method in ("post", "put", "patch", "delete")
        if getattr(client, method)(f"/t/acme{path}").status_code != 403
    ]
    assert taken == []


@pytest.mark.parametrize("value", INJECTIONS)
def test_no_parameter_reaches_the_database_as_an_identifier(
    value: str, acme: Tenant, ana: Member, client_of: Callable[..., Client]
) -> None:
    client = client_of(ana)
    client.raise_request_exception = False
    query = dict.fromkeys(PARAMETERS, value)
    crashed = [name for name, path, _ in paths() if client.get(path, query).status_code >= 500]
    assert crashed == []


def test_text_from_outside_is_text_on_every_page(acme: Tenant, ana: Member, client_of: Callable[..., Client]) -> None:
    with tenant_scope(acme):
        contact = people.create_contact(
            {"first_name": SCRIPT, "last_name": IMAGE, "email": "x@firma.example", "job_title": SCRIPT}
        )
        account = people.create_account({"name": SCRIPT + IMAGE})
        people.update_contact(contact, {"account": account, "city": IMAGE})
        people.write_note(SCRIPT + IMAGE, by=ana, contact=contact)
        lead = creation.create_lead(SCRIPT, contact=contact, source=IMAGE)
        Segment.objects.create(name=SCRIPT + IMAGE)
        form = Form.objects.create(name=SCRIPT, fields=[])
        made = Submission.objects.create(form=form, values={"email": SCRIPT}, unknown_values={IMAGE: SCRIPT}, token="t")
    known = {"contacts": contact.pk, "leads": lead.pk, "accounts": account.pk, "submissions": made.pk}
    client = client_of(ana)
    for name, path, _ in paths():
        for part, key in known.items():
            path = path.replace(f"/{part}/1/", f"/{part}/{key}/")
        answer = client.get(path, follow=True)
        if not answer["Content-Type"].startswith("text/html"):
            continue  # a file to save, which no browser shows
        body = answer.content.decode(errors="replace")
        assert "<script>alert(" not in body, name
        assert "<img src=x" not in body, name


def test_fields_that_a_form_does_not_have_change_nothing(
    acme: Tenant, rival: Tenant, max_: Member, client_of: Callable[..., Any]
) -> None:
    client_of(max_).post(
        "/segments/new/", {"name": "S", "kind": "static", "tenant": rival.pk, "member_count": 99, "id": 7}
    )
    with tenant_scope(rival):
        assert not Segment.objects.exists()
    with tenant_scope(acme):
        assert not Segment.objects.filter(member_count=99).exists()


def test_an_old_session_is_dead_after_a_change_of_the_password(acme: Tenant, ana: Member) -> None:
    client = Client()
    client.login(username=ana.user.email, password="secret-ana")
    assert client.get("/t/acme/company/members/", follow=False).status_code == 200
    ana.user.set_password("another-secret")
    ana.user.save()
    assert client.get("/t/acme/company/members/", follow=False).status_code == 302
