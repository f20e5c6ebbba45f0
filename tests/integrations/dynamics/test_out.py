"""A lead is handed over: what stands there afterwards, and what later changes make of it."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from contacts import consent, deletion, erasure, merging, people, timeline
from contacts.models import Contact, Purpose
from integrations.crm import knowing, outbox, setting_up
from integrations.crm.planning import Planner
from integrations.models import CrmChange, CrmCursor, RecordLink
from leads import assignment, editing, lifecycle, linking
from leads.models import Lead
from tenants import wakeups
from tenants.models import Member
from tenants.postgres import statistics
from tenants.scope import tenant_scope
from tests.integrations.dynamics.world import World


def test_a_lead_is_handed_over_with_its_person_company_summary_and_a_task(world: World) -> None:
    lead = world.lead()
    world.run()
    [theirs] = world.rows("lead")
    [person] = world.rows("contact")
    [company] = world.rows("account")
    assert (theirs["subject"], theirs["firstname"], theirs["emailaddress1"]) == ("Pumps 1", "Ada", "p1@firm1.example")
    assert theirs["_parentcontactid_value"] == person["contactid"]
    assert theirs["_parentaccountid_value"] == company["accountid"]
    assert person["_parentcustomerid_value"] == company["accountid"]
    assert "Source: Form" in theirs["description"]
    assert "no marketing e-mail" in theirs["description"]
    assert theirs["leadsourcecode"] == 8
    assert theirs["new_crmkey"] == str(world.link(lead).uid)
    [task] = [row for row in world.rows("task") if row["_regardingobjectid_value"] == theirs["leadid"]]
    assert task["subject"] == "Follow up: Ada Person1"
    assert world.states() == ["done"]
    assert len(world.told("crm.handed_over")) == 1


def test_a_company_and_a_person_that_are_there_are_not_written_again(world: World) -> None:
    first = world.lead()
    world.run()
    with tenant_scope(world.tenant):
        second = lifecycle.create_lead("Valves", contact=first.contact, source="call")
    world.edit("account", world.fresh(first).account, name="Firm 1 Ltd")
    world.hand_off(second)
    world.run()
    assert [len(world.rows(name)) for name in ("lead", "contact", "account")] == [2, 1, 1]
    assert {row["_parentcontactid_value"] for row in world.rows("lead")} == {world.rows("contact")[0]["contactid"]}
    assert world.rows("account")[0]["name"] == "Firm 1 Ltd", "a handoff does not overwrite what sales knows"


def test_whoever_has_the_lead_here_gets_it_and_its_task_there(world: World, sam: Member) -> None:
    address = "jonas.weber@sales.example.com"
    jonas = world.place.world.organisation.user(address).id
    with tenant_scope(world.tenant):
        user = world.connection.users.get(email=address)
        setting_up.choose_member(user, sam, by=world.owner)
    lead = world.lead(hand_off=False)
    world.hand_off(lead, to=sam)
    world.run()
    assert world.rows("lead")[0]["_ownerid_value"] == jonas
    [task] = [row for row in world.rows("task") if row["subject"].startswith("Follow up")]
    assert task["_ownerid_value"] == jonas


def test_whoever_gets_the_lead_later_gets_it_there_too_and_what_sales_says_is_no_change_of_ours(
    world: World, sam: Member
) -> None:
    addresses = {sam: "jonas.weber@sales.example.com", world.owner: "elena.rossi@sales.example.com"}
    jonas, elena = (world.place.world.organisation.user(address).id for address in addresses.values())
    with tenant_scope(world.tenant):
        for member, address in addresses.items():
            setting_up.choose_member(world.connection.users.get(email=address), member, by=world.owner)
    lead = world.lead()
    world.run()
    assert world.rows("lead")[0]["_ownerid_value"] == elena
    with tenant_scope(world.tenant):
        assignment.assign(Lead.objects.get(), member=sam, by=world.owner, is_told=False)
    world.run()
    assert world.rows("lead")[0]["_ownerid_value"] == jonas
    assert "If-Match: W/" in world.requests("POST", "$batch")[-1].request.body.decode()
    world.act("assign", table="lead", id=world.link(lead).external_id, to=addresses[world.owner])
    calls = len(world.requests("POST", "$batch"))
    world.sync()
    assert world.fresh(lead).owner_id == world.owner.pk
    assert len(world.requests("POST", "$batch")) == calls, "it is not written back"


def test_what_happens_later_stands_in_the_summary_once_an_hour_and_sales_own_words_stay(world: World) -> None:
    lead = world.lead()
    world.run()
    first = world.rows("lead")[0]["description"]
    world.edit("lead", lead, description=f"{first}\n\nCall on Monday.")
    world.sync()
    with tenant_scope(world.tenant):
        for title in ("Pumps", "Valves"):
            timeline.record("page.visited", contact=lead.contact, object_id=7, detail={"page": title})
    wakeups.work(world.tenant.pk, "reactor")
    [change] = world.changes(kind="update")
    assert (change.state, change.fields) == ("queued", ["lead.summary"])
    assert timezone.now() < change.next_attempt_at <= timezone.now() + timedelta(hours=1)
    world.run()
    assert world.rows("lead")[0]["description"].startswith(first), "not before the hour is over"
    world.sync()
    then = world.rows("lead")[0]["description"]
    assert "Visited Pumps" in then
    assert "Visited Valves" in then
    assert then.endswith("no marketing e-mail\n\nCall on Monday.")
    [ours] = world.link(lead).summaries
    assert ours in then
    calls = len(world.requests("POST", "$batch"))
    with tenant_scope(world.tenant):
        CrmChange.objects.filter(pk=change.pk).update(state="queued")
    world.sync()
    assert len(world.requests("POST", "$batch")) == calls, "nothing is written where it is the same"
    assert world.fresh(change).reason == "same"


def test_a_lead_that_is_handed_over_again_keeps_what_sales_has_written(world: World) -> None:
    lead = world.lead()
    world.run()
    world.edit("lead", lead, description="My own notes.")
    world.sync()
    with tenant_scope(world.tenant):
        outbox.hand_over(world.connection, lead.pk, by=world.owner)
    world.run()
    text = world.rows("lead")[0]["description"]
    assert text.startswith("Source: Form")
    assert text.endswith("\n\nMy own notes.")


def test_whoever_begins_to_work_there_is_known_a_day_later(world: World, sam: Member) -> None:
    world.run()
    address = sam.user.email
    hired = {"firstname": "Sam", "lastname": "Acme", "internalemailaddress": address, "domainname": address}
    [key] = world.place.world.seed({"systemusers": [hired]})["systemusers"]
    world.sync()
    with tenant_scope(world.tenant):
        assert not world.connection.users.filter(external_id=key).exists(), "looked for once a day"
        CrmCursor.objects.filter(table="users").update(read_at=timezone.now() - timedelta(days=2))
    world.sync()
    with tenant_scope(world.tenant):
        assert world.connection.users.get(external_id=key).member_id == sam.pk
    lead = world.lead(hand_off=False)
    world.hand_off(lead, to=sam)
    world.run()
    assert world.rows("lead")[0]["_ownerid_value"] == key


def test_a_later_change_is_written_by_field_under_the_version_that_is_known(world: World) -> None:
    lead = world.lead()
    world.run()
    with tenant_scope(world.tenant):
        people.update_contact(Contact.objects.get(), {"job_title": "Head of Pumps", "city": "Kiel"})
    world.run()
    assert world.rows("contact")[0]["jobtitle"] == "Head of Pumps"
    assert world.rows("lead")[0]["jobtitle"] == "Head of Pumps", "her leads show it as well"
    body = world.requests("POST", "$batch")[-1].request.body.decode()
    assert '"jobtitle": "Head of Pumps"' in body
    assert "If-Match: W/" in body
    assert 'emailaddress1": ' not in body, "only what has changed goes out"
    assert world.fresh(world.link(lead)).changed == {}


def test_nothing_is_written_where_nothing_differs(world: World) -> None:
    world.lead()
    world.run()
    calls = len(world.requests("POST", "$batch"))
    with tenant_scope(world.tenant):
        people.update_contact(Contact.objects.get(), {"phone": "+4930901820"})
        people.update_contact(Contact.objects.get(), {"phone": ""})
    world.run()
    assert len(world.requests("POST", "$batch")) == calls
    assert {change.reason for change in world.changes(kind="update")} == {"same"}


def test_a_refusal_reaches_sales_whatever_is_mapped_and_none_is_ever_undone_there(world: World) -> None:
    lead = world.lead()
    with tenant_scope(world.tenant):
        news = Purpose.objects.create(key="news", name="News", is_default=True)
        consent.grant(lead.contact, news, basis="consent", source="form")
    world.run()
    assert not world.rows("contact")[0]["donotbulkemail"]
    with tenant_scope(world.tenant):
        consent.refuse(lead.contact, news, source="link")
    world.run()
    assert world.rows("contact")[0]["donotbulkemail"]
    assert world.rows("lead")[0]["donotbulkemail"]
    world.edit("contact", world.fresh(lead).contact, donotbulkemail=False)
    world.sync(2)
    assert world.rows("contact")[0]["donotbulkemail"], "sales cannot agree for her"


def test_a_value_that_does_not_fit_parks_the_handoff_and_its_repair_lets_it_go(world: World) -> None:
    lead = world.lead(job_title="T" * 140)
    world.run()
    [change] = world.changes()
    assert (change.state, change.reason) == ("parked", "unfit")
    assert "100" in change.error
    assert world.link(lead).problem == change.error
    assert world.rows("lead") == []
    with tenant_scope(world.tenant):
        people.update_contact(Contact.objects.get(), {"job_title": "🚰 " * 30})
        assert outbox.retry(change, by=world.owner)
    world.run()
    assert world.rows("contact")[0]["jobtitle"] == ("🚰 " * 30).strip()
    assert world.link(lead).problem == ""


def test_of_several_changes_of_a_record_that_do_not_fit_the_latest_alone_is_parked(world: World) -> None:
    lead = world.lead()
    world.run()
    for title in ("T" * 120, "U" * 130):
        with tenant_scope(world.tenant):
            people.update_contact(Contact.objects.get(), {"job_title": title})
        world.run()
    first, second = world.changes(kind="update", entity="contact")
    assert (first.state, first.reason, second.state) == ("cancelled", "overtaken", "parked")
    assert "130" in world.link(world.fresh(lead).contact).problem


def test_what_cannot_be_read_here_is_parked_and_holds_nobody_up(world: World) -> None:
    lead, other = world.lead(1), world.lead(2)
    with tenant_scope(world.tenant):
        broken, fine = (
            CrmChange.objects.create(
                connection=world.connection, key=f"x{each.pk}", kind="update", entity="lead", object_id=each.pk
            )
            for each in (lead, other)
        )
        planner = Planner(world.connection, [broken, fine])
        planner._or_park([broken], lambda changes: changes[0].fields["no such place"])
        plan = planner.plan()
    assert [(ended.changes, ended.state, ended.reason) for ended in plan.ended][:1] == [
        ([broken], "parked", "unreadable")
    ]


def test_a_poisoned_record_does_not_hold_the_others_up(world: World) -> None:
    """A choice that their metadata no longer has when we write: refused there, and only this one is parked."""
    good, bad, other = (world.lead(number, hand_off=False) for number in (1, 2, 3))
    with tenant_scope(world.tenant):
        editing.update_lead(bad, {"last_name": "\u202bשלום\u202c"})
        Lead.objects.filter(pk=bad.pk).update(source="nonsense")
    world.settings(default_owner=None)
    world.faults(
        {
            "match": {"path": "*batch", "contains": "שלום"},
            "times": None,
            "do": {"status": 400, "json": {"error": {"code": "0x80048d19", "message": "Cannot read it."}}},
        }
    )
    world.hand_off(good, bad, other)
    world.run()
    assert [change.state for change in world.changes(kind="handoff")] == ["done", "parked", "done"]
    assert "Cannot read it." in world.changes(state="parked")[0].error
    assert len(world.rows("lead")) == 2


def test_a_huge_order_lets_the_planner_know_of_the_company_that_has_it(world: World) -> None:
    with tenant_scope(world.tenant):
        rows = [
            CrmChange(connection=world.connection, key=f"x{n}", kind="update", entity="lead", object_id=n)
            for n in range(1, 801)
        ]
        outbox.order(rows)
    world.run()
    assert {(change.state, change.reason) for change in world.changes()} == {("cancelled", "gone")}
    with tenant_scope(world.tenant):
        assert statistics.believed_count(CrmChange.objects.all()) > statistics.FEW


def test_a_lead_of_a_source_goes_straight_to_sales_without_any_journey(world: World) -> None:
    world.settings(handoff_sources=["linkedin"])
    with tenant_scope(world.tenant):
        contact = people.create_contact({"email": "li@firm.example", "last_name": "Lee"})
        lead = lifecycle.create_lead("Guide", contact=contact, source="linkedin")
        lifecycle.create_lead("Other", contact=contact, source="form")
    world.run()
    assert [row["subject"] for row in world.rows("lead")] == ["Guide"]
    assert world.fresh(lead).stage == "handed_off"


def test_a_handoff_repeated_by_hand_meets_the_same_lead(world: World) -> None:
    lead = world.lead()
    world.run()
    with tenant_scope(world.tenant):
        outbox.hand_over(world.connection, lead.pk, by=world.owner)
    world.run()
    assert len(world.rows("lead")) == 1
    assert world.states() == ["done", "done"]


def test_a_recycled_lead_that_is_handed_over_again_is_reopened_there(world: World) -> None:
    lead = world.lead()
    world.run()
    world.act("disqualify", lead=world.link(lead).external_id, status=5)
    world.settings(recycle_reasons=["Cannot Contact"])
    world.sync()
    assert world.fresh(lead).stage == "recycled"
    world.hand_off(lead)
    world.run()
    [theirs] = world.rows("lead")
    assert (theirs["statecode"], theirs["statuscode"]) == (0, 1)
    world.sync()
    assert world.fresh(lead).stage == "handed_off", "our own reopening is no news"


def test_erasure_deletes_the_person_there_and_her_leads(world: World) -> None:
    lead = world.lead(first_name="Zyxina")
    world.run()
    person, planned = world.fresh(lead).contact, world.link(lead)
    with tenant_scope(world.tenant):
        erasure.erase([person.pk], by=None)
        knowing.sending([planned])
        assert not RecordLink.objects.exclude(summaries=[]).exists(), "also of what was just being planned"
    world.run()
    assert world.rows("contact") == []
    assert world.rows("lead") == []
    assert len(world.rows("account")) == 1
    with tenant_scope(world.tenant):
        assert set(RecordLink.objects.values_list("entity", flat=True)) == {"account"}
    with tenant_scope(world.tenant), connection.cursor() as cursor:
        for table in ("crmchange", "recordlink"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM integrations_{table} t")
            assert "Zyxina" not in cursor.fetchone()[0]
    world.sync()
    assert world.told("crm.unlinked") == [], "what we have deleted is not reported to us as news"


def test_erasure_may_empty_the_records_there_instead(world: World) -> None:
    lead = world.lead(first_name="Zyxina")
    world.settings(on_erasure="empty")
    world.run()
    with tenant_scope(world.tenant):
        erasure.erase([lead.contact_id], by=None)
    world.run()
    traces: Any = [*world.rows("lead"), *world.rows("contact")]
    assert len(traces) == 2
    assert "Zyxina" not in str(traces)
    assert "p1@firm1.example" not in str(traces)


def test_what_is_deleted_here_for_now_stays_there(world: World) -> None:
    lead = world.lead()
    world.run()
    with tenant_scope(world.tenant):
        deletion.deactivate(lead.contact, by=world.owner)
    world.run()
    assert len(world.rows("contact")) == 1


def test_a_lead_whose_person_becomes_known_later_leads_to_her_there(world: World) -> None:
    with tenant_scope(world.tenant):
        lead = lifecycle.create_lead("Pumps", values={"last_name": "Unknown", "company": "Firm 9"}, source="call")
    world.hand_off(lead)
    world.run()
    assert world.rows("lead")[0]["_parentcontactid_value"] is None
    assert world.rows("contact") == []
    with tenant_scope(world.tenant):
        contact = people.create_contact({"email": "known@firm9.example", "last_name": "Known"})
        linking.link(Lead.objects.get(pk=lead.pk), contact)
    world.run()
    [person] = world.rows("contact")
    assert world.rows("lead")[0]["_parentcontactid_value"] == person["contactid"]


def test_one_who_is_merged_into_another_keeps_her_record_there_and_has_it_back_when_that_is_undone(
    world: World,
) -> None:
    lead = world.fresh(world.lead())
    world.run()
    before = world.link(lead.contact)
    with tenant_scope(world.tenant):
        survivor = people.create_contact({"email": "main@firm1.example", "last_name": "Person1"})
        row = merging.merge(survivor, lead.contact, by=world.owner)
    world.run()
    assert world.link(survivor).external_id == before.external_id
    assert [row["emailaddress1"] for row in world.rows("contact")] == ["main@firm1.example"]
    with tenant_scope(world.tenant):
        merging.undo(row, by=world.owner)
    world.run()
    assert world.link(lead.contact).external_id == before.external_id, "taken apart, she has it back"
    assert [row["emailaddress1"] for row in world.rows("contact")] == ["p1@firm1.example"]
    with tenant_scope(world.tenant):
        assert not RecordLink.objects.filter(entity="contact", object_id=survivor.pk).exists()


def test_a_person_who_does_not_fit_parks_each_of_her_leads(world: World) -> None:
    first = world.lead(hand_off=False, job_title="T" * 140)
    with tenant_scope(world.tenant):
        second = lifecycle.create_lead("Valves", contact=first.contact, source="call")
    world.hand_off(first, second)
    world.run()
    assert [change.state for change in world.changes(kind="handoff")] == ["parked", "parked"]
