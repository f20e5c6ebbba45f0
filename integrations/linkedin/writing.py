"""Writing what a set of submissions says: contacts, companies and leads, by the verbs of the import of files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection as database
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from contacts import findable, timeline
from integrations.linkedin import matching
from integrations.linkedin.answers import Submission
from integrations.linkedin.cleaning import Read
from integrations.linkedin.kinds import SUBMITTED
from integrations.models import AdCampaign, LeadFormMapping, LeadSubmission
from leads import editing, lifecycle
from leads.creation import ENTERED, NewLead, make_leads
from leads.importing import accounts, contacts, recording, staging
from leads.importing.folding import Firm, Folded, Person, fold
from leads.importing.options import MatchBy, Options, Strangers
from leads.importing.staging import Spelled
from leads.models import Lead

State = LeadSubmission.State
# Where leads come from, in the words of `leads.models.stages.SOURCES`, and what contacts say of it.
SOURCE, SAID = "linkedin", "LinkedIn"


@dataclass(slots=True)
class Result:
    """What became of a submission, and why."""

    submission: Submission
    state: str
    reason: str = ""
    contact_id: int | None = None
    is_contact_new: bool = False
    company_id: int | None = None
    lead_id: int | None = None
    others: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass
class Written:
    """The results of a set, and how much was made and changed."""

    results: list[Result]
    counts: Counter[str]


@dataclass(slots=True)
class _Item:
    """A submission on its way."""

    read: Read
    person: Person | None
    firm: Firm | None
    is_contact_new: bool = False
    lead_id: int | None = None
    # Its lead, unless this submission has just made it.
    lead: Lead | None = None
    is_lead_new: bool = False
    is_lead_changed: bool = False

    @property
    def submission(self) -> Submission:
        return self.read.submission

    @property
    def is_fresh(self) -> bool:
        """Whether it comes to something for the first time."""
        return self.submission.lead_id is None

    @property
    def contact_id(self) -> int | None:
        return self.person.contact_id if self.person else None


@dataclass(frozen=True)
class Ready:
    """Submissions with one mapping, brought together by whom they are about, and what they say ready to be copied."""

    mapping: LeadFormMapping
    options: Options
    reads: dict[int, Read]
    folded: Folded
    spelled: Spelled


def prepare(mapping: LeadFormMapping, reads: Sequence[Read]) -> Ready:
    """Make submissions ready for writing them once; needs no database."""
    options = options_of(mapping)
    # A submission that has its contact already keeps it, whatever it would find now.
    known = {read.submission.pk: read.submission.contact_id for read in reads if read.submission.contact_id}
    options.decided = {str(pk): str(contact) for pk, contact in known.items()}
    folded = fold([read.cleaned for read in reads], options)
    by_line = {read.submission.pk: read for read in reads}
    return Ready(mapping, options, by_line, folded, contacts.spell(folded.people))


def write(ready: Ready, lane: str) -> Written:
    """Write the people, companies and leads of submissions."""
    mapping, options, folded, spelled = ready.mapping, ready.options, ready.folded, ready.spelled
    accounts.find(folded.firms)
    contacts.find(folded.people, spelled, options)
    items = [_Item(ready.reads[row.row.line], person, firm) for row, person, firm in folded.rows]
    people = [p for p in folded.people if p.contact_id or options.strangers == Strangers.CREATE]
    _need_firms(items, people, options)
    accounts.make(folded.firms, set())
    changed_accounts = accounts.change(folded.firms, options.update, is_main=False)
    made = contacts.make(people, spelled, options, set())
    changed = contacts.change(people, made, options.update)
    recording.record_contacts({"source": SAID}, None, has_made=bool(made), has_changed=bool(changed), lane=lane)
    recording.note_ambiguities(people, options.match_by, SAID)
    new_accounts = [firm for firm in folded.firms if firm.is_new and firm.account_id]
    recording.record_accounts(new_accounts, changed_accounts, None, lane=lane)
    findable.note("contact", [*made, *(change.id for change in changed)])
    findable.note("account", [*(f.account_id for f in new_accounts if f.account_id), *(c.id for c in changed_accounts)])
    _tell_who_is_new(items, made)
    _lead(mapping, items, lane)
    _record(items, lane)
    counts = {
        "contacts_new": len(made),
        "contacts_changed": len(changed),
        "accounts_new": len(new_accounts),
        "leads_new": sum(item.is_lead_new for item in items),
        "leads_changed": sum(item.is_lead_changed for item in items),
    }
    reasons = _Reasons(mapping)
    return Written([_result(item, reasons) for item in items], Counter(counts))


def options_of(mapping: LeadFormMapping) -> Options:
    """The mapping's answers as the verbs for sets take them."""
    strangers = Strangers.CREATE if mapping.creates_contacts else Strangers.LEAVE
    return Options(match_by=mapping.contact_by, update=mapping.update, source=SAID, strangers=strangers)


def keep(results: Sequence[Result]) -> None:
    """Note on the submissions what became of them; one statement."""
    columns = {
        "id": "bigint",
        "state": "text",
        "reason": "text",
        "contact_id": "bigint",
        "is_contact_new": "boolean",
        "company_id": "bigint",
        "lead_id": "bigint",
        "other_contacts": "bigint[]",
        "left_out": "jsonb",
    }
    # What a submission came to before, and that its contact was new, stays true when it is processed again.
    rows = (
        [
            result.submission.pk,
            result.state,
            result.reason[:300],
            result.contact_id or result.submission.contact_id,
            result.is_contact_new or result.submission.is_contact_new,
            result.company_id or result.submission.company_id,
            result.lead_id or result.submission.lead_id,
            result.others,
            Jsonb(result.left_out),
        ]
        for result in results
    )
    staging.stage("submission_results", columns, rows)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE submission_results")
        cursor.execute(
            """UPDATE integrations_leadsubmission here SET
                 state = result.state, reason = result.reason, contact_id = result.contact_id,
                 is_contact_new = result.is_contact_new, company_id = result.company_id, lead_id = result.lead_id,
                 other_contacts = result.other_contacts, left_out = result.left_out, processed_at = now()
               FROM submission_results result WHERE here.id = result.id"""
        )


def _need_firms(items: Sequence[_Item], people: Sequence[Person], options: Options) -> None:
    for person in people:
        if person.firm:
            person.firm.is_needed = True
    for item in items:
        if item.firm and item.person is None and options.strangers == Strangers.CREATE:
            item.firm.is_needed = True


def _tell_who_is_new(items: Sequence[_Item], made: set[int]) -> None:
    """Of several submissions of one stranger, the first has made her."""
    told: set[int] = set()
    for item in items:
        if item.contact_id in made and item.contact_id not in told:
            item.is_contact_new = True
            told.add(item.contact_id)


def _lead(mapping: LeadFormMapping, items: Sequence[_Item], lane: str) -> None:
    """Find or make each submission's lead, and change those that there were."""
    before = Lead.objects.select_related("contact", "account").in_bulk(
        [item.submission.lead_id for item in items if item.submission.lead_id]
    )
    for item in items:
        item.lead = before.get(item.submission.lead_id or 0)
    is_matching = mapping.leads == LeadFormMapping.Leads.MATCH
    if is_matching:
        asked = [(i.submission.pk, i.contact_id, _said(i, mapping)) for i in items if i.lead is None]
        found = matching.find(asked, mapping.lead_by)
        for item in items:
            item.lead = item.lead or found.get(item.submission.pk)
    first: dict[Any, _Item] = {}
    alike: list[tuple[_Item, _Item]] = []
    for item in [item for item in items if item.lead is None]:
        key = matching.key_of(_said(item, mapping), mapping.lead_by) if is_matching else None
        other = first.setdefault((item.contact_id, key) if key else item.submission.pk, item)
        if other is not item:
            alike.append((item, other))
    made = make_leads([_new_lead(item, mapping) for item in first.values()], lane=lane)
    for item, id_ in zip(first.values(), made.ids, strict=True):
        item.lead_id, item.is_lead_new = id_, id_ in made.fresh
    for item, other in alike:
        item.lead_id = other.lead_id
    there = [item for item in items if item.lead is None and not item.is_lead_new]
    known = Lead.objects.select_related("contact", "account").in_bulk([item.lead_id for item in there if item.lead_id])
    for item in there:
        item.lead = known.get(item.lead_id or 0)
    for item in items:
        item.lead_id = item.lead.pk if item.lead else item.lead_id
    _change_leads(mapping, [item for item in items if not item.is_lead_new], lane)


def _change_leads(mapping: LeadFormMapping, items: Sequence[_Item], lane: str) -> None:
    """What was answered goes onto the leads that there were; one that rests is a raised hand."""
    given: dict[int, tuple[Lead, dict[str, Any]]] = {}
    for item in items:
        if item.lead is not None:
            lead, values = given.setdefault(item.lead.pk, (item.lead, {}))
            values |= _wanted(lead, _entered(item), mapping.update)
    pairs = list(given.values())
    changes = dict(zip(given, editing.update_leads(pairs, lane=lane), strict=True)) if pairs else {}
    raised: set[int] = set()
    for item in items:
        if item.lead is None:
            continue
        item.is_lead_changed = bool(changes.get(item.lead.pk))
        if item.is_fresh and item.lead.pk not in raised:
            raised.add(item.lead.pk)
            lifecycle.raise_hand(item.lead, _("Sent “%(form)s” again.") % {"form": item.read.form_name})


def _wanted(lead: Lead, entered: Mapping[str, Any], policy: str) -> dict[str, Any]:
    """What the policy lets be changed."""
    if policy == LeadFormMapping.Update.LEAVE:
        return {}
    values = {name: value for name, value in entered.items() if value}
    if policy == LeadFormMapping.Update.FILL:
        own = {key: v for key, v in values.pop("custom", {}).items() if lead.custom.get(key) is None}
        values = {name: value for name, value in values.items() if not getattr(lead, name)}
        return values | ({"custom": own} if own else {})
    return values


def _entered(item: _Item) -> dict[str, Any]:
    """What of the answers the lead itself keeps: with a contact her own fields say who it is."""
    cleaned = item.read.cleaned
    entered = {**cleaned.contact, **cleaned.lead, "company": cleaned.account.get("name", "")}
    kept = ("description",) if item.contact_id else ENTERED
    values = {name: entered[name] for name in kept if entered.get(name)}
    own = {**(cleaned.contact.get("custom", {}) if not item.contact_id else {}), **cleaned.lead.get("custom", {})}
    return values | ({"custom": own} if own else {})


def _said(item: _Item, mapping: LeadFormMapping) -> dict[str, Any]:
    """What the submission says of what leads are matched by."""
    cleaned = item.read.cleaned
    return {
        **cleaned.contact,
        "company": cleaned.account.get("name", ""),
        "topic": _topic(item, mapping),
        "form": item.submission.form_id,
    }


def _topic(item: _Item, mapping: LeadFormMapping) -> str:
    return str(item.read.cleaned.lead.get("topic") or mapping.topic or item.read.form_name)


def _new_lead(item: _Item, mapping: LeadFormMapping) -> NewLead:
    return NewLead(
        topic=_topic(item, mapping),
        source=item.read.cleaned.lead.get("source") or SOURCE,
        contact_id=item.contact_id,
        account_id=item.firm.account_id if item.firm else None,
        values=_entered(item),
        origin_key=_origin(item.submission),
    )


def _origin(submission: Submission) -> str:
    return f"linkedin:{submission.pk}"


def _record(items: Sequence[_Item], lane: str) -> None:
    """That somebody has submitted a form is a fact once, as of when she did."""
    fresh = [item for item in items if item.is_fresh]
    forms = {item.submission.form_id or 0: item.read.form_name for item in fresh}
    campaigns = AdCampaign.objects.in_bulk({item.submission.campaign_id for item in fresh} - {None})
    staging.stage("told_submissions", _TOLD, map(_told, fresh))
    timeline.record_select(
        SUBMITTED.key,
        """SELECT told.contact_id, contact.account_id, told.lead_id, told.object_id, told.occurred_at,
                  jsonb_build_object(
                    'form', %(forms)s::jsonb ->> coalesce(told.object_id, 0)::text,
                    'campaign', coalesce(%(campaigns)s::jsonb ->> told.campaign_id::text, ''),
                    'campaign_id', told.campaign_id, 'submission', told.id) AS detail
           FROM told_submissions told
           LEFT JOIN LATERAL (SELECT account_id FROM contacts_contact WHERE id = told.contact_id LIMIT 1) contact
             ON true""",
        {"forms": Jsonb(forms), "campaigns": Jsonb({pk: str(row) for pk, row in campaigns.items()})},
        columns=("contact_id", "account_id", "lead_id", "object_id", "occurred_at", "detail"),
        lane=lane,
    )


_TOLD = {
    **dict.fromkeys(("id", "contact_id", "lead_id", "object_id", "campaign_id"), "bigint"),
    "occurred_at": "timestamptz",
}


def _told(item: _Item) -> list[Any]:
    """A submission as the temporary table `told_submissions` has it."""
    sent = item.submission
    return [sent.pk, item.contact_id, item.lead_id, sent.form_id, sent.campaign_id, sent.submitted_at]


def _result(item: _Item, reasons: "_Reasons") -> Result:
    submission, person = item.submission, item.person
    if item.is_lead_new or (item.lead is not None and item.lead.origin_key == _origin(submission)):
        state = State.LEAD_CREATED
    else:
        state = State.LEAD_UPDATED if item.is_lead_changed else State.LEAD_MATCHED
    return Result(
        submission,
        state,
        reasons.of(item),
        item.contact_id,
        item.is_contact_new,
        item.firm.account_id if item.firm else None,
        item.lead_id,
        list(person.others) if person else [],
        item.read.left_out,
    )


class _Reasons:
    """Why a submission came to its contact, in words; most of a set have the same few."""

    def __init__(self, mapping: LeadFormMapping) -> None:
        by = {"by": MatchBy(mapping.contact_by).label}
        self._nobody = _("Nobody was found by “%(by)s”, and the mapping makes no contacts.") % by
        self._made = _("Nobody was found by “%(by)s”: a contact was made.") % by
        self._found = _("The contact was found by “%(by)s”.") % by
        self._by = by

    def of(self, item: _Item) -> str:
        if item.contact_id is None:
            return self._nobody
        if item.is_contact_new:
            return self._made
        others = len(item.person.others) if item.person else 0
        if others:
            return _("%(count)d contacts answer to “%(by)s”: the one changed last was taken.") % {
                **self._by,
                "count": others + 1,
            }
        return self._found
