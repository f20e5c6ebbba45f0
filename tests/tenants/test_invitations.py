"""Coming in: invitations, starting a company, choosing one, signing in."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tenants import invitations, members
from tenants.models import Audit, Invitation, Member, Tenant, User
from tenants.scope import tenant_scope

Clients = Callable[..., Client]
PASSWORD = "correct horse battery"


def invited(acme: Tenant, ana: Member, email: str = "kim@new.example") -> Invitation:
    return invitations.invite(acme, email, Member.Role.SALES_REP, by=ana)


def test_an_invitation_is_mailed_and_its_link_is_shown(ana: Member, acme: Tenant, client_of: Clients) -> None:
    client = client_of(ana)
    answer = client.post("/company/members/invite/", {"email": " Kim@New.example ", "role": "sales_rep"})
    assert answer.status_code == 302
    invitation = Invitation.objects.get(email="kim@new.example")
    url = f"http://127.0.0.1:8000/invitation/{invitation.token}/"
    assert mail.outbox[0].to == ["kim@new.example"]
    assert url in mail.outbox[0].body
    assert "Ana Acme invites you" in mail.outbox[0].body
    assert url in client.get("/company/members/").content.decode()
    with tenant_scope(acme):
        assert Audit.objects.filter(action="member.invited", actor=ana.user).exists()


def test_a_mail_server_that_is_down_leaves_the_link(ana: Member, client_of: Clients, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    form = {"email": "kim@new.example", "role": "marketer"}
    page = client_of(ana).post("/company/members/invite/", form, follow=True).content.decode()
    assert "could not be sent" in page
    assert Invitation.objects.get().token in page


def test_a_member_cannot_be_invited_again(ana: Member, sam: Member, client_of: Clients) -> None:
    answer = client_of(ana).post("/company/members/invite/", {"email": sam.user.email, "role": "owner"})
    assert answer.status_code == 422
    assert b"is a member already" in answer.content
    assert not mail.outbox


def test_somebody_new_joins_by_the_link(ana: Member, acme: Tenant) -> None:
    link = f"/invitation/{invited(acme, ana).token}/"
    client = Client()
    assert b"Join Acme" in client.get(link).content
    answer = client.post(link, {"name": "Kim Park", "password": PASSWORD})
    assert answer.url == "/t/acme/"
    kim = Member.objects.get(user__email="kim@new.example")
    assert (kim.role, kim.user.name) == ("sales_rep", "Kim Park")
    assert client.get("/t/acme/company/preferences/").status_code == 200
    with tenant_scope(acme):
        assert Audit.objects.filter(action="member.joined", actor=kim.user).exists()


def test_a_link_works_once(ana: Member, acme: Tenant) -> None:
    link = f"/invitation/{invited(acme, ana).token}/"
    Client().post(link, {"name": "Kim", "password": PASSWORD})
    answer = Client().post(link, {"name": "Eve", "password": PASSWORD})
    assert answer.status_code == 404
    assert b"no longer valid" in answer.content
    assert not User.objects.filter(name="Eve").exists()


def test_expired_withdrawn_and_forged_links_say_so(ana: Member, acme: Tenant, client_of: Clients) -> None:
    late, withdrawn = invited(acme, ana, "late@new.example"), invited(acme, ana, "out@new.example")
    Invitation.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client_of(ana).post(f"/company/invitations/{withdrawn.pk}/withdraw/").status_code == 302
    for token in (late.token, withdrawn.token, "forged", "x" * 5000):
        answer = Client().get(f"/invitation/{token}/")
        assert answer.status_code == 404
        assert b"no longer valid" in answer.content


def test_inviting_again_ends_the_earlier_link(ana: Member, acme: Tenant) -> None:
    first, second = invited(acme, ana), invited(acme, ana)
    assert invitations.find(first.token) is None
    assert invitations.find(second.token) == second


def test_a_weak_password_is_refused_and_the_name_stays(ana: Member, acme: Tenant) -> None:
    link = f"/invitation/{invited(acme, ana).token}/"
    answer = Client().post(link, {"name": "Kim", "password": "123"})
    assert answer.status_code == 422
    assert b'value="Kim"' in answer.content
    assert b'value="123"' not in answer.content
    assert not User.objects.filter(email="kim@new.example").exists()


def test_somebody_with_an_account_signs_in_and_joins(ana: Member, acme: Tenant, rob: Member) -> None:
    link = f"/invitation/{invited(acme, ana, rob.user.email).token}/"
    client = Client()
    answer = client.post(link, {"name": "Rob", "password": PASSWORD})
    assert answer.status_code == 422
    assert b"Sign in first" in answer.content
    client.force_login(rob.user)
    assert b"Join Acme" in client.get(link).content
    assert client.post(link).url == "/t/acme/"
    assert Member.objects.filter(tenant=acme, user=rob.user, is_active=True).exists()


def test_an_invitation_is_for_one_person(ana: Member, acme: Tenant, rob: Member) -> None:
    link = f"/invitation/{invited(acme, ana).token}/"
    client = Client()
    client.force_login(rob.user)
    assert b"This invitation is for kim@new.example" in client.get(link).content
    assert client.post(link).status_code == 422
    assert not Member.objects.filter(tenant=acme, user=rob.user).exists()
    assert invitations.find(link.split("/")[2]) is not None


def test_a_company_cannot_withdraw_another_ones_invitation(
    ana: Member, acme: Tenant, rob: Member, client_of: Clients
) -> None:
    invitation = invited(acme, ana)
    assert client_of(rob).post(f"/company/invitations/{invitation.pk}/withdraw/").status_code == 404
    assert invitations.find(invitation.token) is not None


def test_the_last_owner_stays(ana: Member, acme: Tenant, client_of: Clients) -> None:
    client = client_of(ana)
    answer = client.post(f"/company/members/{ana.pk}/", {"role": "analyst", "manager": ""})
    assert answer.status_code == 422
    assert b"The last owner has to stay" in answer.content
    assert "The last owner" in client.post(f"/company/members/{ana.pk}/remove/", follow=True).content.decode()
    ana.refresh_from_db()
    assert (ana.role, ana.is_active) == ("owner", True)


def test_of_two_owners_one_may_go(ana: Member, sam: Member, acme: Tenant) -> None:
    with tenant_scope(acme):
        members.change(sam, role="owner", manager=None, by=ana)
        members.remove(ana, by=ana)
        with pytest.raises(members.LastOwner):
            members.remove(sam, by=sam)


def test_a_role_and_manager_are_changed_and_audited(ana: Member, sam: Member, acme: Tenant, client_of: Clients) -> None:
    form = {"role": "marketer", "manager": str(ana.pk), "is_away": "on"}
    assert client_of(ana).post(f"/company/members/{sam.pk}/", form).status_code == 302
    sam.refresh_from_db()
    assert (sam.role, sam.manager, sam.is_away) == ("marketer", ana, True)
    with tenant_scope(acme):
        assert set(Audit.objects.values_list("action", flat=True)) == {"member.changed", "member.away"}


def test_a_manager_is_of_the_same_company(ana: Member, sam: Member, rob: Member, client_of: Clients) -> None:
    answer = client_of(ana).post(f"/company/members/{sam.pk}/", {"role": "marketer", "manager": str(rob.pk)})
    assert answer.status_code == 422
    assert client_of(ana).get(f"/company/members/{rob.pk}/").status_code == 404


def test_who_is_removed_loses_access_at_once(ana: Member, sam: Member, client_of: Clients) -> None:
    client = client_of(sam)
    assert client.get("/company/preferences/").status_code == 200
    client_of(ana).post(f"/company/members/{sam.pk}/remove/")
    assert client.get("/company/preferences/").status_code == 404


def test_a_removed_member_can_be_invited_back(ana: Member, sam: Member, acme: Tenant) -> None:
    with tenant_scope(acme):
        members.remove(sam, by=ana)
    invitation = invitations.invite(acme, sam.user.email, Member.Role.MARKETER, by=ana)
    member = invitations.accept(invitation, sam.user)
    assert (member.pk, member.is_active, member.role) == (sam.pk, True, "marketer")


@pytest.fixture
def open_signup(settings: Any) -> None:
    settings.IS_SIGNUP_OPEN = True


def test_a_company_is_started_with_its_owner(db: None, open_signup: None) -> None:
    form = {"company": "Tailspin Toys", "time_zone": "Europe/Paris", "name": "Lea", "email": "Lea@Tailspin.example"}
    client = Client()
    answer = client.post("/start/", {**form, "password": PASSWORD})
    assert answer.url == "/t/tailspin-toys/"
    owner = Member.objects.select_related("tenant", "user").get()
    assert (owner.role, owner.user.email, owner.tenant.time_zone) == ("owner", "lea@tailspin.example", "Europe/Paris")
    assert client.get("/t/tailspin-toys/company/members/").status_code == 200


def test_two_companies_of_one_name_get_two_addresses(acme: Tenant, rob: Member, open_signup: None) -> None:
    client = Client()
    client.force_login(rob.user)
    assert client.post("/start/", {"company": "Acme!", "time_zone": "UTC"}).url == "/t/acme-2/"
    assert client.post("/start/", {"company": "株式会社", "time_zone": "UTC"}).url == "/t/company/"


def test_starting_under_a_taken_address_asks_to_sign_in(sam: Member, open_signup: None) -> None:
    form = {"company": "X", "time_zone": "UTC", "name": "Sam", "email": sam.user.email, "password": PASSWORD}
    answer = Client().post("/start/", form)
    assert answer.status_code == 422
    assert Tenant.objects.count() == 1


def test_where_signup_is_closed_nobody_but_staff_starts_a_company(rob: Member) -> None:
    form = {"company": "X", "time_zone": "UTC", "name": "Eve", "email": "eve@new.example", "password": PASSWORD}
    stranger = Client()
    assert stranger.get("/start/").status_code == stranger.post("/start/", form).status_code == 403
    assert b"Open the link of an invitation" in stranger.get("/start/").content
    assert b"/start/" not in stranger.get("/accounts/login/").content
    member = Client()
    member.force_login(rob.user)
    assert member.post("/start/", {"company": "X", "time_zone": "UTC"}).status_code == 403
    assert b"/start/" not in member.get("/?choose=1").content
    assert (Tenant.objects.count(), User.objects.count()) == (1, 1)
    rob.user.is_staff = True
    rob.user.save()
    assert b"/start/" in member.get("/?choose=1").content
    assert member.post("/start/", {"company": "X", "time_zone": "UTC"}).url == "/t/x/"


def test_whoever_runs_the_installation_adds_a_company_and_its_owner_comes_by_a_link(db: None) -> None:
    out = StringIO()
    call_command("start_company", "Tailspin Toys", " Lea@Tailspin.example", stdout=out)
    path = urlsplit(out.getvalue().splitlines()[-1]).path
    answer = Client().post(path, {"name": "Lea", "password": PASSWORD})
    assert answer.url == "/t/tailspin-toys/"
    owner = Member.objects.select_related("user").get()
    assert (owner.role, owner.user.email) == ("owner", "lea@tailspin.example")
    with pytest.raises(CommandError, match="no e-mail address"):
        call_command("start_company", "Other", "lea", stdout=out)
    assert Tenant.objects.count() == 1


def test_one_company_opens_by_itself_and_several_are_chosen_from(sam: Member, rival: Tenant) -> None:
    client = Client()
    assert client.get("/").url == "/accounts/login/?next=/"
    client.force_login(sam.user)
    assert client.get("/").url == "/t/acme/"
    assert b"Acme" in client.get("/?choose=1").content
    Member.objects.create(tenant=rival, user=sam.user, role=Member.Role.ANALYST)
    page = client.get("/").content.decode()
    assert re.findall(r'href="(/t/[a-z]+/)"', page) == ["/t/acme/", "/t/rival/"]


def test_signing_in_with_any_case_of_the_address(sam: Member) -> None:
    client = Client()
    answer = client.post("/accounts/login/", {"login": " SAM@Acme.Example ", "password": "secret-sam"})
    assert answer.url == "/"
    assert Client().post("/accounts/login/", {"login": sam.user.email, "password": "wrong"}).status_code == 200


def test_allauths_own_sign_up_is_closed(db: None) -> None:
    answer = Client().post("/accounts/signup/", {"email": "eve@new.example", "password1": PASSWORD})
    assert b"How to get an account" in answer.content
    assert not User.objects.exists()


@pytest.mark.parametrize("path", ["login", "password/reset", "password/reset/done", "password/reset/key/1-x", "signup"])
def test_account_pages_have_our_look(path: str, db: None) -> None:
    answer = Client().get(f"/accounts/{path}/", follow=True)
    assert b'class="plain-brand"' in answer.content


def test_a_forgotten_password_is_reset_by_mail(sam: Member) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": sam.user.email})
    link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)
    assert link is not None
    form = client.get(link[1], follow=True)
    client.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    sam.user.refresh_from_db()
    assert sam.user.check_password(PASSWORD)
