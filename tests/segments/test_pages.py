"""The pages of segments."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact, Field
from segments import lifecycle, membership
from segments.models import Segment, SegmentMember
from tenants.models import Audit, Member, Tenant
from tenants.scope import tenant_scope
from tests.cast import TenantClient
from tests.segments.stage import Stage

pytestmark = pytest.mark.django_db
Client = Callable[[Member], TenantClient]
HEADS = {"all": [{"field": "contact.job_title", "op": "contains", "value": "head"}]}


def make(acme: Tenant, name: str = "Heads", rule: Any = HEADS, **values: Any) -> Segment:
    with tenant_scope(acme):
        return lifecycle.create({"name": name, "rule": rule, **values}, None)


def test_a_segment_is_made_and_goes_live_in_one_step(acme: Tenant, max_: Member, client_of: Client) -> None:
    client = client_of(max_)
    answer = client.post("/segments/new/", {"name": "Heads", "rule": json.dumps(HEADS), "live": "1"})
    assert answer.status_code == 302
    with tenant_scope(acme):
        segment = Segment.objects.get()
        assert (segment.state, segment.pending, segment.rule) == ("live", "refresh", HEADS)
        assert list(Audit.objects.order_by("pk").values_list("action", flat=True)) == [
            "segment.created",
            "segment.live",
        ]
    page = client.get(answer["Location"]).content.decode()
    assert "Job title contains “head”" in page
    assert "Everybody is being evaluated" in page


def test_a_name_is_given_once(acme: Tenant, max_: Member, client_of: Client) -> None:
    make(acme)
    answer = client_of(max_).post("/segments/new/", {"name": "Heads", "rule": json.dumps(HEADS)})
    assert answer.status_code == 422
    assert "Another segment already has this name." in answer.content.decode()


def test_a_new_rule_of_a_live_segment_is_evaluated_for_everybody(
    acme: Tenant, max_: Member, client_of: Client, stage: Stage
) -> None:
    stage.person("Amara", job_title="Head")
    stage.person("Ben", job_title="Clerk")
    segment = stage.segment(HEADS)
    with tenant_scope(acme):
        membership.refresh(segment)
    rule = {"all": [{"field": "contact.job_title", "op": "is", "value": "clerk"}]}
    client_of(max_).post(f"/segments/{segment.pk}/edit/", {"name": "Clerks", "rule": json.dumps(rule)})
    assert stage.reload(segment).pending == "refresh"
    with tenant_scope(acme):
        membership.refresh(stage.reload(segment))
    assert stage.members(segment) == {"Ben"}


def test_segments_that_would_ask_about_each_other_are_refused(acme: Tenant, max_: Member, client_of: Client) -> None:
    first = make(acme, "First")
    second = make(acme, "Second", {"all": [{"member_of": first.pk}]})
    third = make(acme, "Third", {"not": {"member_of": second.pk}})
    rule = json.dumps({"any": [{"did": "segment.left"}, {"member_of": third.pk}]})
    answer = client_of(max_).post(f"/segments/{first.pk}/edit/", {"name": "First", "rule": rule})
    assert answer.status_code == 422
    assert "First → Third → Second" in answer.content.decode()
    with tenant_scope(acme):
        assert Segment.objects.get(pk=first.pk).rule == HEADS


def test_the_members_are_listed_latest_first_page_by_page(acme: Tenant, ava: Member, client_of: Client) -> None:
    segment = make(acme)
    with tenant_scope(acme):
        now = timezone.now()
        for n in range(60):
            contact = Contact.objects.create(first_name="P", last_name=f"no{n}end")
            SegmentMember.objects.create(segment=segment, contact=contact, since=now - timedelta(minutes=n // 2))
    client = client_of(ava)
    page = client.get(f"/segments/{segment.pk}/").content.decode()
    assert "P no0end" in page
    assert "P no59end" not in page
    after = page.split("after=")[1].split('"')[0]
    following = client.get(f"/segments/{segment.pk}/?after={after}").content.decode()
    names = [f"P no{n}end" for n in range(60)]
    assert sorted(n for n in names if n in page or n in following) == sorted(names)
    assert not [n for n in names if n in page and n in following]


def test_why_shows_each_condition_with_what_is_known(
    acme: Tenant, ava: Member, client_of: Client, stage: Stage
) -> None:
    amara = stage.person("Amara", job_title="Head of <Sales>")
    stage.happened("rules.clicked", amara)
    stage.happened("rules.clicked", amara)
    rule = {"any": [*HEADS["all"], {"did": "rules.clicked", "at_least": 2}, {"not": {"did": "rules.visited"}}]}
    segment = make(acme, rule=rule)
    page = client_of(ava).get(f"/segments/{segment.pk}/why/{amara.pk}/").content.decode()
    assert "Why Amara is not in it" in page, "the segment is a draft"
    assert "(Head of &lt;Sales&gt;)" in page
    assert "Clicked at least 2 times" in page
    assert "2 times, last on" in page
    assert "not (Visited)" in page


def test_the_numbers_of_queries_do_not_grow_with_the_rows(acme: Tenant, ava: Member, client_of: Client) -> None:
    client = client_of(ava)

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        # What opens and closes transactions and scopes is not counted.
        return sum(" FROM " in query["sql"] for query in queries)

    segment = make(acme)

    def fill(n: int) -> None:
        with tenant_scope(acme):
            contact = Contact.objects.create(first_name=f"P{n}")
            SegmentMember.objects.create(segment=segment, contact=contact)
            Segment.objects.create(name=f"S{n}", rule=HEADS)

    fill(0)
    before = {path: count(path) for path in ("/segments/", f"/segments/{segment.pk}/")}
    for n in range(1, 30):
        fill(n)
    assert {path: count(path) for path in before} == before
    assert max(before.values()) <= 12


def test_a_segment_that_another_asks_about_cannot_be_archived(acme: Tenant, max_: Member, client_of: Client) -> None:
    first = make(acme, "First")
    make(acme, "Second", {"all": [{"member_of": first.pk}]})
    client = client_of(max_)
    with tenant_scope(acme):
        lifecycle.go_live(first, None)
    page = client.post(f"/segments/{first.pk}/archive/", follow=True).content.decode()
    assert "This segment is used by Segment: Second" in page
    with tenant_scope(acme):
        assert Segment.objects.get(pk=first.pk).state == "live"


def test_archived_segments_go_and_come_back(acme: Tenant, max_: Member, client_of: Client) -> None:
    segment = make(acme)
    client = client_of(max_)
    client.post(f"/segments/{segment.pk}/go-live/", follow=True)
    client.post(f"/segments/{segment.pk}/archive/", follow=True)
    assert "Heads" not in client.get("/segments/").content.decode()
    assert "Heads" in client.get("/segments/?state=archived").content.decode()
    client.post(f"/segments/{segment.pk}/go-live/")
    with tenant_scope(acme):
        segment.refresh_from_db()
    assert (segment.state, segment.pending) == ("live", "refresh")


def test_an_empty_rule_does_not_go_live(acme: Tenant, max_: Member, client_of: Client) -> None:
    with tenant_scope(acme):
        segment = Segment.objects.create(name="Empty")
    page = client_of(max_).post(f"/segments/{segment.pk}/go-live/", follow=True).content.decode()
    assert "Add at least one condition" in page
    with tenant_scope(acme):
        assert Segment.objects.get().state == "draft"


def test_a_draft_is_deleted_but_no_live_segment(acme: Tenant, max_: Member, client_of: Client) -> None:
    segment = make(acme)
    client = client_of(max_)
    client.post(f"/segments/{segment.pk}/go-live/")
    client.post(f"/segments/{segment.pk}/delete/")
    with tenant_scope(acme):
        assert Segment.objects.exists()
        draft = lifecycle.create({"name": "Draft", "rule": HEADS}, None)
    client.post(f"/segments/{draft.pk}/delete/")
    with tenant_scope(acme):
        assert not Segment.objects.filter(name="Draft").exists()


def test_people_are_found_and_put_into_a_list_by_hand(
    acme: Tenant, sam: Member, max_: Member, client_of: Client
) -> None:
    from contacts import people

    with tenant_scope(acme):
        amara = people.create_contact({"first_name": "Amara", "email": "amara@initech.example"})
    answer = client_of(max_).post("/segments/new/?kind=static", {"name": "Guests"})
    assert answer.status_code == 302
    client = client_of(sam)
    with tenant_scope(acme):
        segment = Segment.objects.get()
    found = client.get(f"/segments/{segment.pk}/candidates/?q=ama").content.decode()
    assert "Amara" in found
    client.post("/segments/add/", {"segment": segment.pk, "contact": amara.pk, "back": "contact"})
    panel = client.get(f"/audience/contacts/{amara.pk}/").content.decode()
    assert "Guests" in panel
    assert "is in it" in client.get(f"/segments/{segment.pk}/candidates/?q=ama").content.decode()
    assert "Amara" in client.get(f"/audience/contacts/?in=segment:{segment.pk}").content.decode()
    client.post("/segments/remove/", {"segment": segment.pk, "contact": amara.pk})
    with tenant_scope(acme):
        assert not SegmentMember.objects.exists()


def test_nobody_is_put_into_a_dynamic_segment_by_hand(acme: Tenant, max_: Member, client_of: Client) -> None:
    segment = make(acme)
    with tenant_scope(acme):
        contact = Contact.objects.create(first_name="Amara")
    answer = client_of(max_).post("/segments/add/", {"segment": segment.pk, "contact": contact.pk})
    assert answer.status_code == 404
    with tenant_scope(acme):
        assert not SegmentMember.objects.exists()


def test_ticked_contacts_are_added_to_a_list(acme: Tenant, max_: Member, client_of: Client) -> None:
    with tenant_scope(acme):
        segment = lifecycle.create({"name": "Guests", "kind": "static"}, None)
        ids = [Contact.objects.create(first_name=f"P{n}").pk for n in range(3)]
    client = client_of(max_)
    answer = client.post(
        "/audience/contacts/bulk/", {"ids": ids, "action": "segment", "choice-segment": segment.pk}, follow=True
    )
    assert "3 contacts added to Guests." in answer.content.decode()


def test_a_segment_shows_what_is_wrong_with_its_rule(acme: Tenant, max_: Member, client_of: Client) -> None:
    with tenant_scope(acme):
        field = Field.objects.create(entity="contact", key="tier", label="Tier")
    rule = {"all": [{"field": "contact.custom.tier", "op": "is", "value": "gold"}]}
    segment = make(acme, rule=rule)
    with tenant_scope(acme):
        field.delete()
    client = client_of(max_)
    for path in (f"/segments/{segment.pk}/", f"/segments/{segment.pk}/edit/", "/segments/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "tier" in answer.content.decode()


def test_a_page_of_history_counts_who_came_and_went(acme: Tenant, ava: Member, client_of: Client, stage: Stage) -> None:
    segment = make(acme, kind="static", rule={})
    people = [stage.person(f"P{n}") for n in range(3)]
    with tenant_scope(acme):
        membership.add(segment, [p.pk for p in people])
        membership.remove(segment, [people[0].pk])
    page = client_of(ava).get(f"/segments/{segment.pk}/history/").content.decode()
    assert "3 entered" in page
    assert "1 left" in page
    assert "From 0 to 2 contacts" in page


def test_text_of_people_and_segments_is_escaped(acme: Tenant, max_: Member, client_of: Client, stage: Stage) -> None:
    evil = "<script>alert(1)</script>"
    amara = stage.person(evil, job_title=evil)
    rule = {"all": [{"field": "contact.job_title", "op": "is", "value": evil}]}
    segment = make(acme, evil, rule, description=evil)
    with tenant_scope(acme):
        membership.refresh(segment)
    client = client_of(max_)
    for path in ("", f"{segment.pk}/", f"{segment.pk}/edit/", f"{segment.pk}/why/{amara.pk}/"):
        assert "<script>alert" not in client.get(f"/segments/{path}").content.decode()


@pytest.mark.parametrize("how", ["retired", "deleted"])
def test_a_rule_whose_field_is_gone_names_it_everywhere_and_is_not_lost(
    acme: Tenant, max_: Member, client_of: Client, how: str
) -> None:
    gone = {"field": "contact.custom.tier", "op": "is", "value": "gold"}
    with tenant_scope(acme):
        tier = Field.objects.create(entity="contact", key="tier", label="Tier", type="text")
    segment = make(acme, rule={"all": [gone, *HEADS["all"]]})
    with tenant_scope(acme):
        tier.delete() if how == "deleted" else Field.objects.filter(pk=tier.pk).update(retired_at=timezone.now())
    client, says = client_of(max_), "no longer exists" if how == "deleted" else "was retired"
    assert says in client.get(f"/segments/{segment.pk}/").content.decode()
    assert "field:contact.custom.tier" in client.get(f"/segments/{segment.pk}/edit/").content.decode()
    assert says in client.post(f"/segments/{segment.pk}/go-live/", follow=True).content.decode()
    rule = json.dumps({"all": [gone]})
    answer = client.post(f"/segments/{segment.pk}/edit/", {"name": "Renamed", "rule": rule})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    with tenant_scope(acme):
        kept = Segment.objects.get(pk=segment.pk)
        assert (kept.rule["all"][0], kept.state) == (gone, "draft")
