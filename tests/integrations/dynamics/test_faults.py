"""Whatever goes wrong between us and Dataverse: nothing is lost, nothing doubled, and somebody hears of it."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from contacts import consent, people, timeline
from contacts.models import Contact, Interaction, Purpose
from integrations.client import Throttled
from integrations.connections import verbs
from integrations.connections.tokens import Tokens
from integrations.crm import setting_up
from integrations.crm.interface import crms
from integrations.dynamics import access, checking, odata
from integrations.models import Connection, CrmChange, FieldMapping, Pace, SyncRun
from integrations.sandbox.dynamics.security import ALL, CLIENT_ID
from tenants.models import Member, Notification
from tenants.scope import tenant_scope
from tests.integrations.dynamics.world import World

BATCH = {"method": "POST", "path": "*batch"}
# As long as Entra ID makes them.
SECRET = "aBc8Q~dEf0gHi1jKl2mNo3pQr4sTu5vWx6yZ7-._"
BUSY = {"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000."}}

LOST: list[Any] = [
    {"status": 503, "text": "busy"}, {"html": 502}, "reset", {"apply_then": "reset"}, {"apply_then": {"html": 504}},
    {"apply_then": {"truncate": 300}}, {"apply_then": "cut"},
]  # fmt: skip


def pace(world: World) -> Pace | None:
    with tenant_scope(world.tenant):
        return Pace.objects.filter(connection=world.connection).first()


def test_a_lead_is_made_once_however_often_a_write_fails_or_its_answer_is_lost(world: World) -> None:
    for number, do in enumerate(LOST, 1):
        world.faults({"match": BATCH, "times": None, "do": do})
        lead = world.lead(number)
        world.run()
        assert world.state() == "active"
        held = pace(world)
        assert held is not None
        assert held.held_until is not None, "it rests after its last try"
        world.faults()
        world.sync()
        assert world.states() == ["done"] * number, do
        assert [len(world.rows(name)) for name in ("lead", "contact", "account")] == [number] * 3, do
        assert len([row for row in world.rows("task") if row["subject"].startswith("Follow up")]) == number, do
        assert world.link(lead).external_id
        assert pace(world).failure_count == 0  # type: ignore[union-attr]


def test_what_sales_did_between_a_lost_answer_and_the_next_attempt_is_not_overwritten(world: World) -> None:
    lead = world.lead(job_title="Buyer")
    world.faults({"match": BATCH, "times": 5, "do": {"apply_then": "reset"}})
    world.run()
    [theirs] = world.rows("lead")
    assert world.link(lead).external_id == "", "we have not heard of it"
    world.place.world.clock.advance(60)
    world.act("edit", table="lead", id=theirs["leadid"], values={"jobtitle": "Head of Buying"})
    world.sync()
    assert world.rows("lead")[0]["jobtitle"] == "Head of Buying"
    assert world.states()[0] == "done"


def test_a_summary_whose_answer_was_lost_is_known_again_and_does_not_stand_there_twice(world: World) -> None:
    """The person goes on visiting pages between the attempts, at the handoff and later."""
    lead = world.lead()
    for page in ("Pumps", "Valves"):
        world.faults({"match": BATCH, "times": 5, "do": {"apply_then": "reset"}})
        world.sync()
        world.faults()
        with tenant_scope(world.tenant):
            timeline.record("page.visited", contact=lead.contact, object_id=7, detail={"page": page})
        world.sync(2)
        text = world.rows("lead")[0]["description"]
        assert text.count("Source: Form") == 1
        assert f"Visited {page}" in text
        with tenant_scope(world.tenant):
            CrmChange.objects.all().delete()
            timeline.record("page.visited", contact=lead.contact, object_id=7, detail={"page": "Prices"})
    assert world.link(lead).summaries == [text]


def test_what_sales_did_between_a_lost_answer_and_its_repetition_at_once_is_heard_of(world: World) -> None:
    """The client repeats the batch by itself: it meets a lead that has been accepted within the second."""
    world.faults({"match": BATCH, "do": {"apply_then": "reset"}})
    lead = world.lead()
    world.at_wait = lambda: world.act("accept", lead=world.rows("lead")[0]["leadid"])
    world.run()
    assert len(world.rows("lead")) == 1
    world.at_wait = None
    world.sync()
    assert world.fresh(lead).stage == "sal"


def test_a_busy_environment_is_left_alone_as_long_as_it_asks_for(world: World) -> None:
    """By seconds, by a date, or by nothing."""
    asked = [("120", 120), ("Wed, 01 Jan 2031 00:00:00 GMT", 1_800), ("", 15)]
    for number, (wait, seconds) in enumerate(asked, 1):
        headers = {"Retry-After": wait} if wait else {}
        world.lead(number)
        world.faults({"match": BATCH, "times": None, "do": {"status": 429, "headers": headers, "json": BUSY}})
        before = timezone.now()
        world.run()
        held = pace(world)
        assert held is not None
        assert held.held_until is not None
        assert before + timedelta(seconds=seconds) <= held.held_until <= timezone.now() + timedelta(seconds=seconds)
        assert "6000" in held.reason
        assert (world.states()[-1], world.changes()[-1].attempt_count) == ("queued", 0)
        if wait:
            calls = len(world.requests("POST", "batch"))
            world.run()
            assert len(world.requests("POST", "batch")) == calls, "nothing is asked meanwhile"
        world.faults()
        world.sync()
        assert world.states() == ["done"] * number


def test_a_short_wait_is_waited_for_within_the_call(world: World) -> None:
    world.lead()
    world.faults({"match": BATCH, "do": {"status": 429, "headers": {"Retry-After": "3"}, "json": BUSY}})
    world.run()
    assert world.states() == ["done"]
    assert max(world.waits) >= 3


def test_the_last_calls_within_the_limits_are_left_to_others(world: World) -> None:
    world.run()
    calls = len(world.requests())
    world.admin(limits={"requests": calls + 60})
    world.lead()
    world.sync()
    assert world.states() == ["done"], "what was sent before it was known is done"
    held = pace(world)
    assert held is not None
    assert "Few calls are left" in held.reason
    assert len(world.requests()) - calls < 5


def test_a_connection_rests_when_the_time_that_its_calls_may_take_is_nearly_used_up(world: World) -> None:
    for said, is_enough in (("1,012.5", True), ("12.5", False), ("soon", True)):
        left = {"x-ms-ratelimit-time-remaining-xrm-requests": said}
        world.faults({"match": {"path": "*WhoAmI"}, "do": {"status": 200, "headers": left, "json": {}}})
        api = odata.Api(world.fresh(world.connection))
        api.get("/WhoAmI")
        with nullcontext() if is_enough else pytest.raises(Throttled):
            api.get("/WhoAmI")


def test_a_part_of_a_batch_that_is_refused_leaves_the_others(world: World) -> None:
    """Longer than their name may be, which their metadata did not say; and a lead that was closed meanwhile."""
    fine, long, closed = (world.lead(number) for number in (1, 2, 3))
    world.run()
    with tenant_scope(world.tenant):
        world.connection.tables.filter(entity="contact").update(columns=[])
        for lead, title in ((fine, "Boss"), (long, "T" * 120), (closed, "Boss")):
            people.update_contact(Contact.objects.get(pk=lead.contact_id), {"job_title": title})
    world.act("disqualify", lead=world.link(closed).external_id)
    world.run()
    by_lead = {
        (change.entity, change.object_id): (change.state, change.reason) for change in world.changes(kind="update")
    }
    assert by_lead["contact", fine.contact_id] == ("done", "")
    assert by_lead["contact", long.contact_id] == ("parked", "rejected")
    assert by_lead["lead", closed.pk] == ("cancelled", "closed")
    assert "exceeded the maximum allowed length" in world.changes(state="parked", entity="contact")[0].error
    assert world.fresh(closed).stage == "disqualified", "the refusal was the news"


def test_an_expired_token_is_fetched_anew_once_by_eight_workers(world: World) -> None:
    world.admin(revoke=True)
    used = world.fresh(world.connection).token.reveal()

    def renew(_number: int) -> str:
        try:
            return Tokens(world.connection, access.fetch).renew(used)
        finally:
            database.close()

    asked = len([e for e in world.place.journal.all() if "oauth2" in e.request.path])
    with ThreadPoolExecutor(8) as workers:
        tokens = set(workers.map(renew, range(8)))
    assert len(tokens) == 1
    assert len([e for e in world.place.journal.all() if "oauth2" in e.request.path]) == asked + 1
    world.admin(revoke=True)
    world.lead()
    world.run()
    assert world.states() == ["done"]


def test_a_secret_that_has_expired_stops_the_schedule_and_tells_the_owners_what_to_do(world: World) -> None:
    world.lead()
    world.admin(revoke=True, secret_expired=True)
    world.run()
    assert world.state() == "needs_authorisation"
    assert "has expired" in world.fresh(world.connection).reason
    with tenant_scope(world.tenant):
        assert Notification.objects.filter(kind="connection").count() == 1
    assert (world.states(), world.changes()[0].attempt_count) == (["queued"], 0)


def test_a_privilege_that_is_withdrawn_stops_it_by_name_and_nothing_is_parked(world: World) -> None:
    first = world.lead()
    world.run()
    world.admin(withdraw=["prvCreateLead"])
    world.lead(2)
    world.run()
    assert world.state() == "stopped"
    assert "prvCreateLead" in world.fresh(world.connection).reason
    assert world.states() == ["done", "queued"]
    world.admin(grant=["*"])
    with tenant_scope(world.tenant):
        verbs.activate(Connection.objects.get(pk=world.connection.pk), by=world.owner)
    world.run()
    assert world.states() == ["done", "done"]
    assert len(world.rows("lead")) == 2
    assert world.fresh(first).stage == "handed_off"


def test_reading_by_pages_of_two_meets_full_and_empty_ends_and_rows_that_shift(world: World) -> None:
    """Records that come between two pages, a full last page, and the same row on two pages."""
    leads = [world.lead(number) for number in range(1, 5)]
    world.run()
    world.page = 2
    for lead in leads:
        world.act("accept", lead=world.link(lead).external_id)
    for number in range(3):
        world.act("edit", table="lead", id=world.link(leads[0]).external_id, values={"jobtitle": f"Boss {number}"})
    world.faults({"match": {"method": "GET", "path": "*leads"}, "nth": 2, "do": {"html": 503}})
    world.sync()
    assert [world.fresh(lead).stage for lead in leads] == ["sal"] * 4
    assert world.fresh(leads[0]).job_title == "Boss 2"
    assert len(world.told("crm.accepted")) == 4
    world.place.world.clock.advance(8 * 86_400)
    world.sync()
    assert len(world.told("crm.accepted", "crm.unlinked")) == 4, "a read of everything, page by page, is no news"


def test_a_read_that_breaks_goes_on_behind_the_last_page(world: World) -> None:
    leads = [world.lead(number) for number in range(1, 6)]
    world.run()
    world.page = 2
    for lead in leads:
        world.act("accept", lead=world.link(lead).external_id)
    world.faults({"match": {"method": "GET", "path": "*leads"}, "nth": 2, "times": None, "do": "reset"})
    world.sync()
    assert [world.fresh(lead).stage for lead in leads].count("sal") == 2
    world.faults()
    before = len(world.requests("GET", "/leads?"))
    world.sync()
    assert [world.fresh(lead).stage for lead in leads] == ["sal"] * 5
    assert len(world.requests("GET", "/leads?")) - before == 2, "the first page is not read again"


def test_deletions_of_the_unknown_stragglers_and_odd_rows_are_passed_over(world: World) -> None:
    lead = world.lead()
    world.run()
    world.sync()
    row = {
        "@odata.etag": 'W/"1"', "leadid": world.link(lead).external_id, "statecode": 2, "statuscode": 4,
        "firstname": "Older", "new_crmkey": "no uuid",
    }  # fmt: skip
    odd = {
        "@odata.etag": "", "leadid": "00000000-0000-0000-0000-000000000001", "statecode": None, "statuscode": 99,
        "new_crmkey": None, "unheard_of": {"a": None}, "_ownerid_value": None,
    }  # fmt: skip
    gone = {"@odata.context": "x/$deletedEntity", "id": "00000000-0000-0000-0000-000000000009", "reason": "deleted"}
    link = f"{world.url}/api/data/v9.2/leads?$select=leadid&$deltatoken=919042%2108%2f22%2f2031%2008%3a10%3a44"
    page = {"value": [row, odd, gone, gone], "@odata.deltaLink": link}
    world.faults({"match": {"method": "GET", "path": "*leads"}, "do": {"status": 200, "json": page}})
    world.sync()
    assert world.fresh(lead).stage == "handed_off"
    assert world.fresh(lead).contact.first_name == "Ada"
    assert world.told("crm.unlinked") == []


def test_an_answer_that_makes_no_sense_lets_the_connection_rest_and_says_so(world: World) -> None:
    world.run()
    row = {"@odata.etag": 'W/"9"', "leadid": "00000000-0000-0000-0000-000000000001", "modifiedon": "yesterday"}
    world.faults({"match": {"method": "GET", "path": "*leads"}, "do": {"status": 200, "json": {"value": [row]}}})
    world.sync()
    held = pace(world)
    assert held is not None
    assert "cannot be read" in held.reason
    with tenant_scope(world.tenant):
        assert SyncRun.objects.filter(kind="in").latest("pk").state == "failed"
    world.sync()
    assert pace(world).failure_count == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("ahead", [600, -600])
def test_the_later_change_wins_although_the_clocks_differ_by_ten_minutes(world: World, ahead: int) -> None:
    world.place.world.clock.advance(ahead)
    world.admin(revoke=True)
    lead = world.lead(job_title="Buyer")
    world.run()
    person = world.fresh(lead).contact
    with tenant_scope(world.tenant):
        FieldMapping.objects.filter(field="lead.job_title").delete()
        people.update_contact(Contact.objects.get(pk=person.pk), {"job_title": "Ours"})
    # A minute before ours by the true time, or after it; their clock says the contrary.
    world.place.world.clock.advance(-60 if ahead > 0 else 60)
    world.edit("contact", person, jobtitle="Theirs")
    world.sync(2)
    expected = "Ours" if ahead > 0 else "Theirs"
    assert world.fresh(person).job_title == world.rows("contact")[0]["jobtitle"] == expected


def test_whoever_refuses_while_her_lead_waits_is_handed_over_as_refusing(world: World) -> None:
    lead = world.lead(hand_off=False)
    with tenant_scope(world.tenant):
        news = Purpose.objects.create(key="news", name="News", is_default=True)
        consent.grant(lead.contact, news, basis="consent", source="form")
    world.hand_off(lead)
    world.faults({"match": BATCH, "times": None, "do": {"status": 429, "headers": {"Retry-After": "99"}, "json": BUSY}})
    world.run()
    with tenant_scope(world.tenant):
        consent.refuse(lead.contact, news, source="link")
        people.update_contact(Contact.objects.get(pk=lead.contact_id), {"do_not_phone": True})
    world.faults()
    world.sync()
    for row in (*world.rows("lead"), *world.rows("contact")):
        assert (row["donotbulkemail"], row["donotphone"]) == (True, True)
    assert "no phone calls" in world.rows("lead")[0]["description"]


def test_a_role_with_what_the_test_asks_for_is_enough(world: World, sam: Member) -> None:
    world.admin(withdraw=sorted(ALL - set(checking.needed())))
    with tenant_scope(world.tenant):
        user = world.connection.users.get(email="jonas.weber@sales.example.com")
        setting_up.choose_member(user, sam, by=world.owner)
    lead = world.lead(hand_off=False)
    world.hand_off(lead, to=sam)
    world.sync(2)
    assert (world.states(), world.state()) == (["done"], "active")
    assert {row["_ownerid_value"] for row in (*world.rows("lead"), *world.rows("task"))} == {user.external_id}


def test_a_test_of_the_connection_names_what_is_missing(world: World) -> None:
    def missing() -> dict[str, str]:
        session = crms.of("dynamics").open(world.fresh(world.connection))
        return {str(f.name): str(f.text) for f in session.check() if not f.is_fine}

    assert missing() == {}
    world.admin(
        withdraw=["prvWriteLead", "prvReadUser"], untracked=["contact", "task"], keyless=["account"],
        narrow=["prvReadContact"],
    )  # fmt: skip
    found = missing()
    assert "prvReadContact" in found["Scope"]
    assert "prvWriteLead" in found["Security role"]
    assert "prvReadUser" in found["Security role"]
    assert "Change tracking is off" in found["Table contact"]
    assert "alternate key" in found["Table account"]
    assert "does not come here" in found["Table task"]
    world.admin(application_user=False)
    assert set(missing()) == {"Application user"}
    world.admin(revoke=True, secret="another")
    assert "client secret is wrong" in missing()["Sign-in"]


def texts_of_everything(world: World) -> Iterator[str]:
    with tenant_scope(world.tenant), database.cursor() as cursor:
        for table in ("crmchange", "recordlink", "pace", "syncrun", "connection", "crmcursor", "remotetable"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM integrations_{table} t")
            yield from (text for (text,) in cursor.fetchall())
        cursor.execute("SELECT row_to_json(n)::text FROM tenants_notification n")
        yield from (text for (text,) in cursor.fetchall())
        yield from (json.dumps(row.detail) for row in Interaction.objects.all())


def test_no_secret_is_in_any_log_error_row_or_notice(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.admin(secret=SECRET)
    with tenant_scope(world.tenant):
        row = Connection.objects.get(pk=world.connection.pk)
        verbs.replace_credentials(row, {"client_id": CLIENT_ID, "client_secret": SECRET}, by=world.owner)
    world.lead(3)
    world.run()
    token = world.fresh(world.connection).token.reveal()
    echo = {"error": {"code": "0x1", "message": f"bad {SECRET} and Bearer {token}"}}
    world.lead()
    world.faults({"match": BATCH, "times": None, "do": {"status": 400, "json": echo}})
    world.run()
    world.faults({"match": {"path": "*oauth2*"}, "times": None, "do": {"status": 401, "json": echo}})
    world.admin(revoke=True)
    world.lead(2)
    world.sync()
    assert world.state() == "needs_authorisation"
    everything = [*texts_of_everything(world), caplog.text, repr(world.fresh(world.connection).__dict__)]
    assert not [text for text in everything if token in text], "no token"
    assert not [text for text in everything if SECRET in text], "no client secret"
