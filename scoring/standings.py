"""Where leads stand in each live model: what a company asks before it calls a lead marketing-qualified."""

from leads.registry import Standing
from scoring.models import Score, ScoringModel


def live_models() -> list[tuple[str, str]]:
    """(id as text, name) of the live models, the primary one first."""
    rows = ScoringModel.objects.filter(state=ScoringModel.State.LIVE).order_by("-is_primary", "name", "pk")
    return [(str(model.pk), model.name) for model in rows]


def of_leads(ids: list[int]) -> dict[int, list[Standing]]:
    """Each lead's score in every live model; two queries for any number of leads. Index: one_lead_score."""
    models = list(ScoringModel.objects.filter(state=ScoringModel.State.LIVE).order_by("pk"))
    rows = Score.objects.filter(lead__in=ids, model__in=models).values_list("lead_id", "model_id", "score")
    scores = {(lead, model): score for lead, model, score in rows}
    return {
        pk: [Standing(model.pk, model.name, scores.get((pk, model.pk)), model.threshold) for model in models]
        for pk in ids
    }
