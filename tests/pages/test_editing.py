from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from pages.models import Form, Page, Submission
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

NO_SECTIONS = {"sections-TOTAL_FORMS": "0", "sections-INITIAL_FORMS": "0"}


def fields(*rows: dict[str, str]) -> dict[str, str]:
    posted = {"fields-TOTAL_FORMS": str(len(rows)), "fields-INITIAL_FORMS": "0"}
    for place, row in enumerate(rows):
        posted |= {f"fields-{place}-{name}": value for name, value in row.items()}
    return posted


@pytest.fixture
def max_at_work(max_: Member, client_of: Callable[..., Client]) -> Client:
    return client_of(max_)


def test_a_marketer_makes_a_page_and_visitors_see_it_once_it_is_live(acme: Tenant, max_at_work: Client) -> None:
    posted = {"name": "Robots", "slug": "robots", "title": "Picking robots", "lead": "Fast", **NO_SECTIONS}
    posted |= {"sections-TOTAL_FORMS": "1", "sections-0-heading": "Why", "sections-0-text": "Because"}
    response = max_at_work.post("/pages/new/", posted)
    assert response.status_code == 302
    assert Client().get("/p/acme/robots/").status_code == 404
    detail = response["Location"]
    assert b"Robots" in max_at_work.get(detail).content
    max_at_work.post(detail + "state/", {"action": "go_live"})
    assert b"Because" in Client().get("/p/acme/robots/").content


def test_a_change_is_a_draft_until_it_is_published(acme: Tenant, max_at_work: Client) -> None:
    with tenant_scope(acme):
        page = Page.objects.create(
            name="P", slug="p", state="live", content={"title": "Old"}, live_content={"title": "Old"}
        )
    max_at_work.post(f"/pages/{page.pk}/edit/", {"name": "P", "slug": "p", "title": "New", **NO_SECTIONS})
    assert b"Old" in Client().get("/p/acme/p/").content
    assert b"New" in max_at_work.get(f"/pages/{page.pk}/preview/").content
    max_at_work.post(f"/pages/{page.pk}/state/", {"action": "go_live"})
    assert b"New" in Client().get("/p/acme/p/").content


def test_an_address_that_is_taken_is_refused_at_its_field(acme: Tenant, max_at_work: Client) -> None:
    with tenant_scope(acme):
        Page.objects.create(name="P", slug="taken")
    response = max_at_work.post("/pages/new/", {"name": "Q", "slug": "taken", "title": "T", **NO_SECTIONS})
    assert response.status_code == 422
    assert "already has this address" in response.content.decode()


def test_a_form_is_made_with_its_fields(acme: Tenant, max_at_work: Client) -> None:
    rows = fields(
        {"key": "email", "label": "", "is_required": "on"}, {"key": "job_title", "label": "Role"}, {"key": ""}
    )
    posted = {"name": "Guide", "consent": "none", "submit_label": "Send", "makes_lead": "on", **rows}
    assert max_at_work.post("/pages/forms/new/", posted).status_code == 302
    with tenant_scope(acme):
        assert Form.objects.get().fields == [
            {"key": "email", "label": "E-mail", "is_required": True},
            {"key": "job_title", "label": "Role", "is_required": False},
        ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (fields(), "at least one field"),
        (fields({"key": "email"}, {"key": "email"}), "Each field once"),
        ({"consent": "optional"}, "Enter the text that people agree to"),
        ({"fields-0-key": "password"}, "Select a valid choice"),
    ],
)
def test_a_form_that_cannot_work_is_refused_in_words(
    acme: Tenant, max_at_work: Client, change: dict[str, str], says: str
) -> None:
    posted = {"name": "G", "consent": "none", "submit_label": "Send", **fields({"key": "email"}), **change}
    response = max_at_work.post("/pages/forms/new/", posted)
    assert response.status_code == 422
    assert says in response.content.decode()


def test_lists_and_details_show_what_there_is(acme: Tenant, max_at_work: Client) -> None:
    with tenant_scope(acme):
        form = Form.objects.create(name="Guide", fields=[{"key": "email", "label": "E-mail", "is_required": True}])
        page = Page.objects.create(name="Guide page", slug="guide", form=form, content={"title": "T"})
        submission = Submission.objects.create(
            form=form, page=page, token="t", values={"email": "eva@firma.example"}, state="failed", error="No room"
        )
    for path in ("/pages/", f"/pages/{page.pk}/", f"/pages/forms/{form.pk}/", f"/pages/{page.pk}/visitors/"):
        assert max_at_work.get(path).status_code == 200, path
    assert b"eva@firma.example" in max_at_work.get(f"/pages/forms/{form.pk}/submissions/").content
    assert b"No room" in max_at_work.get(f"/pages/submissions/{submission.pk}/").content


def test_a_failed_submission_can_be_tried_again(acme: Tenant, max_at_work: Client) -> None:
    with tenant_scope(acme):
        form = Form.objects.create(name="Guide", fields=[])
        made = Submission.objects.create(
            form=form, token="t", values={"email": "e@firma.example"}, state="failed", error="x"
        )
    max_at_work.post(f"/pages/submissions/{made.pk}/")
    with tenant_scope(acme):
        made.refresh_from_db()
        assert (made.state, made.error) == ("done", "")
        assert made.contact_id


def test_the_list_costs_the_same_for_one_page_and_for_many(
    acme: Tenant, max_at_work: Client, django_assert_max_num_queries: Any
) -> None:
    def pages(count: int) -> None:
        with tenant_scope(acme):
            for _ in range(count):
                number = Page.objects.count()
                form = Form.objects.create(name=f"F{number}", fields=[])
                Page.objects.create(name=f"P{number}", slug=f"p{number}", form=form)

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    pages(1)
    max_at_work.get("/pages/")
    with CaptureQueriesContext(connection) as one:
        max_at_work.get("/pages/")
    pages(30)
    with CaptureQueriesContext(connection) as many:
        max_at_work.get("/pages/")
    assert len(many) == len(one)


def test_erasing_a_person_forgets_what_she_entered_and_what_she_was_sent(acme: Tenant) -> None:
    from contacts import erasure, people
    from messaging import outbox
    from messaging.models import CaughtMail, Message

    with tenant_scope(acme):
        contact = people.create_contact({"email": "e@firma.example"})
        form = Form.objects.create(name="Guide", fields=[])
        Submission.objects.create(form=form, token="t", values={"email": "e@firma.example"}, contact=contact)
        outbox.order_notice("n", "e@firma.example", "Hello", "Text")
        Message.objects.update(contact=contact)
        CaughtMail.objects.create(sender="a@firma.example", recipient="e@firma.example", raw="x")
        erasure.erase([contact.pk], by=None)
        assert Submission.objects.get().values == {}
        assert (Message.objects.get().address, Message.objects.get().content) == ("", {})
        assert not CaughtMail.objects.exists()
