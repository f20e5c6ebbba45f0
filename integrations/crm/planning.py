"""From claimed changes to what is written: reads the records as they are now, in the tenant's scope.

A handoff is one unit, all or nothing: the company and the person if they are not there yet, the lead that leads to
both, and a task for whoever gets it. An update is a unit of one record, of the fields that differ from what we know is
there. What sales owns and we have changed is set back here and now.
"""

import logging
import uuid
import zoneinfo
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from integrations.crm import history, knowing, links, ours, people, reasons, summary
from integrations.crm.columns import Unfit
from integrations.crm.deciding import Verdict
from integrations.crm.interface import How, Reference, Status, Write
from integrations.crm.links import State as LinkState
from integrations.crm.mapped import Compared, Mapped, as_theirs
from integrations.models import Connection, CrmChange, Entity, RecordLink, SalesUser
from leads.models import Lead
from tenants.models import Tenant

logger = logging.getLogger(__name__)

Kind, State = CrmChange.Kind, CrmChange.State
# Days until the follow-up task is due, unless the connection says otherwise.
FOLLOW_UP_DAYS = 1
# The fields that say who and what company a lead is about, who has it, and what sales is told of it.
PARENTS, OWNER, SUMMARY = ("lead.contact", "lead.account"), "lead.owner", "lead.summary"
Grouped = dict[tuple[str, int], list[CrmChange]]
CLOSED = (Status.QUALIFIED, Status.DISQUALIFIED)


@dataclass
class Planned:
    """A unit of writes, for whose changes, and what each write is about (None: the task)."""

    changes: list[CrmChange]
    writes: list[Write]
    links: list[RecordLink | None]
    # The ids of links whose summary it writes.
    told: list[int] = field(default_factory=list)


@dataclass
class Ended:
    """Changes that are over without a call."""

    changes: list[CrmChange]
    state: str
    reason: str
    error: str = ""
    link: RecordLink | None = None


@dataclass
class Plan:
    planned: list[Planned] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    erasures: list[CrmChange] = field(default_factory=list)


class Planner:
    """Plans one batch of a connection."""

    def __init__(self, connection: Connection, changes: Sequence[CrmChange]) -> None:
        self.connection = connection
        self.mapped = Mapped(connection)
        self._changes = changes
        self._records: dict[str, dict[int, Any]] = {}
        self._links: dict[str, dict[int, RecordLink]] = {}
        # Records that an earlier unit of this batch makes.
        self._made: set[int] = set()
        # Those that are sent another summary.
        self._told: list[RecordLink] = []
        self._plan = Plan()

    def plan(self) -> Plan:
        """What is to be written, and what is over already."""
        handoffs = self._by_object(Kind.HANDOFF)
        updates = self._by_object(Kind.UPDATE)
        for key in handoffs.keys() & updates.keys():
            handoffs[key] += updates.pop(key)
        self._look_up(handoffs, updates)
        self._people = people.know(
            [record for records in self._records.values() for record in records.values()],
            for_summaries=bool(handoffs) or concerns(self._changes, SUMMARY),
        )
        self._users = dict(
            SalesUser.objects.filter(connection=self.connection, member__isnull=False, is_active=True).values_list(
                "member", "external_id"
            )
        )
        self._plan.erasures = [change for change in self._changes if change.kind == Kind.ERASURE]
        for (_entity, pk), changes in handoffs.items():
            self._or_park(changes, self._handoff, pk)
        for (entity, pk), changes in updates.items():
            self._or_park(changes, self._update, pk, entity)
        # Before they are sent: whatever becomes of an answer, we know our own words again.
        knowing.sending(self._told)
        return self._plan

    def _by_object(self, kind: str) -> Grouped:
        found: Grouped = defaultdict(list)
        for change in self._changes:
            if change.kind == kind:
                found[change.entity, change.object_id or 0].append(change)
        return found

    def _look_up(self, handoffs: Grouped, updates: Grouped) -> None:
        """Records and links of all that the batch is about; what may be made there gets links first."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for entity, pk in updates:
            wanted[entity].add(pk)
        leads = ours.load(Entity.LEAD, [*(pk for _, pk in handoffs), *wanted[Entity.LEAD]])
        handed = [leads[pk] for _, pk in handoffs if pk in leads]
        # Whose person or company has become known since.
        known = [pk for (entity, pk), found in updates.items() if entity == Entity.LEAD and concerns(found, *PARENTS)]
        led = handed + [leads[pk] for pk in known if pk in leads]
        needed: dict[str, set[int]] = {
            Entity.LEAD: {lead.pk for lead in handed},
            Entity.CONTACT: {lead.contact_id for lead in led if lead.contact_id},
            Entity.ACCOUNT: {account for lead in led if (account := account_of(lead))},
        }
        self._records = {
            name: ours.load(name, wanted[name] | needed[name]) for name in (Entity.CONTACT, Entity.ACCOUNT)
        }
        self._records[Entity.LEAD] = leads
        for name, records in self._records.items():
            links.ensure(self.connection, name, needed[name])
            self._links[name] = links.of(self.connection, name, records)

    def _or_park(self, changes: list[CrmChange], plan: Any, *arguments: Any) -> None:
        """Plan, or park what has a value that does not fit there: what it would have made others have to make.

        What cannot be read here at all is parked too: it would be claimed for ever, and everybody else's with it.
        """
        made = set(self._made)
        try:
            plan(changes, *arguments)
            return
        except Unfit as error:
            reason, said = reasons.UNFIT, error.kept
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            logger.exception("Changes %s cannot be planned", [change.pk for change in changes])
            reason, said = reasons.UNREADABLE, type(error).__name__
        self._made = made
        link = self._links.get(changes[0].entity, {}).get(changes[0].object_id or 0)
        self._end(changes, State.PARKED, reason, said, link)

    def _end(
        self, changes: list[CrmChange], state: str, reason: str, error: str = "", link: RecordLink | None = None
    ) -> None:
        self._plan.ended.append(Ended(changes, state, reason, error, link))

    # ---- handing over ----

    def _handoff(self, changes: list[CrmChange], pk: int) -> None:
        lead = self._records[Entity.LEAD].get(pk)
        if lead is None:
            return self._end(changes, State.CANCELLED, reasons.GONE)
        link = self._links[Entity.LEAD][pk]
        if link.state == LinkState.UNLINKED:
            links.renew(link)
        unit = Planned(changes, [], [])
        owner = self._owner(lead, is_new=not link.external_id)
        self._add_lead(unit, link, lead, self._parents(unit, lead) | ({"owner": owner} if owner else {}))
        self._add_task(unit, link, lead, owner)
        self._plan.planned.append(unit)

    def _parents(self, unit: Planned, lead: Lead) -> dict[str, Reference]:
        """The company and the person of a lead, in the unit if they are not there yet."""
        found: dict[str, Reference] = {}
        account, contact = account_of(lead), self._records[Entity.CONTACT].get(lead.contact_id or 0)
        if account in self._records[Entity.ACCOUNT]:
            found[Entity.ACCOUNT.value] = self._present(unit, Entity.ACCOUNT, account, {})
        if contact is not None:
            hers = dict(found) if contact.account_id == account else {}
            found[Entity.CONTACT.value] = self._present(unit, Entity.CONTACT, contact.pk, hers)
        return found

    def _present(self, unit: Planned, entity: str, pk: int, references: Mapping[str, Reference]) -> Reference:
        """How a contact or account is named there; it is made first if it is not there yet."""
        link, record = self._links[entity][pk], self._records[entity][pk]
        if link.state == LinkState.UNLINKED:
            links.renew(link)
        if not link.external_id and link.pk not in self._made:
            values = self.mapped.values(entity, record, self._people.refusals(record))
            self._made.add(link.pk)
            unit.writes.append(Write(entity, link.uid, How.UPSERT, values, references))
            unit.links.append(link)
        return links.reference(link)

    def _add_lead(self, unit: Planned, link: RecordLink, lead: Lead, references: Mapping[str, Reference]) -> None:
        refusals = self._people.refusals(lead)
        extra = self._extra(lead) | self._summary(unit, link, lead, refusals, is_anew=True)
        if not link.external_id:
            values = self.mapped.values(Entity.LEAD, lead, refusals) | extra
            write = Write(Entity.LEAD, link.uid, How.UPSERT, values, references)
        else:
            found, _unreadable = self.mapped.compare(link, lead, refusals, link.known)
            self._set_back(link, lead, found)
            is_closed = link.standing.get("status") in CLOSED
            write = Write(
                Entity.LEAD, link.uid, How.UPDATE, as_theirs(found) | extra, references, link.external_id,
                link.version, is_closed,
            )  # fmt: skip
        unit.writes.append(write)
        unit.links.append(link)

    def _extra(self, lead: Lead) -> dict[str, Any]:
        """What the package adds, as far as it is not mapped."""
        mapped = set(self.mapped.names(Entity.LEAD))
        own = self.mapped.crm.lead_values(self.connection, lead)
        return {name: value for name, value in own.items() if name not in mapped}

    def _summary(
        self, unit: Planned, link: RecordLink, lead: Lead, refusals: Mapping[str, bool], *, is_anew: bool = False
    ) -> dict[str, str]:
        """The column with the summary for sales, if there is another one and we know what else stands there."""
        column, longest = self.mapped.summary
        if link.external_id and column not in link.known:
            return {}
        theirs = str(link.known.get(column) or "")
        latest, why = self._people.latest.get(lead.contact_id or 0, []), self._people.reasons.get(lead.pk, "")
        with timezone.override(self._zone):
            text = summary.text(lead, why, refusals, latest)
        put = summary.put(text, link.summaries, theirs, longest, is_anew=is_anew)
        if put is None or put.whole == theirs:
            return {}
        link.summaries = summary.sent(link.summaries, put.ours)
        self._told.append(link)
        unit.told.append(link.pk)
        return {column: put.whole}

    @cached_property
    def _zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(Tenant.objects.get(pk=self.connection.tenant_id).time_zone)

    def _owner(self, lead: Lead, *, is_new: bool) -> Reference | None:
        """Who gets it there: whoever has it here; nobody's new lead goes to the one whom the connection names."""
        found = self._users.get(lead.owner_id or 0) or (is_new and self.connection.settings.get("default_owner"))
        return Reference("user", str(found)) if found else None

    def _add_task(self, unit: Planned, link: RecordLink, lead: Lead, owner: Reference | None) -> None:
        days = self.connection.settings.get("follow_up_days", FOLLOW_UP_DAYS)
        if days is None:
            return
        subject, text = summary.follow_up(lead, self._people.refusals(lead))
        values = self.mapped.crm.task_values(subject, text, timezone.now() + timedelta(days=days))
        references = {Entity.LEAD.value: links.reference(link)} | ({"owner": owner} if owner else {})
        uid = uuid.uuid5(link.uid, unit.changes[-1].key)
        unit.writes.append(Write(Entity.ACTIVITY, uid, How.UPSERT, values, references))
        unit.links.append(None)

    # ---- bringing up to date ----

    def _update(self, changes: list[CrmChange], pk: int, entity: str) -> None:
        record, link = self._records[entity].get(pk), self._links[entity].get(pk)
        if record is None:
            return self._end(changes, State.CANCELLED, reasons.GONE)
        if link is None or link.state != LinkState.LINKED:
            return self._end(changes, State.CANCELLED, reasons.UNLINKED)
        if not link.external_id:
            return self._end(changes, State.DONE, reasons.CARRIED)
        refusals = self._people.refusals(record)
        found, _unreadable = self.mapped.compare(link, record, refusals, link.known)
        self._set_back(link, record, found)
        values, unit = as_theirs(found), Planned(changes, [], [])
        references: dict[str, Reference] = {}
        is_closed = link.standing.get("status") in CLOSED
        if entity == Entity.LEAD and concerns(changes, *PARENTS):
            references |= self._gaps(unit, link, record)
        if entity == Entity.LEAD and concerns(changes, OWNER):
            references |= self._new_owner(link, record)
        if entity == Entity.LEAD and concerns(changes, SUMMARY) and not is_closed:
            values |= self._summary(unit, link, record, refusals)
        if not values and not references:
            return self._end(changes, State.DONE, reasons.SAME, link=link)
        if is_closed:
            return self._end(changes, State.CANCELLED, reasons.CLOSED)
        unit.writes.append(Write(entity, link.uid, How.UPDATE, values, references, link.external_id, link.version))
        unit.links.append(link)
        self._plan.planned.append(unit)

    def _gaps(self, unit: Planned, link: RecordLink, lead: Lead) -> dict[str, Reference]:
        """The company and person that a lead has by now and lacks there; whom sales has put there stays."""
        has = {role for role in (Entity.ACCOUNT, Entity.CONTACT) if link.standing.get(role)}
        if link.standing.get("status") in CLOSED or has == {Entity.ACCOUNT, Entity.CONTACT}:
            return {}
        return {role: one for role, one in self._parents(unit, lead).items() if role not in has}

    def _new_owner(self, link: RecordLink, lead: Lead) -> dict[str, Reference]:
        """Whoever has the lead here by now, if she works there; somebody else's lead there stays that one's."""
        found = self._users.get(lead.owner_id or 0)
        return {"owner": Reference("user", found)} if found and found != link.standing.get("owner") else {}

    def _set_back(self, link: RecordLink, record: Any, found: list[Compared]) -> None:
        """What sales owns and we have changed gets sales' value again."""
        taken = [one for one in found if one.decision.verdict == Verdict.TAKE]
        if taken:
            history.take(self.connection, link, record, taken)


def concerns(changes: Sequence[CrmChange], *fields: str) -> bool:
    """Whether changes are about one of our fields."""
    return any(name in fields for change in changes for name in change.fields)


def account_of(lead: Lead) -> int | None:
    """Which company a lead is about: its own, else its contact's."""
    return lead.account_id or (lead.contact.account_id if lead.contact else None)
