"""The pages of Dynamics: connecting and testing, fields, people, the outbox, and sales' side of a lead."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from contacts import people
from contacts.models import Field
from integrations.crm import backlog, setting_up
from integrations.crm.interface import User
from integrations.dynamics import connecting
from integrations.dynamics.connecting import Environment
from integrations.models import Connection, CrmChange, Entity, FieldMapping, RecordLink, RemoteTable, SalesUser
from integrations.sandbox import known
from integrations.sandbox.server import Running
from leads import lifecycle
from leads.models import Lead
from tenants.models import Audit, Job, Member
from tenants.scope import tenant_scope

ClientOf = Callable[..., Any]
SECRET = "s3cret-of-the-app~which-nobody-sees"
GUID = "8e2d1c4b-0000-4000-8000-000000000001"
FORM = {
    "name": "Our CRM", "environment_url": "https://contoso.crm4.dynamics.com", "tenant_id": GUID, "client_id": GUID,
    "client_secret": SECRET, "key_column": "new_crmkey",
}  # fmt: skip


@pytest.fixture
def sandbox(dataverse: Running, settings: Any) -> Running:
    settings.SANDBOX_URL, settings.SANDBOX_ORIGINS = dataverse.url, [dataverse.url]
    return dataverse


@pytest.fixture
def connection(acme: Any, ana: Member, settings: Any) -> Connection:
    """A connection that works, as far as the pages know; nothing is called."""
    with tenant_scope(acme):
        made = connecting.add(Environment(**FORM), by=ana)
        columns = [
            {"name": "subject", "label": "Topic", "type": "text", "longest": 300},
            {"name": "jobtitle", "label": "Job Title", "type": "text", "longest": 100},
            {"name": "numberofemployees", "label": "Employees", "type": "integer", "lowest": 0},
            {"name": "need", "label": "Need", "type": "choice", "options": [[0, "Must have"], [1, "No need"]]},
            {"name": "new_crmkey", "label": "Key", "type": "text", "longest": 100},
            {"name": "new_marketing", "label": "Marketing", "type": "memo", "longest": 4000},
        ]
        RemoteTable.objects.create(connection=made, entity="lead", name="lead", columns=columns)
        FieldMapping.objects.create(connection=made, entity="lead", field="lead.topic", remote="subject", owner="sales")
        found = [{"name": "Sign-in", "is_fine": True, "text": "", "is_optional": False}]
        made.settings |= {connecting.FINDINGS: found}
        made.state = Connection.State.ACTIVE
        made.save()
        return made


def page(client: Any, path: str, status: int = 200) -> str:
    response = client.get(f"/integrations/dynamics/{path}")
    assert response.status_code == status, path
    return response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_sandbox_is_connected_by_one_click_and_knows_our_people(
    ana: Member, sam: Member, sandbox: Running, client_of: ClientOf
) -> None:
    client = client_of(ana)
    assert "Connect the sandbox" in page(client, "new/")
    assert client.post("/integrations/dynamics/new/sandbox/").status_code == 302
    with tenant_scope(ana.tenant):
        made = Connection.objects.get()
        assert (made.state, made.is_sandbox) == ("active", True)
        assert SalesUser.objects.get(member=sam).email == "sam@acme.example"
        assert FieldMapping.objects.filter(connection=made, field="lead.email").exists()
    shown = page(client, f"{made.pk}/")
    assert "It has our key and tracks its changes." in shown
    assert f"{sandbox.url}/dynamics/{made.tenant_id}-{made.pk}/" in shown
    world = sandbox.world("dynamics", f"{made.tenant_id}-{made.pk}")
    world.administer({"withdraw": ["prvCreateLead"]})
    client.post(f"/integrations/dynamics/{made.pk}/test/")
    assert "lacks: prvCreateLead" in page(client, f"{made.pk}/")
    world.administer({"grant": ["*"], "secret": "another"})
    with tenant_scope(ana.tenant):
        Connection.objects.update(token=None)
    client.post(f"/integrations/dynamics/{made.pk}/test/")
    assert "The client secret is wrong." in page(client, f"{made.pk}/")
    assert client.post(f"/integrations/dynamics/{made.pk}/start/").status_code == 302
    world.administer({"secret": known.CLIENT_SECRET})
    client.post(f"/integrations/dynamics/{made.pk}/test/")
    with tenant_scope(ana.tenant):
        assert Connection.objects.get().state == "needs_authorisation"
    client.post(f"/integrations/dynamics/{made.pk}/start/")
    with tenant_scope(ana.tenant):
        assert Connection.objects.get().state == "active"
    page(client, f"{made.pk}/edit/", 404)


@pytest.mark.django_db(transaction=True)
def test_an_environment_that_cannot_be_called_is_kept_and_says_so(
    ana: Member, settings: Any, client_of: ClientOf
) -> None:
    client = client_of(ana)
    settings.SANDBOX_URL, settings.SANDBOX_ORIGINS, settings.DATAVERSE_LOGIN_URL = "", [], "https://127.0.0.1:9"
    assert "Connect the sandbox" not in page(client, "new/")
    assert client.post("/integrations/dynamics/new/sandbox/").status_code == 404
    assert client.post("/integrations/dynamics/new/", FORM).status_code == 302
    with tenant_scope(ana.tenant):
        made = Connection.objects.get()
        assert not connecting.is_complete(made)
        assert SECRET not in str(made.settings)
    for path in (f"{made.pk}/", f"{made.pk}/edit/", f"{made.pk}/fields/", f"{made.pk}/people/"):
        assert SECRET not in page(client, path)
    assert "have not been read yet" in page(client, f"{made.pk}/fields/")
    assert "Nobody is known there yet" in page(client, f"{made.pk}/people/")


WRONG = [
    ({"environment_url": "http://contoso.crm4.dynamics.com"}, "https"),
    ({"environment_url": "https://10.0.0.1"}, ""),
    ({"tenant_id": "not an id"}, "neither an ID"),
    ({"client_id": "contoso"}, "This is no ID"),
    ({"client_secret": ""}, "required"),
    ({"name": ""}, "required"),
    ({"key_column": "crmkey"}, "logical name"),
]


@pytest.mark.django_db
def test_what_is_wrong_with_an_environment_is_said_at_its_field(ana: Member, client_of: ClientOf) -> None:
    client = client_of(ana)
    for wrong, text in WRONG:
        response = client.post("/integrations/dynamics/new/", {**FORM, **wrong})
        assert response.status_code == 422
        (field,) = wrong
        assert text in str(response.context["form"].errors[field])
        assert field in response.context["form"].errors, wrong
    with tenant_scope(ana.tenant):
        assert not Connection.objects.exists()


@pytest.mark.django_db
def test_other_details_keep_the_secret_unless_another_is_entered(
    connection: Connection, ana: Member, client_of: ClientOf
) -> None:
    client, path = client_of(ana), f"/integrations/dynamics/{connection.pk}/edit/"
    assert client.post(path, {**FORM, "name": "CRM", "client_secret": ""}).status_code == 302
    with tenant_scope(ana.tenant):
        connection.refresh_from_db()
        assert (connection.name, connecting.verbs.secrets_of(connection)["client_secret"]) == ("CRM", SECRET)
        assert connecting.is_complete(connection)
    client.post(path, {**FORM, "environment_url": "fabrikam.crm.dynamics.com/main.aspx?a=b", "client_secret": "new"})
    with tenant_scope(ana.tenant):
        connection.refresh_from_db()
        assert connection.settings["environment_url"] == "https://fabrikam.crm.dynamics.com"
        assert connecting.verbs.secrets_of(connection)["client_secret"] == "new"
        assert not connecting.is_complete(connection), "what was found is no news of these details"


@pytest.mark.django_db
def test_a_field_is_mapped_with_its_owner_and_mapped_no_more(
    connection: Connection, ana: Member, client_of: ClientOf
) -> None:
    client, base = client_of(ana), f"/integrations/dynamics/{connection.pk}/fields"
    offered = page(client, f"{connection.pk}/fields/new/lead/")
    assert "new_crmkey" not in offered, "our key is nobody else's"
    assert 'value="subject"' not in offered, "what is mapped is not offered again"
    wrong = {"field": "lead.job_title", "remote": "numberofemployees", "owner": "newest"}
    response = client.post(f"{base}/new/lead/", wrong)
    assert response.status_code == 422
    assert "takes numbers only" in str(response.context["form"].errors["remote"])
    response = client.post(
        f"{base}/new/lead/", {"field": "lead.score", "remote": "numberofemployees", "owner": "sales"}
    )
    assert "marketing decides" in str(response.context["form"].errors["owner"])
    assert client.post(f"{base}/new/lead/", {**wrong, "remote": "jobtitle"}).status_code == 302
    assert "Values longer than 100" in page(client, f"{connection.pk}/fields/lead.job_title/")
    assert client.post(f"{base}/lead.job_title/", {"owner": "marketing"}).status_code == 302
    with tenant_scope(ana.tenant):
        assert FieldMapping.objects.get(field="lead.job_title").owner == "marketing"
        assert FieldMapping.objects.get(field="lead.topic").owner == "sales", "the others stay"
        assert Audit.objects.filter(action="crm.mapped").exists()
    assert client.post(f"{base}/lead.job_title/remove/").status_code == 302
    page(client, f"{connection.pk}/fields/lead.job_title/", 404)
    page(client, f"{connection.pk}/fields/new/opportunity/", 404)


@pytest.mark.django_db
def test_choices_stand_for_each_other_whether_ours_are_listed_or_not(
    connection: Connection, ana: Member, client_of: ClientOf
) -> None:
    with tenant_scope(ana.tenant):
        Field.objects.create(entity="lead", key="need", label="Need", type="choice", options=["Must have", "Maybe"])
    client, base = client_of(ana), f"/integrations/dynamics/{connection.pk}/fields"
    given = {"field": "lead.custom.need", "remote": "need", "owner": "newest"}
    assert client.post(f"{base}/new/lead/", given)["Location"].endswith("/fields/lead.custom.need/")
    assert "stands for: Maybe" in page(client, f"{connection.pk}/fields/")
    client.post(f"{base}/lead.custom.need/", {"owner": "newest", "theirs_1": "1"})
    with tenant_scope(ana.tenant):
        assert FieldMapping.objects.get(field="lead.custom.need").options == {"Maybe": 1}
    client.post(f"{base}/lead.custom.need/remove/")
    client.post(f"{base}/new/lead/", {**given, "field": "lead.job_title"})
    half = client.post(f"{base}/lead.job_title/", {"owner": "newest", "ours_0": "Boss"})
    assert "Fill in both" in str(half.context["form"].errors["theirs_0"])
    client.post(f"{base}/lead.job_title/", {"owner": "newest", "ours_0": "Boss", "theirs_0": "0"})
    with tenant_scope(ana.tenant):
        assert FieldMapping.objects.get(field="lead.job_title").options == {"Boss": 0}


@pytest.mark.django_db
def test_a_mapping_whose_column_is_gone_is_shown_and_can_be_taken_away(
    connection: Connection, ana: Member, client_of: ClientOf
) -> None:
    with tenant_scope(ana.tenant):
        RemoteTable.objects.update(columns=[])
    client = client_of(ana)
    assert "no such column" in page(client, f"{connection.pk}/fields/")
    assert "Map it no more" in page(client, f"{connection.pk}/fields/lead.topic/")


@pytest.mark.django_db
def test_each_member_is_one_user_there(connection: Connection, ana: Member, sam: Member, client_of: ClientOf) -> None:
    with tenant_scope(ana.tenant):
        first, second = (
            SalesUser.objects.create(connection=connection, external_id=name, name=name, email=f"{name}@x.example")
            for name in ("Nora", "Jonas")
        )
        SalesUser.objects.filter(pk=first.pk).update(member=ana)
    client, path = client_of(ana), f"/integrations/dynamics/{connection.pk}/people/"
    twice = client.post(path, {f"member_{ana.pk}": first.pk, f"member_{sam.pk}": first.pk})
    assert twice.status_code == 422
    assert "is chosen for Ana Acme already" in str(twice.context["form"].errors[f"member_{sam.pk}"])
    client.post(path, {f"member_{ana.pk}": second.pk, f"member_{sam.pk}": first.pk})
    with tenant_scope(ana.tenant):
        assert dict(SalesUser.objects.values_list("name", "member")) == {"Nora": sam.pk, "Jonas": ana.pk}
    client.post(path, {f"member_{ana.pk}": "", f"member_{sam.pk}": first.pk})
    with tenant_scope(ana.tenant):
        assert dict(SalesUser.objects.values_list("name", "member")) == {"Nora": sam.pk, "Jonas": None}


@pytest.mark.django_db
def test_an_address_that_goes_from_one_user_to_another_takes_its_member_along(connection: Connection) -> None:
    def known(*people: User) -> dict[str, str]:
        setting_up.keep_users(connection, people)
        rows = SalesUser.objects.filter(member__isnull=False, is_active=True)
        return dict(rows.values_list("external_id", "member__user__email"))

    address, other = "ana@acme.example", "other@acme.example"
    with tenant_scope(connection.tenant_id):
        assert known(User("1", "Ana", address)) == {"1": address}
        assert known(User("2", "Ana", address), User("1", "Ana", other)) == {"2": address}
        assert known(User("3", "Ana", address)) == {"3": address}, "the second one is gone"
        assert known(User("3", "Ana", address, is_active=False)) == {}


@pytest.mark.django_db
def test_the_rules_of_handing_over_are_kept_and_bad_ones_are_named(
    connection: Connection, ana: Member, client_of: ClientOf
) -> None:
    client, path = client_of(ana), f"/integrations/dynamics/{connection.pk}/rules/"
    assert "Contacted" in page(client, f"{connection.pk}/rules/")
    given = {
        "follow_up_days": "", "handoff_sources": ["linkedin", "form"], "accepted_statuses": "2, 100000001",
        "recycle_reasons": "No Longer Interested\n\n", "on_erasure": "empty", "pull_minutes": "15",
        "summary_column": "new_marketing",
    }  # fmt: skip
    bad = {"accepted_statuses": "Contacted", "pull_minutes": "0", "default_owner": "x", "summary_column": "jobtitle"}
    wrong = client.post(path, {**given, **bad})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == set(bad)
    assert client.post(path, given).status_code == 302
    with tenant_scope(ana.tenant):
        connection.refresh_from_db()
        kept = connecting.rules_of(connection)
        assert (kept["follow_up_days"], kept["accepted_statuses"], kept["on_erasure"]) == (
            None,
            [2, 100000001],
            "empty",
        )
        assert kept["recycle_reasons"] == ["No Longer Interested"]
        assert kept["summary_column"] == "new_marketing"
        assert connection.settings["environment_url"] == FORM["environment_url"]
    assert 'value="new_marketing"' not in page(client, f"{connection.pk}/fields/new/lead/"), "it is nobody else's"


@pytest.mark.django_db
def test_a_parked_change_shows_why_and_is_tried_again_or_given_up(
    connection: Connection, ana: Member, sam: Member, client_of: ClientOf
) -> None:
    with tenant_scope(ana.tenant):
        lead = lifecycle.create_lead("Pumps", contact=people.create_contact({"last_name": "Berg"}), source="form")
        rows = [
            CrmChange.objects.create(
                connection=connection, key=f"handoff:{number}", kind="handoff", entity=Entity.LEAD, object_id=lead.pk,
                state="parked", reason="rejected", error="The length of 'subject' is too long.", attempt_count=1,
                attempts=[{"at": "2026-03-01T12:00:00Z", "outcome": "rejected", "error": "too long"}],
            )
            for number in range(3)
        ]  # fmt: skip
    client, base = client_of(ana), "/integrations/dynamics"
    listed = page(client, f"{connection.pk}/changes/?state=parked")
    assert "Berg · Pumps" in listed
    assert "it was not accepted there" in listed
    assert "Nothing here" in page(client, f"{connection.pk}/changes/?state=done")
    assert "too long" in page(client, f"changes/{rows[0].pk}/")
    client.post(f"{base}/changes/{rows[0].pk}/retry/")
    client.post(f"{base}/changes/{rows[1].pk}/dismiss/")
    with tenant_scope(ana.tenant):
        assert sorted(CrmChange.objects.values_list("state", flat=True)) == ["cancelled", "parked", "queued"]
    client.post(f"{base}/{connection.pk}/changes/retry/")
    with tenant_scope(ana.tenant):
        assert not CrmChange.objects.filter(state="parked").exists()
    assert client_of(sam).get(f"{base}/{connection.pk}/changes/").status_code == 403


@pytest.mark.django_db
def test_the_outbox_asks_as_much_for_fifty_changes_as_for_one(
    connection: Connection, ana: Member, client_of: ClientOf
) -> None:
    client, asked = client_of(ana), []
    page(client, f"{connection.pk}/changes/")
    for number in (1, 49):
        with tenant_scope(ana.tenant):
            leads = [lifecycle.create_lead(f"{number} {n}", source="form") for n in range(number)]
            CrmChange.objects.bulk_create(
                CrmChange(connection=connection, key=f"h:{lead.pk}", kind="handoff", entity="lead", object_id=lead.pk)
                for lead in leads
            )
        with CaptureQueriesContext(database) as queries:
            page(client, f"{connection.pk}/changes/")
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.django_db
def test_the_page_of_a_lead_shows_sales_side_and_hands_it_over(
    connection: Connection, ana: Member, sam: Member, client_of: ClientOf
) -> None:
    with tenant_scope(ana.tenant):
        lead = lifecycle.create_lead("Pumps", contact=people.create_contact({"last_name": "Berg"}), source="form")
    client = client_of(sam)
    shown = client.get(f"/sales/leads/{lead.pk}/").content.decode()
    assert "Not handed over yet." in shown
    assert client.post(f"/integrations/dynamics/{connection.pk}/leads/{lead.pk}/").status_code == 302
    with tenant_scope(ana.tenant):
        lead.refresh_from_db()
        assert lead.stage == "handed_off", "which orders the handoff"
    client.post(f"/integrations/dynamics/{connection.pk}/leads/{lead.pk}/")
    with tenant_scope(ana.tenant):
        assert CrmChange.objects.get().object_id == lead.pk, "once more by hand"
        RecordLink.objects.create(
            connection=connection, entity="lead", object_id=lead.pk, uid=GUID, external_id=GUID,
            standing={"status": "accepted", "owner_name": "Nora Lindqvist"}, problem="A value does not fit.",
        )  # fmt: skip
    shown = client.get(f"/sales/leads/{lead.pk}/").content.decode()
    assert "Accepted" in shown
    assert "Nora Lindqvist" in shown
    assert "A value does not fit." in shown
    assert f"https://contoso.crm4.dynamics.com/main.aspx?etn=lead&amp;pagetype=entityrecord&amp;id={GUID}" in shown
    assert "Hand over now" not in shown


@pytest.mark.django_db
def test_leads_that_sales_had_before_are_handed_over_by_one_click(
    connection: Connection, ana: Member, client_of: ClientOf
) -> None:
    client, path = client_of(ana), f"/integrations/dynamics/{connection.pk}/leads/"
    assert "Leads that sales has already" not in page(client, f"{connection.pk}/")
    with tenant_scope(ana.tenant):
        stages = ("handed_off", "sal", "sql", "sal", "inquiry", "won")
        leads = [lifecycle.create_lead(stage, source="form") for stage in stages]
        for lead, stage in zip(leads, stages, strict=True):
            Lead.objects.filter(pk=lead.pk).update(stage=stage)
        RecordLink.objects.create(connection=connection, entity="lead", object_id=leads[3].pk, uid=GUID)
    assert "Hand over 3 leads" in page(client, f"{connection.pk}/")
    assert client.post(path).status_code == 302
    assert "They are being handed over." in page(client, f"{connection.pk}/")
    with tenant_scope(ana.tenant):
        [job] = Job.objects.all()
        assert client.post(path)["Location"].endswith(f"/jobs/{job.pk}/"), "once"
        job = Job.objects.get()
    backlog.work(ana.tenant_id, time.monotonic() + 60, "dynamics")
    with tenant_scope(ana.tenant):
        job.refresh_from_db()
        assert (job.state, job.done_count, job.total_count) == ("done", 3, 3)
        handed = CrmChange.objects.filter(kind="handoff").order_by("object_id").values_list("object_id", flat=True)
        assert list(handed) == [lead.pk for lead in leads[:3]]
    assert "Leads that sales has already" not in page(client, f"{connection.pk}/")
