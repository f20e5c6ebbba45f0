"""What sales does there comes here: the lead's way, fields by who owns them, deletions; and our own changes do not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from contacts import people
from contacts.models import Account, Contact
from integrations.crm import setting_up
from integrations.dynamics import mapping
from integrations.models import CrmCursor, FieldMapping, RecordLink, SyncRun
from leads import lifecycle
from leads.models import Activity, Lead, Opportunity, StageChange
from segments import compiler
from segments.rules import parse
from tenants import wakeups
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.integrations.dynamics.world import World

JONAS = "jonas.weber@sales.example.com"


def theirs(world: World, record: object) -> str:
    return world.link(record).external_id


def test_accepted_qualified_and_won_move_our_lead_and_stand_in_its_timeline(world: World, sam: Member) -> None:
    lead = world.lead()
    world.run()
    with tenant_scope(world.tenant):
        setting_up.choose_member(world.connection.users.get(email=JONAS), sam, by=world.owner)
    world.act("accept", lead=theirs(world, lead), by=JONAS)
    world.sync()
    assert (world.fresh(lead).stage, world.fresh(lead).owner_id) == ("sal", sam.pk)
    made = world.act("qualify", lead=theirs(world, lead), value=12_000)
    world.sync()
    assert world.fresh(lead).stage == "sql"
    with tenant_scope(world.tenant):
        deal = Opportunity.objects.get()
    assert (deal.amount_minor, deal.currency, deal.lead_id) == (1_200_000, "EUR", lead.pk)
    world.act("win", opportunity=made["opportunity"], value=11_500)
    world.sync()
    assert world.fresh(lead).stage == "won"
    assert world.fresh(deal).state == "won"
    told = world.told("crm.accepted", "crm.owner_changed", "crm.qualified", "opportunity.won")
    assert [row.kind for row in told] == [
        "crm.owner_changed", "crm.accepted", "crm.qualified", "opportunity.won",
    ]  # fmt: skip
    with tenant_scope(world.tenant):
        assert list(StageChange.objects.order_by("pk").values_list("to_stage", flat=True)) == [
            "inquiry", "handed_off", "sal", "sql", "won",
        ]  # fmt: skip


def test_a_lead_that_is_qualified_and_lost_between_two_reads_goes_all_the_way(world: World) -> None:
    lead = world.lead()
    world.run()
    made = world.act("qualify", lead=theirs(world, lead))
    world.act("lose", opportunity=made["opportunity"], status=5)
    world.sync()
    assert world.fresh(lead).stage == "lost"
    with tenant_scope(world.tenant):
        assert Opportunity.objects.get().lost_reason == "Out-Sold"


def test_a_lead_is_disqualified_with_sales_reason_or_recycled_as_the_connection_says(world: World) -> None:
    lost, again = world.lead(1), world.lead(2)
    world.settings(recycle_reasons=["Cannot Contact"])
    world.run()
    world.act("disqualify", lead=theirs(world, lost), status=6)
    world.act("disqualify", lead=theirs(world, again), status=5)
    world.sync()
    assert (world.fresh(lost).stage, world.fresh(lost).stage_reason) == ("disqualified", "No Longer Interested")
    assert (world.fresh(again).stage, world.fresh(again).stage_reason) == ("recycled", "Cannot Contact")
    assert len(world.told("crm.disqualified")) == 2
    with tenant_scope(world.tenant):
        why = {"reason": {"op": "is", "value": "Cannot Contact"}}
        rule = parse({"all": [{"did": "crm.disqualified", "where": why}]}, "contact")
        asked = compiler.select_ids(rule, [lost.contact_id, again.contact_id])
        assert list(asked) == [again.contact_id], "segments, and by them journeys, know whom to take up again"
    world.act("reopen", lead=theirs(world, lost))
    world.sync()
    assert world.fresh(lost).stage == "sal"


def test_activities_there_are_activities_here_and_done_when_theirs_are(world: World) -> None:
    lead = world.lead()
    world.run()
    world.act("call", lead=theirs(world, lead), subject="First call")
    [task] = [row for row in world.rows("task") if row["subject"].startswith("Follow up")]
    world.sync()
    world.act("complete", task=task["activityid"])
    world.sync(2)
    with tenant_scope(world.tenant):
        rows = Activity.objects.order_by("subject")
        found = [(row.kind, row.subject, row.done_at is not None, row.lead_id) for row in rows]
    assert found == [("call", "First call", True, lead.pk), ("task", task["subject"], True, lead.pk)]
    assert [row.kind for row in world.told("call.logged", "activity.done")] == ["call.logged", "activity.done"]


def test_what_is_planned_there_moves_and_goes_with_theirs(world: World) -> None:
    moved, cancelled, deleted = (world.lead(number) for number in (1, 2, 3))
    world.run()
    tasks = {row["_regardingobjectid_value"]: row["activityid"] for row in world.rows("task")}

    def task(lead: Lead) -> dict[str, str]:
        return {"table": "task", "id": tasks[theirs(world, lead)]}

    world.sync()
    with tenant_scope(world.tenant):
        assert Activity.objects.filter(done_at=None).count() == 3
    world.act("edit", **task(moved), values={"subject": "Visit her", "scheduledend": "2031-03-01T09:00:00Z"})
    world.act("edit", **task(cancelled), values={"statecode": 2, "statuscode": 6})
    world.act("delete", **task(deleted))
    world.sync()
    with tenant_scope(world.tenant):
        [row] = Activity.objects.all()
    assert (row.lead_id, row.subject, row.due_at) == (moved.pk, "Visit her", datetime(2031, 3, 1, 9, tzinfo=UTC))


def test_our_own_changes_that_come_back_are_ignored(world: World) -> None:
    lead = world.lead()
    world.run()
    world.sync(2)
    before = world.link(lead)
    assert world.told("crm.changed", "crm.overwritten", "crm.accepted") == []
    assert [change.kind for change in world.changes()] == ["handoff"]
    assert world.link(lead).version == before.version
    with tenant_scope(world.tenant):
        read = SyncRun.objects.filter(kind="in").order_by("pk")
        assert [run.counts.get("new", 0) for run in read] == [0, 1, 0], "the follow-up task alone is news"


def test_who_owns_a_field_decides_and_every_overwrite_is_on_the_history(world: World) -> None:
    """The title is marketing's, the city sales', the first name of whoever was last."""
    lead = world.lead(job_title="Buyer", city="Kiel")
    world.run()
    person = world.fresh(lead).contact
    with tenant_scope(world.tenant):
        for name, owner in (("job_title", "marketing"), ("city", "sales"), ("first_name", "newest")):
            FieldMapping.objects.filter(field=f"contact.{name}").update(owner=owner)

    def both() -> list[tuple[str, str, str]]:
        mine, row = world.fresh(person), world.rows("contact")[0]
        return [
            (mine.job_title, mine.city, mine.first_name), (row["jobtitle"], row["address1_city"], row["firstname"]),
        ]  # fmt: skip

    world.edit("contact", person, jobtitle="Head of Buying", address1_city="Bonn", firstname="Ida")
    world.sync(2)
    assert both() == [("Buyer", "Bonn", "Ida")] * 2
    told = {row.kind: row.detail["fields"] for row in world.told("crm.changed", "crm.overwritten")}
    assert told["crm.overwritten"] == {"job_title": ["Head of Buying", "Buyer"]}
    assert told["crm.changed"] == {"city": ["Kiel", "Bonn"], "first_name": ["Ada", "Ida"]}
    with tenant_scope(world.tenant):
        mine = Contact.objects.get(pk=person.pk)
        people.update_contact(mine, {"job_title": "Purchaser", "city": "Rome", "first_name": "Eva"})
    world.sync(2)
    assert both() == [("Purchaser", "Bonn", "Eva")] * 2
    assert world.told("crm.changed")[-1].detail["fields"] == {"city": ["Rome", "Bonn"]}, "set back, and said so"


def test_a_field_that_is_mapped_later_is_made_the_same_and_kept_so(world: World) -> None:
    """What was read before has not its column, and a delta link goes on with those with which it began."""
    with tenant_scope(world.tenant):
        FieldMapping.objects.filter(field="contact.city").delete()
    lead = world.lead(city="Kiel")
    world.run()
    world.sync()
    assert world.rows("contact")[0]["address1_city"] is None
    with tenant_scope(world.tenant):
        mapping.put(world.connection, "contact.city", "address1_city", "newest", by=world.owner)
    world.sync()
    assert world.rows("contact")[0]["address1_city"] == "Kiel"
    world.edit("contact", world.fresh(lead).contact, address1_city="Bonn")
    world.sync()
    assert world.fresh(lead).contact.city == "Bonn"
    assert world.told("crm.unlinked", "crm.accepted") == []


def test_a_change_on_both_sides_at_once_is_read_again_decided_and_written(world: World) -> None:
    """If-Match meets another version: 412, then the latest of the two wins and nothing else is lost."""
    lead = world.lead(job_title="Buyer")
    world.run()
    person = world.fresh(lead).contact
    world.edit("contact", person, jobtitle="Theirs", address1_city="Kiel")
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=person.pk).update(updated_at=timezone.now() + timedelta(minutes=1))
        people.update_contact(Contact.objects.get(pk=person.pk), {"job_title": "Ours", "phone": "+4930901820"})
    world.run()
    world.sync()
    [row] = world.rows("contact")
    assert (row["jobtitle"], row["telephone1"], row["address1_city"]) == ("Ours", "+4930901820", "Kiel")
    mine = world.fresh(person)
    assert (mine.job_title, mine.phone, mine.city) == ("Ours", "+4930901820", "Kiel")
    assert {change.state for change in world.changes()} == {"done"}
    outcomes = [attempt["error"] for change in world.changes(kind="update") for attempt in change.attempts]
    assert any("412" in error for error in outcomes), "it was a conflict indeed"


def test_what_is_deleted_there_is_unlinked_here_and_nothing_is_lost(world: World) -> None:
    lead = world.lead()
    world.run()
    old = world.link(lead)
    world.act("delete", table="lead", id=old.external_id)
    world.sync()
    link = world.link(lead)
    assert (link.state, world.fresh(lead).stage) == ("unlinked", "handed_off")
    assert [row.lead_id for row in world.told("crm.unlinked")] == [lead.pk]
    with tenant_scope(world.tenant):
        people.update_contact(Contact.objects.get(), {"job_title": "Buyer"})
    world.run()
    assert world.rows("lead") == [], "an update does not make it again"
    with tenant_scope(world.tenant):
        lifecycle.recycle(Lead.objects.get(pk=lead.pk), "Deleted there")
    world.hand_off(lead)
    world.run()
    [anew] = world.rows("lead")
    assert anew["new_crmkey"] != str(old.uid), "another handoff makes another lead"


def test_a_person_deleted_there_is_made_again_by_the_next_handoff(world: World) -> None:
    """The lead leads to a contact that is gone, which we have not heard of yet."""
    lead = world.lead()
    world.run()
    person = world.fresh(lead).contact
    world.act("delete", table="contact", id=theirs(world, person))
    with tenant_scope(world.tenant):
        second = lifecycle.create_lead("Valves", contact=person, source="call")
    world.hand_off(second)
    world.run()
    world.sync()
    assert len(world.rows("lead")) == 2
    assert len(world.rows("contact")) == 1
    assert world.changes(kind="handoff")[1].state == "done"


def test_an_expired_delta_link_is_a_read_of_everything_which_finds_deletions_too(world: World) -> None:
    kept, gone = world.lead(1), world.lead(2)
    world.run()
    world.sync()
    world.act("accept", lead=theirs(world, kept))
    world.act("delete", table="lead", id=theirs(world, gone))
    world.act("delete", table="contact", id=theirs(world, world.fresh(gone).contact))
    world.place.world.clock.advance(8 * 86_400)
    world.sync()
    assert world.fresh(kept).stage == "sal"
    assert world.link(gone).state == "unlinked"
    assert len(world.told("crm.unlinked")) == 2
    with tenant_scope(world.tenant):
        assert not CrmCursor.objects.exclude(full_since=None).exists()
        assert RecordLink.objects.filter(state="linked", entity="lead").count() == 1


def test_an_environment_that_moves_to_another_address_is_read_from_the_beginning(world: World) -> None:
    """A position is an address, of the place where it came from."""
    lead = world.lead()
    world.run()
    world.sync()
    world.act("accept", lead=theirs(world, lead))
    with tenant_scope(world.tenant):
        for cursor in CrmCursor.objects.exclude(position=""):
            cursor.position = cursor.position.replace(world.url, "https://contoso.crm4.dynamics.com")
            cursor.save()
    world.sync()
    assert world.state() == "active"
    assert world.fresh(lead).stage == "sal"


def test_an_address_that_somebody_else_has_here_stays_a_noted_difference(world: World) -> None:
    lead = world.lead()
    world.run()
    with tenant_scope(world.tenant):
        people.create_contact({"email": "taken@firm.example"})
    person = world.fresh(lead).contact
    world.edit("contact", person, emailaddress1="taken@firm.example", jobtitle="Boss")
    world.sync(2)
    assert world.fresh(person).email == "p1@firm1.example"
    assert world.fresh(person).job_title == "Boss", "the other fields come all the same"
    assert "e-mail" in world.link(person).problem
    assert world.rows("contact")[0]["emailaddress1"] == "taken@firm.example", "and is not written back"


def test_what_cannot_be_read_is_noted_and_left(world: World) -> None:
    lead = world.lead()
    world.run()
    company = world.fresh(lead).account
    world.edit("account", company, telephone1="call us!", address1_city="Ærøskøbing 🚰")
    world.sync()
    assert world.fresh(company).city == "Ærøskøbing 🚰"
    assert "Phone" in world.link(company).problem
    with tenant_scope(world.tenant):
        assert Account.objects.get(pk=company.pk).phone == ""


def test_the_command_syncs_now_and_says_what_it_did(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    lead = world.lead()
    wakeups.work(world.tenant.pk, "reactor")
    call_command("sync_dynamics", tenant="acme")
    said = capsys.readouterr().out
    assert "out: Done (4 records)" in said
    assert "in: Done" in said
    assert world.link(lead).external_id
    with pytest.raises(CommandError, match="no company"):
        call_command("sync_dynamics", tenant="nobody")
    world.admin(withdraw=["prvReadLead"])
    with pytest.raises(CommandError, match="Not everything"):
        call_command("sync_dynamics", tenant="acme", anew=True)
    assert "prvReadLead" in world.fresh(world.connection).reason
