import re
from collections.abc import Callable

import pytest
from django.utils import timezone

from contacts.models import Contact
from journeys import drafting, templates, tree
from journeys.models import Journey, JourneyVersion, Participant, Visit
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.journeys.world import Step, World

pytestmark = pytest.mark.django_db(transaction=True)
WAIT: Step = ("wait", {"how": "for", "amount": 3, "unit": "days"})


def draft_of(tenant: Tenant) -> JourneyVersion:
    with tenant_scope(tenant):
        return JourneyVersion.objects.get(state="draft")


def test_a_marketer_builds_a_journey_and_goes_live(world: World, max_: Member, client_of: Callable) -> None:
    client = client_of(max_)
    answer = client.post("/journeys/new/", {"name": "Spring", "template": "blank"})
    path = answer.url
    root = draft_of(world.tenant).tiles["root"]
    pk = draft_of(world.tenant).journey_id
    tile = f"/journeys/{pk}/tiles/{root}/"
    page = client.get(path)
    assert page.status_code == 200
    assert "This step has not been set up." in page.content.decode()
    assert client.post(tile, {"revision": 0, "source": "segments", "match": "any"}).status_code == 422
    answer = client.post(tile, {"revision": 0, "source": "segments", "match": "any", "include": [world.segment.pk]})
    assert answer.status_code == 302
    answer = client.post(
        f"/journeys/{pk}/tiles/add/", {"revision": 1, "parent": root, "branch": "next", "kind": "email"}
    )
    assert answer.status_code == 302
    assert client.post(f"/journeys/{pk}/review/").status_code == 422
    assert client.post(answer.url, {"revision": 2, "email": world.email.pk, "tile_name": "First"}).status_code == 302
    world.contacts(3)
    review = client.get(f"/journeys/{pk}/review/").content.decode()
    assert "3 of 3 can be mailed." in review
    assert client.post(f"/journeys/{pk}/review/").status_code == 302
    world.run()
    assert [person.state for person in world.people(Journey(pk=pk))] == ["done"] * 3
    page = client.get(f"/journeys/{pk}/").content.decode()
    assert "First" in page
    assert "Prospects" in page


def test_who_changes_what_somebody_else_has_changed_is_told_so(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(WAIT, live=False)
    path = f"/journeys/{journey.pk}/tiles/add/"
    root = draft_of(world.tenant).tiles["root"]
    change = {"revision": 0, "parent": root, "branch": "next", "kind": "wait"}
    assert client_of(max_).post(path, change).status_code == 302
    answer = client_of(max_).post(path, change)
    assert answer.status_code == 409
    assert "Somebody else has changed this journey." in answer.content.decode()
    assert len(draft_of(world.tenant).tiles["tiles"]) == 3


def test_steps_are_moved_copied_and_removed(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(WAIT, ("split", {"shares": [50]}), live=False)
    client, tiles = client_of(max_), world.tiles(journey)
    base = f"/journeys/{journey.pk}/tiles"
    assert client.post(f"{base}/{tiles[1]}/move/", {"revision": 0, "to": f"{tiles[2]}:b"}).status_code == 302
    assert client.post(f"{base}/{tiles[1]}/duplicate/", {"revision": 1}).status_code == 302
    assert client.post(f"{base}/{tiles[2]}/delete/", {"revision": 2, "keep": "b"}).status_code == 302
    assert client.post(f"{base}/{tiles[0]}/delete/", {"revision": 3}).status_code == 422
    kinds = [place.tile["kind"] for place in tree.walk(draft_of(world.tenant).tiles)]
    assert kinds == ["audience", "wait", "wait"]


def test_every_kind_of_step_shows_its_form(world: World, max_: Member, client_of: Callable) -> None:
    from journeys.tiles import registry

    journey = world.journey(live=False)
    root = draft_of(world.tenant).tiles["root"]
    client = client_of(max_)
    for revision, kind in enumerate(registry.kinds()):
        data = {"revision": revision, "parent": root, "branch": "next", "kind": kind.key}
        answer = client.post(f"/journeys/{journey.pk}/tiles/add/", data)
        shown = client.get(answer.url, headers={"HX-Request": "true"})
        assert shown.status_code == 200, kind.key
        assert "<html" not in shown.content.decode()
        assert client.get(answer.url).status_code == 200


def test_people_are_found_by_step_traced_and_moved_on(world: World, max_: Member, client_of: Callable) -> None:
    contact, _other = world.contacts(2)
    journey = world.journey(WAIT, WAIT)
    world.run()
    client, tiles = client_of(max_), world.tiles(journey)
    listed = client.get(f"/journeys/{journey.pk}/people/?state=active&tile={tiles[1]}").content.decode()
    with tenant_scope(world.tenant):
        person = Participant.objects.get(contact_id=contact)
        assert str(Contact.objects.get(pk=contact)) in listed
    path = f"/journeys/people/{person.pk}/"
    assert "waits here until" in client.get(path).content.decode()
    go = {"tile": tiles[1], "branch": "next"}
    client.post(f"{path}move-on/", go)
    client.post(f"{path}move-on/", go)
    with tenant_scope(world.tenant):
        person.refresh_from_db()
        assert person.tile == tiles[2], "the second one comes too late"
        assert Visit.objects.get(participant_id=person.pk, tile=tiles[1]).actor_id == max_.pk
    assert "by hand, Max Acme" in client.get(path).content.decode()
    client.post(f"{path}take-out/", {"tile": tiles[2]})
    with tenant_scope(world.tenant):
        person.refresh_from_db()
        assert (person.state, person.reason) == ("exited", "by_hand")


def test_a_journey_is_paused_resumed_ended_and_archived(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(WAIT)
    client, path = client_of(max_), f"/journeys/{journey.pk}"
    for verb, data, state in [
        ("pause", {}, "paused"),
        ("resume", {"mode": "shift"}, "live"),
        ("end", {"at_end": "stop"}, "live"),
        (None, {}, "ended"),
        ("archive", {}, "archived"),
    ]:
        if verb:
            assert client.post(f"{path}/{verb}/", data).status_code == 302, verb
        else:
            world.run()
        with tenant_scope(world.tenant):
            assert Journey.objects.get().state == state, verb
    for page in ("versions/", "settings/", "resume/", "end/", "people/", ""):
        assert client.get(f"{path}/{page}").status_code == 200, page


def test_editing_a_live_journey_makes_a_draft_beside_it(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(WAIT)
    client = client_of(max_)
    client.post(f"/journeys/{journey.pk}/edit/")
    assert "Draft of v2 · live v1" in client.get(f"/journeys/{journey.pk}/").content.decode()
    assert client.get(f"/journeys/{journey.pk}/?version=live").status_code == 200
    client.post(f"/journeys/{journey.pk}/discard/")
    with tenant_scope(world.tenant):
        assert [version.state for version in journey.versions.all()] == ["live"]


def test_pages_cost_the_same_for_one_row_and_for_many(
    world: World, ana: Member, client_of: Callable, django_assert_max_num_queries: Callable
) -> None:
    client = client_of(ana)

    def cost(path: str) -> int:
        client.get(path)
        with django_assert_max_num_queries(40) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    first = world.journey(WAIT, owner=ana)
    paths = ["/journeys/", f"/journeys/{first.pk}/people/", f"/journeys/{first.pk}/"]
    world.contacts(1)
    world.run()
    before = [cost(path) for path in paths]
    world.contacts(20)
    for number in range(12):
        world.journey(WAIT, name=f"Journey {number}", owner=ana)
    with tenant_scope(world.tenant):
        Journey.objects.update(enrolled_to=0)
    world.run()
    assert [cost(path) for path in paths] == before


def test_an_analyst_looks_but_does_not_touch(world: World, ava: Member, client_of: Callable) -> None:
    journey = world.journey(WAIT)
    tile = world.tiles(journey)[1]
    client = client_of(ava)
    assert client.get(f"/journeys/{journey.pk}/tiles/{tile}/").status_code == 200
    assert client.post(f"/journeys/{journey.pk}/pause/").status_code == 403
    assert client.post(f"/journeys/{journey.pk}/tiles/{tile}/", {"revision": 0}).status_code == 403


def test_nurture_by_interest_gives_each_link_a_way(world: World, max_: Member) -> None:
    interests = {world.links[0].pk: "Pumps", world.links[1].pk: "Valves"}
    with tenant_scope(world.tenant):
        shape = templates.nurture(
            segment_id=world.segment.pk, email_id=world.email.pk, interests=interests, reminder_id=world.email.pk
        )
        journey = drafting.create("Nurture", shape, by=max_)
    first, second, _third = world.contacts(3)
    world.go_live(journey)
    world.run()
    world.click(first, 0)
    world.click(second, 1)
    world.run()
    with tenant_scope(world.tenant):
        from leads.models import Activity, Lead

        assert set(Lead.objects.values_list("contact_id", "topic")) == {(first, "Pumps"), (second, "Valves")}
        assert Activity.objects.count() == 2


def test_who_removes_a_branching_step_is_asked_in_words_which_way_stays(
    world: World, max_: Member, client_of: Callable, email_step: Step
) -> None:
    which = {"email_tile": "", "links": [link.pk for link in world.links[:2]], "amount": 3, "unit": "days"}
    journey = world.journey(email_step, ("which_of", which), WAIT, live=False)
    _root, _email, asked, _wait = world.tiles(journey)
    with tenant_scope(world.tenant):
        draft = JourneyVersion.objects.get()
        tree.insert(draft.tiles, "wait", asked, "none", WAIT[1])
        draft.save()
    page = client_of(max_).get(f"/journeys/{journey.pk}/tiles/{asked}/").content.decode()
    key = f"link-{world.links[0].pk}"
    assert f'<option value="{key}">and go on with “Link 0”</option>' in page
    assert '<option value="none">and go on with “No click”</option>' in page
    assert "Link 1”</option>" not in page.split('name="keep"')[1].split("</select>")[0], "nothing follows it"


def test_the_review_says_who_can_be_mailed_and_each_number_leads_to_them(
    world: World, max_: Member, client_of: Callable, email_step: Step
) -> None:
    _fine, silent, nowhere, low, inactive = world.contacts(5)
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=silent).update(do_not_email=True)
        Contact.objects.filter(pk=nowhere).update(email="")
        Contact.objects.filter(pk=low).update(consent_level=0)
        Contact.objects.filter(pk=inactive).update(is_active=False)
    journey = world.journey(email_step, WAIT, email_step, live=False, minimum_consent=1)
    client = client_of(max_)
    page = client.get(f"/journeys/{journey.pk}/review/").content.decode()
    assert "1 of 3 can be mailed." in page
    assert "Leaves as soon as somebody has entered." in page
    assert "at the earliest." in page, "the second one waits three days"
    links = dict(re.findall(r"href=\"/t/acme(/audience/contacts/\?in=review:[^\"]+)\">(\d+)", page))
    assert {path.rsplit(".")[-1]: int(number) for path, number in links.items()} == {
        "audience": 4, "entering": 3, "mailable": 1, "no_address": 1, "do_not_email": 1,
    }  # fmt: skip
    for path, number in links.items():
        found = client.get(path).content.decode()
        shown = sum(f"/audience/contacts/{pk}/" in found for pk in (_fine, silent, nowhere, low, inactive))
        assert shown == int(number), path
    for strange in ("0.audience", "x.audience", f"{journey.pk}.9.mailable", f"{journey.pk}.{world.email.pk}.hungry"):
        assert client.get(f"/audience/contacts/?in=review:{strange}").status_code == 200


def test_the_review_names_the_step_that_is_not_ready(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(("email", {}), live=False)
    page = client_of(max_).get(f"/journeys/{journey.pk}/review/").content.decode()
    assert re.search(r">E-mail</a>: This step has not been set up\.", page)
    assert "Mend what the checks found first." in page


def test_a_marketer_reads_what_a_pause_holds_back_and_what_was_done(
    world: World, max_: Member, client_of: Callable
) -> None:
    world.contacts(3)
    journey = world.journey(WAIT)
    world.run()
    client, path = client_of(max_), f"/journeys/{journey.pk}"
    client.post(f"{path}/pause/")
    with tenant_scope(world.tenant):
        first = Participant.objects.order_by("pk").first()
        assert first
        Participant.objects.filter(pk=first.pk).update(deadline_at=timezone.now())
    page = client.get(f"{path}/resume/").content.decode()
    shown = re.findall(r"<dt>([^<]+)</dt><dd>(?:<a[^>]*>)?(\d+)", page)
    assert shown == [("People waiting", "3"), ("Came due during the pause", "1"), ("Messages held back", "0")]
    trace = client.get(f"/journeys/people/{first.pk}/").content.decode()
    assert "is here while the journey is paused" in trace
    client.post(f"{path}/resume/", {"mode": "skip"})
    client.post(f"{path}/end/", {"at_end": "stop"})
    said = client.get(f"{path}/versions/").content.decode()
    for words in ("Version 1 went live", "Paused", "Resumed. Skip:", "Ended. Stop everybody"):
        assert words in said, words
    assert "journey.paused" not in said
