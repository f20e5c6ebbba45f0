"""The reader "stages": what people do engages their leads, what the score does qualifies them or takes them back."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import timeline
from contacts.reactor import Batch, Fact, Reader, register
from leads.lifecycle import Move, Qualifying, change_stages, make_mqls, take_back
from leads.models import Lead, Stage
from leads.qualifying import By, Demand, has_fallen, may_qualify
from leads.transitions import NURTURED, OFFERED


def read(batch: Batch) -> None:
    """Move the leads that a batch of the timeline is about: a fixed number of statements, however many they are."""
    engage(batch.of(*timeline.activity_kinds()))
    follow_scores(batch.of("score.changed"))


def engage(facts: list[Fact]) -> None:
    """An inquiry whose contact did something after it was made is engaged."""
    latest = {fact.contact_id: fact for fact in facts if fact.contact_id}
    if not latest:
        return
    waiting = Lead.objects.filter(contact_id__in=list(latest), stage=Stage.INQUIRY)
    moves = [
        Move(lead, Stage.ENGAGED, str(timeline.kind(fact.kind).title), cause=fact)
        for lead in waiting
        if (fact := latest[lead.contact_id or 0]).occurred_at > lead.created_at
    ]
    if moves:
        change_stages(moves)


def follow_scores(facts: list[Fact]) -> None:
    """Qualify leads whose score crossed its threshold upwards; take back offered ones that fell below the limit."""
    if not facts:
        return
    demand = Demand.read()
    # Of several changes in one batch the first and the last say whether the score crossed.
    spans: dict[tuple[int, int | None], tuple[Fact, Fact]] = {}
    for fact in facts:
        if fact.lead_id and (demand.counts(fact) or fact.detail.get("is_primary")):
            key = (fact.lead_id, fact.object_id)
            spans[key] = (spans[key][0] if key in spans else fact, fact)
    leads = Lead.objects.select_related("owner__user", "owner__tenant", "contact", "account")
    found = leads.filter(stage__in=[*NURTURED, *OFFERED]).in_bulk([lead_id for lead_id, _ in spans])
    now, crossed, fallen = timezone.now(), {}, {}
    for (lead_id, _model), (first, last) in spans.items():
        lead = found.get(lead_id)
        if lead is None:
            continue
        if demand.counts(last) and _crosses(lead, first, last, now):
            crossed[lead_id] = last
        elif has_fallen(lead, last):
            fallen[lead_id] = Move(lead, Stage.ENGAGED, _fell(last), last.detail["to"], last.object_id, last)
    if met := demand.met_by([found[lead_id] for lead_id in crossed]):
        make_mqls([_qualified(found[lead_id], crossed[lead_id], demand) for lead_id in crossed if lead_id in met])
    if fallen:
        take_back(list(fallen.values()))


def _crosses(lead: Lead, first: Fact, last: Fact, now: datetime) -> bool:
    score, threshold = last.detail["to"], last.detail["threshold"]
    is_primary = bool(last.detail.get("is_primary"))
    return may_qualify(lead, first.detail.get("from"), score, threshold, now, is_primary=is_primary)


def _qualified(lead: Lead, fact: Fact, demand: Demand) -> Qualifying:
    reason = demand.in_words(lead) if demand.by == By.ALL else _reached(fact)
    return Qualifying(lead, fact.detail["to"], fact.object_id, reason, fact)


def _reached(fact: Fact) -> str:
    text = _("The score reached %(score)d; %(threshold)d is sales-ready.")
    return text % {"score": fact.detail["to"], "threshold": fact.detail["threshold"]}


def _fell(fact: Fact) -> str:
    text = _("The score fell to %(score)d, below the limit of %(limit)d.")
    return text % {"score": fact.detail["to"], "limit": fact.detail["lower_limit"]}


register(Reader("stages", run=read))
