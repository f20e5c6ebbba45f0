import json
from collections.abc import Callable

import pytest

from scoring import drafting
from scoring.giving import adjust
from scoring.models import ScoringModel, ScoringRule
from scoring.rescore import rescore
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.cast import TenantClient
from tests.scoring.world import CLICKED, CLICKED_LATELY, IS_HEAD, happened, lead, live_model, row

pytestmark = pytest.mark.django_db
Clients = Callable[..., TenantClient]


def text(response: object) -> str:
    return " ".join(response.content.decode().split())  # type: ignore[attr-defined]


def test_an_empty_list_says_what_a_model_is_for(max_: Member, client_of: Clients) -> None:
    page = client_of(max_).get("/scoring/")
    assert page.status_code == 200
    assert "No scoring model yet" in text(page)


def test_a_model_is_made_filled_and_goes_live(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
    client = client_of(max_)
    page = client.post("/scoring/new/", {"name": "Fit", "start": "empty"}, follow=True)
    model_id = page.context["model"].pk
    assert "There is no row yet" in text(page)
    fields = {"rule": json.dumps(IS_HEAD), "points": "55", "frequency": "once"}
    page = client.post(f"/scoring/{model_id}/rows/new/", fields, follow=True)
    assert "Job title (contact) contains “head”" in text(page)
    page = client.post(f"/scoring/{model_id}/go-live/", follow=True)
    assert "1 of 1 is sales-ready." in text(page)
    with tenant_scope(acme):
        hot.refresh_from_db()
        assert hot.score == 55


def test_a_row_that_is_wrong_keeps_what_was_entered(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        draft = drafting.create("Fit", is_empty=True, by=max_)
    page = client_of(max_).post(f"/scoring/{draft.pk}/rows/new/", {"points": "5", "frequency": "each", "name": "Heads"})
    assert page.status_code == 422
    assert "Add at least one condition." in text(page)
    assert 'value="Heads"' in text(page)


def test_options_and_grades_are_changed_in_the_draft(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        live = live_model(row(IS_HEAD, 20))
    client = client_of(max_)
    draft = client.post(f"/scoring/{live.pk}/edit/", follow=True).context["model"]
    assert draft.replaces_id == live.pk
    fields = {"name": "Fit", "threshold": "40", "minimum_consent": "0", "grade_0": "Hot", "from_0": "30"}
    refused = client.post(f"/scoring/{draft.pk}/options/", fields)
    assert refused.status_code == 422
    assert "for exactly one grade" in text(refused)
    page = client.post(f"/scoring/{draft.pk}/options/", fields | {"grade_1": "Cold", "from_1": ""}, follow=True)
    assert [(part.name, part.lower, part.upper) for part in page.context["ranges"]] == [
        ("Cold", None, 29),
        ("Hot", 30, None),
    ]
    with tenant_scope(acme):
        assert ScoringModel.objects.get(pk=live.pk).threshold == 50


def test_a_draft_is_tried_without_changing_anything(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        up, down = lead("amara", job_title="Head of IT"), lead("bo")
        happened("scoring.clicked", down.contact)
        live = live_model(row(CLICKED, 60))
        rescore()
        draft = drafting.draft_of(live, max_)
        drafting.remove_row(draft.rules.get())
        drafting.add_row(draft, row(IS_HEAD, 60))
    page = client_of(max_).get(f"/scoring/{draft.pk}/try/")
    trial = page.context["trial"]
    assert [(moved.lead, moved.before, moved.after) for moved in trial.ready_sample] == [(up, 0, 60)]
    assert [(moved.lead, moved.before, moved.after) for moved in trial.lost_sample] == [(down, 60, 0)]
    assert trial.grades == [("A", 1, 1), ("B", 0, 0), ("C", 1, 1)]
    with tenant_scope(acme):
        up.refresh_from_db()
        assert up.score == 0


def test_a_model_is_tested_on_one_lead(acme: Tenant, ava: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        model = live_model(row(IS_HEAD, 20), row(CLICKED, 5))
    client = client_of(ava)
    assert "Wants a demo" in text(client.get(f"/scoring/{model.pk}/test/"))
    page = client.get(f"/scoring/{model.pk}/test/?lead={hot.pk}")
    assert [step.part.points for step in page.context["chart"].steps] == [20]


def test_the_pages_of_lead_and_contact_say_why(acme: Tenant, sam: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        happened("scoring.clicked", hot.contact, days_ago=10)
        live_model(row(IS_HEAD, 20), row(CLICKED_LATELY, 35))
        rescore()
        adjust(hot, -5, reason="<b>Student</b>")
    for path in (f"/sales/leads/{hot.pk}/", f"/audience/contacts/{hot.contact_id}/"):
        page = text(client_of(sam).get(path))
        assert "Clicked in the last 30 days" in page
        assert "&lt;b&gt;Student&lt;/b&gt;" in page
        assert "Becomes 15 on" in page


def test_rows_move_and_go(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        draft = drafting.create("Fit", is_empty=True, by=max_)
        first, second = (drafting.add_row(draft, row(IS_HEAD, points)) for points in (1, 2))
    client = client_of(max_)
    client.post(f"/scoring/rows/{second.pk}/move/", {"way": "up"})
    with tenant_scope(acme):
        assert list(ScoringRule.objects.values_list("points", flat=True)) == [2, 1]
    client.post(f"/scoring/rows/{first.pk}/remove/")
    with tenant_scope(acme):
        assert list(ScoringRule.objects.values_list("points", flat=True)) == [2]


def test_a_live_models_rows_have_no_address_to_edit_them(acme: Tenant, max_: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        only = live_model(row(IS_HEAD, 20)).rules.get()
    assert client_of(max_).post(f"/scoring/rows/{only.pk}/remove/").status_code == 404


def test_analysts_look_and_do_not_touch(acme: Tenant, ava: Member, client_of: Clients) -> None:
    with tenant_scope(acme):
        model = live_model(row(IS_HEAD, 20))
    client = client_of(ava)
    page = client.get(f"/scoring/{model.pk}/")
    assert page.status_code == 200
    assert "/archive/" not in text(page)
    assert client.post(f"/scoring/{model.pk}/archive/").status_code == 403


def test_the_page_of_a_model_costs_the_same_at_any_number_of_leads(
    acme: Tenant, max_: Member, client_of: Clients, django_assert_max_num_queries: Callable
) -> None:
    with tenant_scope(acme):
        model = live_model(row(IS_HEAD, 20), *(row(CLICKED, points) for points in range(1, 20)))
        for number in range(30):
            lead(f"p{number}")
        rescore()
    client = client_of(max_)
    with django_assert_max_num_queries(24):
        client.get(f"/scoring/{model.pk}/")
