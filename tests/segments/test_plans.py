"""Postgres runs every shape of rule by hashing sets: nothing is done once per subject."""

import re
from typing import Any

import pytest
from django.db import connection
from psycopg import sql

from contacts.models import Field, Purpose
from segments.compiler import condition, relation, rule_settings
from segments.models import Segment
from segments.rules import parse
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.segments import world  # noqa: F401  registers the kinds of facts

CLICKED = {"did": "rules.clicked"}
VISITED = {"did": "rules.visited", "at_least": 2, "within_days": 90}
TITLE = {"field": "contact.job_title", "op": "contains", "value": "head"}
SIZE = {"field": "account.employees", "op": "gt", "value": 10}
SEQUENCE = {"sequence": [{"did": "rules.visited"}, {"did": "rules.clicked"}], "within_days": 7, "in_last_days": 90}
OFTEN = {"did_not": "activity", "at_least": 3, "at_most": 5, "within_days": 30}

LEAVES: dict[str, Any] = {
    "field": TITLE,
    "custom field": {"field": "contact.custom.tier", "op": "is", "value": "gold"},
    "field of the account": SIZE,
    "field of any role": {"field": "role.kind", "op": "in", "value": ["champion"]},
    "field of any lead": {"field": "lead.stage", "op": "is", "value": "mql"},
    "field with a clock": {"field": "contact.created_at", "op": "in_last_days", "value": 30},
    "joined field": {"field": "contact.last_activity_at", "op": "days_ago", "value": 30},
    "did": CLICKED,
    "did in a window": VISITED,
    "did exactly": OFTEN,
    "did with details": {**CLICKED, "object": [1, 2], "where": {"url": {"op": "contains", "value": "pricing"}}},
    "did between dates": {**CLICKED, "between": ["2020-01-01", "2030-01-01"]},
    "colleagues did": {**VISITED, "by": "account_contacts"},
    "sequence": SEQUENCE,
}
SHAPES: dict[str, Any] = {
    **LEAVES,
    **{f"not {name}": {"not": leaf} for name, leaf in LEAVES.items()},
    "all": {"all": [TITLE, SIZE, CLICKED, VISITED]},
    "any": {"any": [TITLE, CLICKED, VISITED]},
    "none": {"not": {"any": [TITLE, CLICKED, VISITED]}},
    "not all": {"not": {"all": [TITLE, CLICKED, SEQUENCE]}},
    "any of all": {"any": [{"all": [TITLE, CLICKED]}, {"all": [SIZE, {"not": VISITED}]}]},
    "all of any": {"all": [{"any": [TITLE, VISITED]}, {"not": {"any": [CLICKED, SEQUENCE]}}, OFTEN]},
    "member": "member",
    "not a member": "not member",
    "consent": "granted",
    "refused": "refused",
    "never asked": "none",
}
OF_OTHERS: dict[str, Any] = {
    "own field": {"field": "{subject}.created_at", "op": "in_last_days", "value": 30},
    "field of the company": SIZE,
    "did": VISITED,
    "colleagues did": {**CLICKED, "by": "account_contacts"},
    "sequence": SEQUENCE,
    "any": {"any": [SIZE, CLICKED, {"not": VISITED}]},
    "member": "member",
    "consent": "granted",
}


@pytest.fixture
def crowd(acme: Tenant) -> dict[str, int]:
    """3,000 contacts at 300 accounts with 1,000 leads and 30,000 facts; memberships and consents for a third."""
    with tenant_scope(acme), connection.cursor() as cursor:
        Field.objects.create(entity="contact", key="tier", label="Tier")
        purpose = Purpose.objects.create(key="news", name="News")
        segment = Segment.objects.create(name="Other")
        for statement in (
            "INSERT INTO contacts_account (name, name_key, domain, country, city, industry, employees, phone, custom,"
            " is_active) SELECT 'A' || n, 'a' || n, '', '', '', '', n, '', '{}', true FROM generate_series(1, 300) n",
            """INSERT INTO contacts_contact (email, first_name, last_name, sort_key, job_title, phone, country, city,
                 time_zone, language, linkedin_url, external_id, source, consent_level, do_not_email, do_not_bulk_email,
                 do_not_phone, do_not_track, custom, is_active, account_id)
               SELECT '', 'P', n::text, '', CASE WHEN n % 3 = 0 THEN 'Head' ELSE 'Clerk' END, '', '', '', '', '', '',
                 '', '', 0, false, false, false, false, '{}', true, a.id
               FROM generate_series(1, 10) n CROSS JOIN contacts_account a""",
            """INSERT INTO contacts_interaction (contact_id, kind, object_id, occurred_at, detail)
               SELECT c.id, CASE WHEN n % 2 = 0 THEN 'rules.clicked' ELSE 'rules.visited' END, n % 3,
                 now() - n * interval '10 days', '{"url": "/pricing"}'
               FROM generate_series(1, 10) n CROSS JOIN contacts_contact c""",
            """INSERT INTO leads_lead (topic, contact_id, account_id, first_name, last_name, email, phone, job_title,
                 company, country, description, source, stage, stage_reason, grade, custom)
               SELECT 'T', CASE WHEN c.id % 2 = 0 THEN c.id END, c.account_id, '', '', '', '', '', '', '', '', '',
                 'mql', '', '', '{}' FROM contacts_contact c WHERE c.id % 3 = 0""",
            f"""INSERT INTO segments_segmentmember (segment_id, contact_id)
                SELECT {segment.pk}, id FROM contacts_contact WHERE id % 3 = 0""",
            f"""INSERT INTO contacts_consent (contact_id, purpose_id, channel, address, state, level, basis, source,
                  text_shown) SELECT id, {purpose.pk}, 'email', '', CASE WHEN id % 2 = 0 THEN 'granted' ELSE 'refused'
                  END, 4, '', '', '' FROM contacts_contact WHERE id % 3 = 0""",
        ):
            cursor.execute(statement)
        cursor.execute("ANALYZE contacts_contact, contacts_account, contacts_interaction, leads_lead")
        cursor.execute("ANALYZE segments_segmentmember, contacts_consent")
        return {"segment": segment.pk, "purpose": purpose.pk}


def shape(given: Any, subject: str, known: dict[str, int]) -> Any:
    """The rule of a shape, which may name what only the database knows."""
    if given in ("member", "not member"):
        member = {"member_of": known["segment"]}
        return member if given == "member" else {"not": member}
    if given in ("granted", "refused", "none"):
        return {"consent": known["purpose"], "state": given}
    if isinstance(given, dict) and given.get("field", "").startswith("{subject}"):
        return {**given, "field": given["field"].format(subject=subject)}
    return given


def plan_of(statement: sql.Composable) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("EXPLAIN {}").format(statement))
        return "\n".join(line for (line,) in cursor.fetchall())


def faults(plan: str) -> list[str]:
    """Lines of a plan that do something once per row."""
    return [
        line.strip()
        for line in plan.splitlines()
        if "Nested Loop" in line or re.search(r"(?<!hashed )SubPlan \d+\)", line.replace("(SubPlan", "SubPlan"))
    ]


@pytest.mark.django_db
def test_no_shape_of_rule_about_contacts_does_anything_per_contact(acme: Tenant, crowd: dict[str, int]) -> None:
    found = {}
    with tenant_scope(acme), rule_settings():
        for name, given in SHAPES.items():
            rule = parse(shape(given, "contact", crowd), "contact")
            for statement in (condition(rule), relation(rule), relation(rule, is_counting=True)):
                if wrong := faults(plan_of(statement)):
                    found[name] = wrong
    assert found == {}


@pytest.mark.django_db
@pytest.mark.parametrize("subject", ["lead", "account"])
def test_no_shape_of_rule_about_others_does_anything_per_subject(
    acme: Tenant, crowd: dict[str, int], subject: str
) -> None:
    found = {}
    with tenant_scope(acme), rule_settings():
        for name, given in OF_OTHERS.items():
            rule = parse(shape(given, subject, crowd), subject)
            for statement in (condition(rule), relation(rule)):
                if wrong := faults(plan_of(statement)):
                    found[name] = wrong
    assert found == {}


@pytest.mark.django_db
def test_the_detector_sees_what_it_looks_for(acme: Tenant, crowd: dict[str, int]) -> None:
    statement = sql.SQL(
        "SELECT id FROM contacts_contact s WHERE id NOT IN (SELECT contact_id FROM contacts_interaction)"
    )
    with tenant_scope(acme), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64kB'")
        assert faults(plan_of(statement)) != []
        cursor.execute("SET LOCAL work_mem = '64MB'")
        assert faults(plan_of(statement)) == []


@pytest.mark.django_db
def test_asked_about_a_few_contacts_their_facts_are_looked_up_by_index(acme: Tenant, crowd: dict[str, int]) -> None:
    with tenant_scope(acme), rule_settings(is_full=False), connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(id) FROM (SELECT id FROM contacts_contact ORDER BY id LIMIT 3) few")
        few = cursor.fetchone()[0]
        for name in ("did", "did in a window", "sequence", "all", "colleagues did"):
            plan = plan_of(relation(parse(SHAPES[name], "contact"), few))
            # Months without rows cost nothing, however they are read.
            scans = [line.strip() for line in plan.splitlines() if "Seq Scan" in line and "..0.00 " not in line]
            assert scans == [], name


@pytest.mark.django_db
def test_settings_of_rules_do_not_outlive_them(acme: Tenant) -> None:
    def current() -> tuple:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('work_mem'), current_setting('enable_nestloop')")
            return cursor.fetchone()

    with tenant_scope(acme):
        before = current()
        with rule_settings():
            assert current() == ("128MB", "off")
        assert current() == before
