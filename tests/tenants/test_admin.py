"""Django's admin: of what belongs to no tenant, and of one tenant's tables."""

import pytest
from django.apps import apps
from django.test import Client

from contacts import people
from contacts.models import Contact
from messaging.models import AddressKey
from tenants.admin_site import site
from tenants.fields import TenantKey
from tenants.models import Audit, Member, Tenant, User
from tenants.scope import tenant_scope


@pytest.fixture
def staff(db: None) -> Client:
    """A client of a superuser who belongs to no company."""
    client = Client()
    user = User.objects.create_superuser("ops@onward.example", "secret")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def amara(acme: Tenant, rival: Tenant) -> Contact:
    with tenant_scope(rival):
        people.create_contact({"last_name": "Rivalson"})
    with tenant_scope(acme):
        return people.create_contact({"last_name": "Okafor", "email": "amara@example.com"})


def test_a_tenants_tables_are_shown_in_its_scope(staff: Client, amara: Contact) -> None:
    page = staff.get("/admin/t/acme/contacts/contact/").content.decode()
    assert "Okafor" in page
    assert "Rivalson" not in page
    assert 'href="/admin/t/acme/contacts/contact/' in page
    assert "Okafor" in staff.get("/admin/t/acme/contacts/contact/?q=oka").content.decode()
    assert "Okafor" not in staff.get("/admin/t/acme/contacts/contact/?q=xyz").content.decode()
    assert "Rivalson" in staff.get("/admin/t/rival/contacts/contact/").content.decode()


def test_looking_at_an_object_leaves_a_row_in_its_tenants_audit_trail(
    staff: Client, amara: Contact, acme: Tenant, rival: Tenant
) -> None:
    path = f"contacts/contact/{amara.pk}/change/"
    assert staff.get(f"/admin/t/acme/{path}").status_code == 200
    assert staff.get(f"/admin/t/rival/{path}").status_code == 302
    with tenant_scope(acme):
        row = Audit.objects.get()
        assert (row.action, row.object_id, row.actor.email) == ("admin.viewed", amara.pk, "ops@onward.example")
    with tenant_scope(rival):
        assert not Audit.objects.exists()


def test_looking_at_a_table_leaves_a_row_too(staff: Client, amara: Contact, acme: Tenant, rival: Tenant) -> None:
    staff.get("/admin/t/acme/contacts/contact/?q=oka")
    with tenant_scope(acme):
        row = Audit.objects.get()
        assert (row.action, row.detail) == ("admin.listed", {"table": "contacts.Contact"})
    with tenant_scope(rival):
        assert not Audit.objects.exists()


def test_a_secret_is_shown_on_no_page_of_the_admin(staff: Client, acme: Tenant) -> None:
    with tenant_scope(acme):
        row = AddressKey.objects.create(key="open sesame")
    for path in ("", f"{row.pk}/change/"):
        page = staff.get(f"/admin/t/acme/messaging/addresskey/{path}").content.decode()
        assert "sesame" not in page
        assert row.key.sealed not in page


def test_nothing_of_a_tenant_is_changed_in_the_admin(staff: Client, amara: Contact, acme: Tenant) -> None:
    form = {"last_name": "Changed"}
    assert staff.post(f"/admin/t/acme/contacts/contact/{amara.pk}/change/", form).status_code == 403
    assert staff.post(f"/admin/t/acme/contacts/contact/{amara.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff.post("/admin/t/acme/contacts/contact/add/", form).status_code == 403
    with tenant_scope(acme):
        amara.refresh_from_db()
        assert amara.last_name == "Okafor"


def test_members_have_no_business_there(ana: Member, amara: Contact) -> None:
    client = Client()
    client.force_login(ana.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/admin/t/acme/contacts/contact/")
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")


def test_every_table_of_tenants_can_be_looked_at(staff: Client, amara: Contact) -> None:
    assert staff.get("/admin/t/acme/").status_code == 200
    tables = [m for m in apps.get_models() if any(isinstance(f, TenantKey) for f in m._meta.local_fields)]
    assert len(tables) > 30
    for model in tables:
        assert site.is_registered(model)
        path = f"/admin/t/acme/{model._meta.app_label}/{model._meta.model_name}/"
        assert staff.get(path).status_code == 200, path


@pytest.mark.parametrize("path", ["t/nobody/", "t/acme/what/", "t/acme/contacts/what/"])
def test_what_there_is_not_is_not_found(path: str, staff: Client, acme: Tenant) -> None:
    assert staff.get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize("table", ["", "user/", "tenant/", "member/", "wakeup/", "heartbeat/", "invitation/"])
def test_what_belongs_to_no_tenant_has_its_own_admin(table: str, staff: Client, acme: Tenant, ana: Member) -> None:
    assert staff.get(f"/admin/tenants/{table}").status_code == 200
    assert staff.get("/admin/contacts/contact/").status_code == 404


def test_what_has_a_verb_in_the_product_is_only_looked_at(staff: Client, acme: Tenant, ana: Member) -> None:
    form = {
        "name": "Changed",
        "email": "changed@x.example",
        "time_zone": "Asia/Tokyo",
        "currency": "JPY",
        "slug": "acme",
    }
    staff.post(f"/admin/tenants/tenant/{acme.pk}/change/", form)
    staff.post(f"/admin/tenants/user/{ana.user_id}/change/", {**form, "is_active": "on"})
    assert staff.post(f"/admin/tenants/member/{ana.pk}/change/", {"role": "analyst"}).status_code == 403
    acme.refresh_from_db()
    ana.refresh_from_db()
    ana.user.refresh_from_db()
    assert (acme.name, acme.time_zone, acme.currency) == ("Acme", "Europe/Berlin", "EUR")
    assert (ana.user.email, ana.user.time_zone, ana.role) == ("ana@acme.example", "", "owner")


@pytest.mark.parametrize("table", ["user", "tenant", "member"])
def test_nobody_is_deleted_there(staff: Client, ana: Member, table: str) -> None:
    pk = {"user": ana.user_id, "tenant": ana.tenant_id, "member": ana.pk}[table]
    assert staff.post(f"/admin/tenants/{table}/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Member.objects.filter(pk=ana.pk).exists()


def test_staff_may_stop_a_person_from_signing_in(staff: Client, ana: Member) -> None:
    staff.post(f"/admin/tenants/user/{ana.user_id}/change/", {"is_active": ""})
    ana.user.refresh_from_db()
    assert not ana.user.is_active
