import pytest

from contacts.models import Interaction
from leads.models import Lead, Stage
from scoring import drafting, lifecycle
from scoring.checks import check
from scoring.drafting import NotADraft
from scoring.lifecycle import NotReady
from scoring.models import Score, ScoreEntry, ScoringModel
from scoring.rescore import rescore
from tenants.models import Audit, Job, Member, Tenant
from tenants.scope import tenant_scope
from tests.scoring.world import CLICKED, IS_HEAD, happened, lead, live_model, row

pytestmark = pytest.mark.django_db


def test_a_new_model_goes_live_and_everybody_is_scored(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        draft = drafting.create("Fit", is_empty=True, by=max_)
        drafting.add_row(draft, row(IS_HEAD, 55))
        model, job = lifecycle.go_live(draft, max_)
        assert model.is_primary
        assert (job.state, job.done_count, job.result) == (Job.State.DONE, 1 + 1, {"changed": 1})
        hot.refresh_from_db()
        assert (hot.score, hot.grade) == (55, "B")
        assert ScoringModel.objects.get(pk=model.pk).scored_at is not None


def test_the_rows_that_a_new_model_begins_with_may_go_live(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        assert check(drafting.create("Fit and interest", by=max_)) == []


def test_a_draft_passes_its_changes_on_and_the_model_keeps_its_identity(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        happened("scoring.clicked", hot.contact)
        live = live_model(row(IS_HEAD, 20), row(CLICKED, 10), threshold=50)
        rescore()
        kept_row = live.rules.get(points=20)
        kept_entry = ScoreEntry.objects.get(rule=kept_row)
        draft = drafting.draft_of(live, max_)
        assert drafting.draft_of(live, max_).pk == draft.pk
        drafting.remove_row(draft.rules.get(points=10))
        drafting.add_row(draft, row({"field": "contact.first_name", "op": "is", "value": "Amara"}, 35))
        rescore()
        assert Lead.objects.get(pk=hot.pk).score == 30, "a draft changes nothing"
        model, _job = lifecycle.go_live(draft, max_)
        assert model.pk == live.pk
        assert ScoringModel.objects.count() == 1
        assert Lead.objects.get(pk=hot.pk).score == 55
        assert ScoreEntry.objects.get(rule=kept_row) == kept_entry
        written = Audit.objects.get(action="scoring_model.went_live").detail
        assert [len(written[when]["rows"]) for when in ("before", "after")] == [2, 2]


def test_a_lowered_threshold_makes_those_above_it_sales_ready(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        live = live_model(row(IS_HEAD, 40), threshold=50)
        rescore()
        draft = drafting.draft_of(live, max_)
        grades = [("A", 50), ("C", None)]
        drafting.set_options(draft, {**_options(draft), "threshold": 30}, grades)
        lifecycle.go_live(draft, max_)
        last = Interaction.objects.filter(kind="score.changed", lead_id=hot.pk).latest("pk")
        assert (last.detail["from"], last.detail["to"], last.detail["threshold"]) == (None, 40, 30)


def _options(model: ScoringModel) -> dict[str, object]:
    return {name: getattr(model, name) for name in drafting.COPIED}


def test_a_live_model_cannot_be_edited_in_place(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        live = live_model(row(IS_HEAD, 20))
        with pytest.raises(NotADraft):
            drafting.remove_row(live.rules.get())
        with pytest.raises(NotADraft):
            lifecycle.go_live(live, max_)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (row({"field": "contact.custom.gone", "op": "is", "value": "x"}, 5), "no longer exists"),
        (row({"field": "lead.score", "op": "gt", "value": 5}, 5), "made of scores"),
        (row({"all": [CLICKED, {"did": "scoring.visited"}]}, 5, "each"), "counts exactly one behavior"),
        (row({"any": [CLICKED, {"did": "scoring.visited"}]}, 5, "each"), "counts exactly one behavior"),
        (row(IS_HEAD, 5, "each"), "counts exactly one behavior"),
        (row(IS_HEAD, 5, half_life_days=5), "half-life needs"),
        (row({}, 5), "empty"),
    ],
)
def test_what_is_wrong_keeps_a_model_from_going_live(acme: Tenant, max_: Member, wrong: object, says: str) -> None:
    with tenant_scope(acme):
        draft = drafting.create("Fit", is_empty=True, by=max_)
        drafting.add_row(draft, wrong)
        with pytest.raises(NotReady, match=says):
            lifecycle.go_live(draft, max_)


def test_a_row_that_cannot_be_read_does_not_stop_the_others(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        live_model(row({"field": "contact.custom.gone", "op": "is", "value": "x"}, 5), row(IS_HEAD, 20))
        rescore()
        assert Lead.objects.get(pk=hot.pk).score == 20


def test_a_threshold_that_nobody_can_reach_is_warned_about(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        draft = drafting.create("Fit", is_empty=True, by=max_)
        drafting.add_row(draft, row(IS_HEAD, 5))
        assert [issue.severity for issue in check(draft)] == ["warning"]


def test_archiving_removes_the_scores_and_hands_the_primary_place_on(acme: Tenant, max_: Member) -> None:
    with tenant_scope(acme):
        hot = lead(job_title="Head of IT")
        first = live_model(row(IS_HEAD, 20))
        live_model(row(IS_HEAD, 7), name="Other", is_primary=False)
        rescore()
        lifecycle.archive(first, max_)
        assert Lead.objects.get(pk=hot.pk).score == 7
        assert not Score.objects.filter(model=first).exists()
        lifecycle.archive(ScoringModel.objects.get(is_primary=True), max_)
        hot.refresh_from_db()
        assert (hot.score, hot.grade, hot.stage) == (None, "", Stage.INQUIRY)


def test_a_large_company_is_scored_piece_by_piece(acme: Tenant, max_: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    from scoring import jobs

    monkeypatch.setattr(jobs, "AT_ONCE", 0)
    monkeypatch.setattr(jobs, "PIECE", 2)
    with tenant_scope(acme):
        for name in ("amara", "bo", "cem", "dan", "eve"):
            lead(name, job_title="Head of IT")
        draft = drafting.create("Fit", is_empty=True, by=max_)
        drafting.add_row(draft, row(IS_HEAD, 55))
        model, job = lifecycle.go_live(draft, max_)
        assert jobs.current(model) == job
        assert not Score.objects.exists()
    jobs.work(acme.pk, 0)
    with tenant_scope(acme):
        job.refresh_from_db()
        assert (job.state, job.done_count, Score.objects.count()) == (Job.State.RUNNING, 2, 2)
    while jobs.work(acme.pk, 0).has_more:
        pass
    with tenant_scope(acme):
        job.refresh_from_db()
        assert (job.state, job.done_count, job.total_count) == (Job.State.DONE, 10, 10)
        assert Score.objects.count() == 5
        assert jobs.current(model) is None
