"""Acme with a connection to an environment of Dynamics, which the stand-in plays over TCP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from contacts import people
from contacts.models import Account, Contact, Interaction
from integrations.client import Client
from integrations.connections import verbs
from integrations.connections.tokens import Tokens
from integrations.crm import setting_up
from integrations.crm.interface import crms
from integrations.dynamics import access
from integrations.dynamics.crm import DYNAMICS, QUEUE
from integrations.dynamics.odata import HEADERS, Api
from integrations.dynamics.session import DynamicsSession
from integrations.models import Connection, CrmChange, Entity, Pace, RecordLink, RemoteTable
from integrations.sandbox.dynamics.security import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from integrations.sandbox.server import Place, Running
from leads import lifecycle
from leads.models import Lead
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

KEY = "new_crmkey"
_known: list[dict[str, Any]] = []


class World:
    """Arranged and asked outside of any scope. Waits for a busy partner are noted instead of slept."""

    def __init__(self, tenant: Tenant, owner: Member, running: Running, key: str) -> None:
        self.tenant, self.owner, self.running = tenant, owner, running
        self.url = f"{running.url}/dynamics/{key}"
        self.place: Place = running.place("dynamics", key)
        self.place.world.reset(7, None)
        self.waits: list[float] = []
        self.page = 1_000
        # What somebody does while the client waits before it tries again.
        self.at_wait: Callable[[], Any] | None = None
        crms.add(replace(DYNAMICS, open=self.open))
        self.connection = self._connect()

    def open(self, connection: Connection) -> DynamicsSession:
        base = access.environment(connection)
        client = Client(
            "dynamics", base, Tokens(connection, access.fetch), headers=HEADERS, pause=self._wait
        )  # fmt: skip
        return DynamicsSession(connection, Api(connection, client), page=self.page)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.at_wait is not None:
            self.at_wait()

    def _connect(self) -> Connection:
        with tenant_scope(self.tenant):
            made = verbs.add(
                "dynamics",
                "Dynamics",
                by=self.owner,
                credentials={"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
                settings={"environment_url": self.url, "tenant_id": TENANT_ID},
                is_sandbox=True,
            )
        self._learn(made)
        with tenant_scope(self.tenant):
            verbs.activate(made, by=self.owner)
        return made

    def _learn(self, made: Connection) -> None:
        """What the columns can hold is asked once: it is the same in every environment."""
        if not _known:
            setting_up.learn(made)
            with tenant_scope(self.tenant):
                _known.extend(RemoteTable.objects.values("entity", "name", "columns"))
            return
        session = self.open(made)
        users = session.users()
        with tenant_scope(self.tenant):
            RemoteTable.objects.bulk_create(RemoteTable(connection=made, **kept) for kept in _known)
            setting_up.keep_users(made, users)
            setting_up.add_defaults(made)

    # ---- our side ----

    def lead(self, number: int = 1, *, hand_off: bool = True, **values: Any) -> Lead:
        """A lead of somebody at a company, handed to sales."""
        with tenant_scope(self.tenant):
            account = people.create_account({"name": f"Firm {number}", "domain": f"firm{number}.example"})
            given = {"email": f"p{number}@firm{number}.example", "first_name": "Ada", "last_name": f"Person{number}"}
            contact = people.create_contact(given | values, account=account)
            lead = lifecycle.create_lead(f"Pumps {number}", contact=contact, source="form")
        if hand_off:
            self.hand_off(lead)
        return lead

    def hand_off(self, *leads: Lead, to: Member | None = None) -> None:
        with tenant_scope(self.tenant):
            for lead in leads:
                lead.refresh_from_db()
                lifecycle.hand_off(lead, member=to or self.owner, is_told=False)

    def settings(self, **values: Any) -> None:
        with tenant_scope(self.tenant):
            self.connection.refresh_from_db()
            self.connection.settings |= values
            self.connection.save(update_fields=["settings"])

    def run(self) -> None:
        """Let all workers do what is due now, however slow the machine is."""
        wakeups.run_due(budget=300)

    def sync(self, times: int = 1) -> None:
        """The next read is due, and every wait is over."""
        for _ in range(times):
            now = timezone.now()
            with tenant_scope(self.tenant):
                CrmChange.objects.filter(state="queued").update(next_attempt_at=now - timedelta(seconds=1))
                Pace.objects.update(held_until=None)
                verbs.schedule(self.connection, now)
                wakeups.announce(QUEUE)
            self.run()

    def changes(self, **wanted: Any) -> list[CrmChange]:
        with tenant_scope(self.tenant):
            return list(CrmChange.objects.filter(**wanted).order_by("pk"))

    def states(self) -> list[str]:
        return [change.state for change in self.changes()]

    def link(self, record: Any) -> RecordLink:
        entity = {Lead: Entity.LEAD, Contact: Entity.CONTACT, Account: Entity.ACCOUNT}[type(record)]
        with tenant_scope(self.tenant):
            return RecordLink.objects.get(entity=entity, object_id=record.pk)

    def fresh(self, record: Any) -> Any:
        """The record as it is now; a lead with its contact and account."""
        with tenant_scope(self.tenant):
            rows = type(record).objects
            rows = rows.select_related("contact", "account") if isinstance(record, Lead) else rows
            return rows.get(pk=record.pk)

    def told(self, *kinds: str) -> list[Interaction]:
        with tenant_scope(self.tenant):
            return list(Interaction.objects.filter(kind__in=kinds).order_by("pk"))

    def state(self) -> str:
        return self.fresh(self.connection).state

    # ---- their side ----

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Their records of a table that carry our key, oldest first."""
        found = [row.values for row in self.place.world.organisation.rows.all(table)]
        return [row for row in found if KEY not in row or row[KEY]]

    def act(self, do: str, **asked: Any) -> dict[str, Any]:
        """Somebody in Sales does something."""
        with self.place.world.lock:
            return self.place.world._act({"do": do, **asked})

    def edit(self, table: str, record: Any, **values: Any) -> None:
        self.act("edit", table=table, id=self.link(record).external_id, values=values)

    def admin(self, **asked: Any) -> None:
        self.place.world.administer(asked)

    def faults(self, *faults: dict[str, Any]) -> None:
        self.place.faults.replace(list(faults))

    def requests(self, method: str = "", part: str = "") -> list[Any]:
        """What was asked of the API, oldest first."""
        found = [entry for entry in self.place.journal.all() if "/api/" in entry.request.path]
        return [e for e in found if (not method or e.request.method == method) and part in e.request.target]
