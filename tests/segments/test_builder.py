"""The rule builder: what its rows say is what the rule says, and back."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict

from contacts.models import Contact, Field, Purpose
from messaging.models import Email, Link
from segments.builder import drafts
from segments.models import Segment
from segments.rules import in_words, parse, to_json
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.cast import TenantClient
from tests.segments import world  # noqa: F401  registers the kinds of facts

pytestmark = pytest.mark.django_db
Client = Callable[[Member], TenantClient]
ROWS = "/segments/rules/contact/rows/?name=rule"
PREVIEW = "/segments/rules/contact/preview/?name=rule"


class Inputs:
    """The builder's inputs on a page, as a browser would send them."""

    def __init__(self, html: str, name: str = "rule") -> None:
        self.html = html
        self.values: dict[str, list[str]] = {}
        found = re.findall(r"<input\b([^>]*)>|<select\b([^>]*)>(.*?)</select>", html, re.DOTALL)
        for of_input, of_select, inner in found:
            attrs = of_input or of_select
            key = re.search(r'name="([^"]+)"', attrs)
            if key is None or not key.group(1).startswith(f"{name}."):
                continue
            if of_input:
                value = re.search(r'value="([^"]*)"', attrs)
                chosen = [unescape(value.group(1)) if value else ""]
            else:
                options = re.findall(r'<option value="([^"]*)"( selected)?>', inner)
                chosen = [unescape(v) for v, is_on in options if is_on]
                if not chosen and "multiple" not in attrs:
                    chosen = [unescape(options[0][0])]
            self.values.setdefault(key.group(1), []).extend(chosen)

    def but(self, **changes: Any) -> dict[str, Any]:
        """The inputs with some changed; `__` stands for a point: `r_0__about` is `rule.r-0.about`."""
        named = {"rule." + re.sub(r"_(?=\d)", "-", key.replace("__", ".")): value for key, value in changes.items()}
        return {**self.values, **named}


RULES: list[Any] = [
    {"all": [{"field": "contact.job_title", "op": "contains", "value": 'Head <of> "Sales" & 50%'}]},
    {"all": [{"field": "contact.job_title", "op": "in", "value": ["CEO", "CTO"]}]},
    {"all": [{"field": "contact.do_not_email", "op": "is", "value": False}]},
    {"all": [{"field": "contact.created_at", "op": "between", "value": ["2026-01-01", "2026-02-01"]}]},
    {"all": [{"field": "contact.created_at", "op": "in_last_days", "value": 7}]},
    {"all": [{"field": "contact.custom.tier", "op": "not_in", "value": ["gold", "silver"]}]},
    {"all": [{"field": "account.employees", "op": "has_none"}]},
    {"all": [{"field": "role.kind", "op": "is", "value": "champion"}]},
    {"all": [{"field": "lead.stage", "op": "in", "value": ["mql", "sal"]}]},
    {"any": [{"did": "rules.clicked"}, {"did_not": "activity", "within_days": 90}]},
    {"all": [{"did": "rules.clicked", "at_least": 2, "at_most": 2, "between": ["2026-01-01", "2026-02-01"]}]},
    {"all": [{"did": "rules.clicked", "at_least": 2, "at_most": 5, "by": "account_contacts"}]},
    {"all": [{"did": "rules.visited", "where": {"url": {"op": "begins", "value": "/pricing"}}, "at_least": 3}]},
    {"all": [{"sequence": [{"did": "rules.visited"}, {"did": "rules.clicked"}], "within_days": 7, "in_last_days": 90}]},
    {"not": {"any": [{"did": "rules.clicked"}, {"not": {"all": [{"did": "rules.visited"}]}}]}},
    {"all": [{"any": [{"did": "rules.clicked"}]}, {"not": {"any": [{"any": [{"did": "rules.noted"}]}]}}]},
]


@pytest.fixture
def known(acme: Tenant) -> dict[str, int]:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="tier", label="Tier", type="choice", options=["gold", "silver"])
        purpose = Purpose.objects.create(key="news", name="News")
        segment = Segment.objects.create(name="Other")
        return {"purpose": purpose.pk, "segment": segment.pk}


def draft_of(inputs: dict[str, Any]) -> Any:
    form = QueryDict(mutable=True)
    for key, value in inputs.items():
        form.setlist(key, value if isinstance(value, list) else [value])
    return drafts.without_blanks(drafts.read(form, "rule"))


def shown(client: TenantClient, rule: Any) -> Inputs:
    """The inputs of a segment's form with the rule."""
    with tenant_scope(Tenant.objects.get(slug="acme")):
        segment = Segment.objects.create(name=f"S{Segment.objects.count()}", rule=rule)
    return Inputs(client.get(f"/segments/{segment.pk}/edit/").content.decode())


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_comes_back_from_its_rows_as_it_was(
    rule: Any, known: dict[str, int], acme: Tenant, max_: Member, client_of: Client
) -> None:
    inputs = shown(client_of(max_), rule)
    with tenant_scope(acme):
        expected = to_json(parse(rule, "contact"))
        assert to_json(parse(draft_of(inputs.values), "contact")) == expected


@pytest.mark.parametrize("kind", ["member", "consent"])
def test_membership_and_consent_come_back_too(
    kind: str, known: dict[str, int], acme: Tenant, max_: Member, client_of: Client
) -> None:
    leaf = {"member_of": known["segment"]} if kind == "member" else {"consent": known["purpose"], "state": "refused"}
    assert draft_of(shown(client_of(max_), {"all": [leaf]}).values) == {"all": [leaf]}


def test_a_condition_is_put_together_step_by_step(known: dict[str, int], max_: Member, client_of: Client) -> None:
    client = client_of(max_)
    empty = Inputs(client.get("/segments/new/").content.decode())
    chosen = client.post(ROWS, empty.but(r_0__about="did:rules.clicked"))
    assert chosen["HX-Trigger"] == '{"rule-changed": {}}' or "rule-changed" in chosen["HX-Trigger"]
    in_window = client.post(ROWS, Inputs(chosen.content.decode()).but(r_0__when="last"))
    two = client.post(ROWS, Inputs(in_window.content.decode()).but(action="add:r", r_0__days="14"))
    other = client.post(ROWS, Inputs(two.content.decode()).but(r_1__about="field:contact.country"))
    inputs = Inputs(other.content.decode()).but(r_1__value="DE", r_0__times="2")
    assert draft_of(inputs) == {
        "all": [
            {"did": "rules.clicked", "at_least": 2, "within_days": 14},
            {"field": "contact.country", "op": "is", "value": "DE"},
        ]
    }
    nested = client.post(ROWS, {**inputs, "rule.action": "group:r"})
    assert list(Inputs(nested.content.decode()).values["rule.node"]) == ["r", "r-0", "r-1", "r-2", "r-2-0"]
    removed = client.post(ROWS, {**inputs, "rule.action": "remove:r-0"})
    assert draft_of(Inputs(removed.content.decode()).values) == {
        "all": [{"field": "contact.country", "op": "is", "value": "DE"}]
    }


def test_choosing_another_field_drops_the_former_ones_value(
    known: dict[str, int], max_: Member, client_of: Client
) -> None:
    client = client_of(max_)
    inputs = shown(client, {"all": [{"field": "contact.job_title", "op": "contains", "value": "head"}]})
    answer = client.post(ROWS, inputs.but(r_0__about="field:contact.consent_level"))
    assert draft_of(Inputs(answer.content.decode()).values) == {
        "all": [{"field": "contact.consent_level", "op": "is", "value": ""}]
    }


def test_steps_of_a_sequence_are_added_and_removed(known: dict[str, int], max_: Member, client_of: Client) -> None:
    client = client_of(max_)
    inputs = shown(
        client, {"all": [{"sequence": [{"did": "rules.visited"}, {"did": "rules.clicked"}], "within_days": 7}]}
    )
    longer = Inputs(client.post(ROWS, inputs.but(action="step:r-0")).content.decode())
    assert "r-0-2" in longer.values["rule.node"]
    shorter = client.post(ROWS, longer.but(action="remove:r-0-0", r_0_2__about="did:rules.noted"))
    leaf = draft_of(Inputs(shorter.content.decode()).values)["all"][0]
    assert leaf["sequence"] == [{"did": "rules.clicked"}, {"did": "rules.noted"}]


def test_a_preview_says_how_many_in_words_and_shows_both_sides(acme: Tenant, max_: Member, client_of: Client) -> None:
    with tenant_scope(acme):
        for n in range(4):
            Contact.objects.create(first_name=f"Head{n}", job_title="Head <b>of</b> Sales")
        Contact.objects.create(first_name="Clerk", job_title="Clerk")
    client = client_of(max_)
    inputs = shown(client, {"all": [{"field": "contact.job_title", "op": "contains", "value": "<b>"}]})
    answer = client.post(PREVIEW, inputs.values).content.decode()
    assert re.search(r">4</strong>\s*<span[^>]*>of 5 now", answer)
    assert "Job title contains “&lt;b&gt;”" in answer
    assert "<b>" not in answer
    assert answer.count("#check") == 3
    assert answer.count("#x") == 1
    assert "Clerk" in answer


def test_a_preview_of_an_unfinished_rule_says_what_is_missing(max_: Member, client_of: Client) -> None:
    client = client_of(max_)
    inputs = shown(client, {"all": [{"field": "contact.job_title", "op": "is", "value": "x"}]})
    answer = client.post(PREVIEW, inputs.but(r_0__value=""))
    assert answer.status_code == 200
    assert "Job title: enter a value" in answer.content.decode()


def test_a_preview_that_takes_too_long_gives_up(
    acme: Tenant, max_: Member, client_of: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psycopg import sql

    from segments import preview

    client = client_of(max_)
    inputs = shown(client, {"all": [{"field": "contact.job_title", "op": "has_value"}]})
    monkeypatch.setattr(preview, "LONGEST", "50ms")
    monkeypatch.setattr(preview, "_statement", lambda rule: sql.SQL("SELECT 1, 1, '[]' FROM pg_sleep(5)"))
    answer = client.post(PREVIEW, inputs.values)
    assert "longer than a preview may" in answer.content.decode()


def test_what_was_entered_stays_when_the_form_is_refused(max_: Member, client_of: Client, acme: Tenant) -> None:
    client = client_of(max_)
    inputs = shown(
        client, {"all": [{"field": "contact.job_title", "op": "is", "value": "Head"}, {"did": "rules.noted"}]}
    )
    answer = client.post("/segments/new/", {"name": "", **inputs.values})
    assert answer.status_code == 422
    assert draft_of(Inputs(answer.content.decode()).values) == draft_of(inputs.values)


def test_the_wrong_row_is_named_in_a_refused_form(max_: Member, client_of: Client, acme: Tenant) -> None:
    client = client_of(max_)
    rule = {
        "all": [{"did": "rules.noted"}, {"not": {"any": [{"field": "contact.job_title", "op": "is", "value": "x"}]}}]
    }
    inputs = shown(client, rule)
    answer = client.post("/segments/new/", {"name": "N", **inputs.but(r_1_0__value="")})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(r'id="rule\.r-1-0"[^>]*aria-describedby="rule\.r-1-0\.error"', html)
    assert re.search(r'id="rule\.r-1-0\.error">Job title: enter a value', html)


def test_a_rule_without_conditions_is_refused(max_: Member, client_of: Client) -> None:
    client = client_of(max_)
    empty = Inputs(client.get("/segments/new/").content.decode())
    answer = client.post("/segments/new/", {"name": "N", **empty.values})
    assert answer.status_code == 422
    assert "Add at least one condition." in answer.content.decode()


def test_sensitive_and_retired_fields_are_not_offered(acme: Tenant, max_: Member, client_of: Client) -> None:
    with tenant_scope(acme):
        Field.objects.create(entity="contact", key="salary", label="Salary", is_sensitive=True)
        Field.objects.create(entity="contact", key="tier", label="Tier")
    html = client_of(max_).get("/segments/new/").content.decode()
    assert "contact.custom.tier" in html
    assert "salary" not in html


@pytest.mark.parametrize("path", ["nobody/rows/?name=rule", "contact/rows/?name=a%22b", "contact/preview/"])
def test_builders_of_what_there_is_not_are_not_found(path: str, max_: Member, client_of: Client) -> None:
    assert client_of(max_).post(f"/segments/rules/{path}").status_code == 404


@pytest.fixture
def mails(acme: Tenant) -> dict[str, int]:
    """Two e-mails with a link each: spring's "demo", autumn's "prices"."""
    found = {}
    with tenant_scope(acme):
        for mail, link in (("spring", "demo"), ("autumn", "prices")):
            email = Email.objects.create(name=mail.title())
            found[mail] = email.pk
            found[link] = Link.objects.create(email=email, key=link, label=link.title(), url="https://a.example/").pk
    return found


def test_a_link_of_an_email_is_chosen_after_the_email(mails: dict[str, int], max_: Member, client_of: Client) -> None:
    client = client_of(max_)
    empty = Inputs(client.get("/segments/new/").content.decode())
    clicked = Inputs(client.post(ROWS, empty.but(r_0__about="did:email.clicked")).content.decode())
    assert "rule.r-0.link" not in clicked.values
    of_spring = Inputs(client.post(ROWS, clicked.but(r_0__object=str(mails["spring"]))).content.decode())
    assert ">Demo</option>" in of_spring.html
    assert ">Prices</option>" not in of_spring.html
    chosen = of_spring.but(r_0__link=str(mails["demo"]))
    leaf = {"did": "email.clicked", "object": mails["spring"], "link": mails["demo"]}
    assert draft_of(chosen) == {"all": [leaf]}
    other = Inputs(client.post(ROWS, {**chosen, "rule.r-0.object": str(mails["autumn"])}).content.decode())
    assert draft_of(other.values) == {"all": [{"did": "email.clicked", "object": mails["autumn"]}]}


@pytest.mark.parametrize("kind", ["email.opened", "email.sent"])
def test_only_a_click_is_asked_about_links(mails: dict[str, int], max_: Member, client_of: Client, kind: str) -> None:
    rows = shown(client_of(max_), {"all": [{"did": kind, "object": mails["spring"]}]})
    assert "rule.r-0.link" not in rows.values


@pytest.mark.parametrize("gone", ["email", "link"])
def test_a_rule_that_names_a_deleted_email_or_link_says_so_and_keeps_saying_it(
    mails: dict[str, int], acme: Tenant, max_: Member, client_of: Client, gone: str
) -> None:
    leaf = {"did": "email.clicked", "object": mails["spring"], "link": mails["demo"]}
    with tenant_scope(acme):
        Link.objects.filter(pk=mails["demo"]).delete()
        if gone == "email":
            Email.objects.filter(pk=mails["spring"]).delete()
    rows = shown(client_of(max_), {"all": [leaf]})
    assert f"deleted, #{mails['demo']}" in rows.html
    assert draft_of(rows.values) == {"all": [leaf]}


def test_a_rule_may_name_a_link_without_its_email(
    mails: dict[str, int], acme: Tenant, max_: Member, client_of: Client
) -> None:
    leaf = {"did": "email.clicked", "link": mails["demo"]}
    assert draft_of(shown(client_of(max_), {"all": [leaf]}).values) == {"all": [leaf]}
    with tenant_scope(acme):
        assert in_words(parse({"all": [leaf]}, "contact")) == "Link clicked (“Demo (Spring)”)"


def test_a_choice_that_is_not_made_yet_stays_in_a_refused_form(max_: Member, client_of: Client) -> None:
    client = client_of(max_)
    inputs = Inputs(client.get("/segments/new/").content.decode())
    inputs = Inputs(client.post(ROWS, inputs.but(r_0__about="member")).content.decode())
    answer = client.post("/segments/new/", {**inputs.values, "name": "Heads"})
    assert answer.status_code == 422
    assert Inputs(answer.content.decode()).values["rule.r-0.about"] == ["member"]


@pytest.mark.parametrize(
    "text",
    [
        '{"member_of": 999999999}',
        '{"all": [{"field": "contact.custom.gone", "op": "is", "value": "x"}]}',
        '{"all": [{"field": ["contact.job_title"], "op": "is", "value": "x"}]}',
        '{"all": "everybody"}',
        '{"all": ["everybody", {"field": "contact.city", "op": "is", "value": "Berlin"}]}',
        '{"not": 5}',
        '{"all": [{"did": {"a": 1}}]}',
        '{"all": [{"did": "email.clicked", "between": ["2026-01-01"]}]}',
        '{"all": [{"did": "email.clicked", "where": ["url"]}]}',
        '{"all": [{"sequence": "A, then B", "within_days": 3}]}',
        '{"all": [{"sequence": ["A", {"did": "email.clicked"}], "within_days": 3}]}',
        '["all"]',
        "{not json",
    ],
)
def test_a_rule_posted_as_text_is_shown_again_when_it_is_refused(
    text: str, known: dict[str, int], max_: Member, client_of: Client
) -> None:
    answer = client_of(max_).post("/segments/new/", {"name": "Heads", "rule": text})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'name="rule.r.mode"' in html
    assert 'value="Heads"' in html
    if "Berlin" in text:
        assert "Berlin" in html, "what can be read stays"
