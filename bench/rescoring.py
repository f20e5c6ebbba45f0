"""P3: rescore all leads by twenty rules; the floor is one hand-written statement that writes the same rows."""

from pathlib import Path

from django.db import connection

from bench.data import Company
from bench.harness import Result, interleaved, rounds, timed
from contacts.models.timeline import Lane
from scoring import jobs, rescore
from scoring.models import Grade, ScoringModel, ScoringRule
from scoring.subjects import LEAD, Selection
from tenants.scope import tenant_scope

EVENTS, POINTS, CAP, DAYS = 15, 5, 20, 90
TITLES = ("Head of IT", "Buyer", "CEO", "Engineer", "Head of Operations")

FLOOR = """
WITH counted AS (
    SELECT contact_id, object_id, count(*) AS hits, max(occurred_at) AS last_at FROM contacts_interaction
    WHERE kind = 'email.clicked'
      AND occurred_at >= now() - interval '90 days' AND recorded_at >= now() - interval '90 days'
      AND object_id <= %(events)s AND contact_id IS NOT NULL GROUP BY 1, 2),
behaviour AS (
    SELECT lead.id AS lead_id, rule.id AS rule_id, counted.hits,
           least(counted.hits * %(points)s, %(cap)s) AS points, counted.last_at
    FROM counted JOIN leads_lead lead ON lead.contact_id = counted.contact_id
    JOIN scoring_scoringrule rule ON rule.position = counted.object_id AND rule.model_id = %(model)s),
profile AS (
    SELECT lead.id, rule.id, 1, rule.points, NULL::timestamptz FROM leads_lead lead
    JOIN contacts_contact contact ON contact.id = lead.contact_id
    JOIN scoring_scoringrule rule
      ON rule.model_id = %(model)s AND rule.position > %(events)s AND rule.name = contact.job_title),
entries AS (SELECT * FROM behaviour UNION ALL SELECT * FROM profile),
ledger AS (
    INSERT INTO scoring_scoreentry (model_id, lead_id, rule_id, hits, points, last_at, reason)
    SELECT %(model)s, lead_id, rule_id, hits, points, last_at, '' FROM entries),
totals AS (
    SELECT lead.id, lead.contact_id, coalesce(sum(entries.points), 0) AS score FROM leads_lead lead
    LEFT JOIN entries ON entries.lead_id = lead.id GROUP BY 1, 2),
scores AS (
    INSERT INTO scoring_score (model_id, lead_id, score, grade)
    SELECT %(model)s, id, score, CASE WHEN score >= 40 THEN 'A' ELSE 'B' END FROM totals),
changed AS (
    INSERT INTO contacts_interaction (contact_id, lead_id, kind, object_id)
    SELECT contact_id, id, 'score.changed', %(model)s FROM totals)
UPDATE leads_lead SET score = totals.score, grade = CASE WHEN totals.score >= 40 THEN 'A' ELSE 'B' END
FROM totals WHERE totals.id = leads_lead.id
"""


def measure(company: Company, folder: Path) -> list[Result]:
    """A first scoring of every lead: each ledger row, score, grade and change is written."""
    product, floor = interleaved(lambda: _floor(company), lambda: _product(company), rounds(company.contacts))
    return [
        Result(
            "P3", "rescore all leads, 20 rules", company.leads, product, floor, "leads/s", wanted="ratio 2, 30,000/s"
        )
    ]


def _start(company: Company, *, is_live: bool) -> ScoringModel:
    """A model by which nobody has been scored, in tables as they are before a first scoring."""
    with tenant_scope(company.tenant), connection.cursor() as cursor:
        for table in ("scoring_scoreentry", "scoring_score", "contacts_contactfacts"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE leads_lead SET score = NULL, grade = '' WHERE score IS NOT NULL")
        model = _model(is_live=is_live)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) scoring_scoreentry, scoring_score, contacts_contactfacts, leads_lead")
    return model


def _model(*, is_live: bool) -> ScoringModel:
    state = ScoringModel.State.LIVE if is_live else ScoringModel.State.ARCHIVED
    ScoringModel.objects.filter(is_primary=True).update(is_primary=False, state=ScoringModel.State.ARCHIVED)
    model = ScoringModel.objects.create(name="Bench", state=state, is_primary=is_live, threshold=1_000_000)
    Grade.objects.create(model=model, name="A", lower_bound=40)
    Grade.objects.create(model=model, name="B", lower_bound=None)
    for n in range(1, EVENTS + 1):
        ScoringRule.objects.create(
            model=model,
            position=n,
            name=f"clicked {n}",
            rule={"did": "email.clicked", "object": n, "within_days": DAYS},
            points=POINTS,
            frequency="each",
            cap=CAP,
        )
    for n, title in enumerate(TITLES):
        rule = {"field": "contact.job_title", "op": "is", "value": title}
        ScoringRule.objects.create(model=model, position=EVENTS + 1 + n, name=title, rule=rule, points=10)
    return model


def _product(company: Company) -> float:
    """As the job does it: a piece per transaction."""
    model = _start(company, is_live=True)

    def work() -> None:
        after: int | None = 0
        while after is not None:
            with tenant_scope(company.tenant):
                upto = jobs.last_of_piece(LEAD, after)
                rescore.rescore_selected(model, LEAD, Selection(after=after, upto=upto), Lane.BULK)
            after = upto

    return timed(work)


def _floor(company: Company) -> float:
    model = _start(company, is_live=False)

    def work() -> None:
        with tenant_scope(company.tenant), connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '128MB'")
            cursor.execute(FLOOR, {"events": EVENTS, "points": POINTS, "cap": CAP, "model": model.pk})

    return timed(work)
