from contacts.models import ContactFacts, Interaction
from scoring.models import Score, ScoreEntry
from scoring.rescore import rescore
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.scoring.world import CLICKED, CLICKED_LATELY, IS_HEAD, contact, happened, lead, live_model, row


def test_rows_that_hold_add_up(acme: Tenant) -> None:
    with tenant_scope(acme):
        head = lead("amara", job_title="Head of IT")
        happened("scoring.clicked", head.contact, days_ago=3)
        other = lead("bo")
        live_model(row(IS_HEAD, 20), row(CLICKED_LATELY, 35))
        assert rescore() == 2
        head.refresh_from_db()
        other.refresh_from_db()
        assert (head.score, head.grade) == (55, "A")
        assert (other.score, other.grade) == (0, "C")
        entries = ScoreEntry.objects.filter(lead=head).order_by("points")
        assert list(entries.values_list("points", "hits")) == [(20, 1), (35, 1)]


def test_a_second_pass_writes_nothing(acme: Tenant) -> None:
    with tenant_scope(acme):
        happened("scoring.clicked", lead().contact)
        live_model(row(CLICKED, 10))
        assert rescore() == 1
        before = list(ScoreEntry.objects.values_list("pk", flat=True)), Interaction.objects.count()
        assert rescore() == 0
        assert before == (list(ScoreEntry.objects.values_list("pk", flat=True)), Interaction.objects.count())


def test_a_change_is_recorded_with_what_it_was_before(acme: Tenant) -> None:
    with tenant_scope(acme):
        hot = lead()
        happened("scoring.clicked", hot.contact)
        model = live_model(row(CLICKED, 30, "each"), threshold=50, lower_limit=20)
        rescore()
        happened("scoring.clicked", hot.contact)
        rescore(contact_ids=[hot.contact_id])
        facts = Interaction.objects.filter(kind="score.changed").order_by("pk")
        assert [(fact.detail["from"], fact.detail["to"], fact.detail["grade"]) for fact in facts] == [
            (None, 30, "B"),
            (30, 60, "A"),
        ]
        last = facts.last()
        assert last is not None
        assert (last.lead_id, last.contact_id, last.object_id) == (hot.pk, hot.contact_id, model.pk)
        assert last.detail | {"threshold": 50, "lower_limit": 20, "is_primary": True} == last.detail


def test_a_contact_without_a_lead_is_scored_herself(acme: Tenant) -> None:
    with tenant_scope(acme):
        happened("scoring.clicked", contact("amara"))
        contact("bo")
        live_model(row(CLICKED, 10))
        rescore()
        assert [(score.contact.first_name, score.score) for score in Score.objects.all()] == [("Amara", 10)]
        assert ContactFacts.objects.get(contact__first_name="Amara").score == 10
