"""Acme with a connection to the stand-in, authorised, and one ad account with a form."""

import http.client
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from contacts.models import Contact, Received
from integrations.connections import verbs
from integrations.linkedin import oauth, push, storing, syncing
from integrations.linkedin.responses import Named
from integrations.models import AdAccount, Connection, LeadSubmission, SyncRun
from integrations.sandbox.linkedin.pushing import signature
from integrations.sandbox.linkedin.world import LinkedIn
from integrations.sandbox.server import Running
from leads.models import Lead
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope

BACK = "http://127.0.0.1/back"
QUESTIONS = [
    *("EMAIL", "FIRST_NAME", "LAST_NAME", "COMPANY_NAME", "PHONE_NUMBER", "WORK_EMAIL"),
    {"name": "Team", "options": ["1-5", "6+"]},
]
FORM = {"id": 9, "account": 1, "name": "Guide", "questions": QUESTIONS, "consents": ["Write to me"],
        "hidden": {"utm_source": "li"}}  # fmt: skip
SEED: dict[str, Any] = {
    "accounts": [{"id": 1, "name": "Acme EMEA"}],
    "campaigns": [{"id": 5, "account": 1, "name": "Spring"}],
    "forms": [FORM],
}


class LinkedInWorld:
    """Arranged outside any scope. `here` is the stand-in, whose clock runs with ours unless it is moved."""

    def __init__(self, tenant: Tenant, owner: Member, running: Running) -> None:
        self.tenant, self.owner, self.running = tenant, owner, running
        with tenant_scope(tenant):
            self.connection = verbs.add(
                "linkedin",
                "LinkedIn",
                by=owner,
                credentials={"client_id": "sandbox-app", "client_secret": "sandbox-secret"},
                is_sandbox=True,
            )
        self.place = running.place("linkedin", f"{tenant.pk}-{self.connection.pk}")
        assert isinstance(self.place.world, LinkedIn)
        self.here = self.place.world
        self.here.clock.set(None)
        self.place.faults.replace([])
        self.place.journal.clear()
        self.here.reset(1, None)
        self.seed(app={"asks": False}, **SEED)

    def connect(self, *, reads_a_year: bool = False) -> Connection:
        """Authorise and choose all ad accounts; the schedule runs, as if the year before last week had been read."""
        self.authorise()
        with tenant_scope(self.tenant):
            storing.keep_accounts(self.connection, self.api_accounts())
            AdAccount.objects.update(is_chosen=True)
            if not reads_a_year:
                AdAccount.objects.update(is_backfilled=True, newest_at=datetime.now(UTC))
            verbs.activate(self.connection, by=self.owner)
        return self.connection

    def start_over(self) -> None:
        """LinkedIn and we as at the beginning, authorised; for tests that live through many stories."""
        self.fault()
        with tenant_scope(self.tenant):
            Lead.objects.all().delete()
            Contact.objects.all().delete()
            Received.objects.all().delete()
            LeadSubmission.objects.all().delete()
            AdAccount.objects.all().delete()
        self.here.reset(1, None)
        self.seed(app={"asks": False}, **SEED)
        self.connect()

    def resume(self) -> None:
        """An admin authorises and resumes a connection that does not run."""
        if not self.reload().is_running:
            self.authorise()
            with tenant_scope(self.tenant):
                verbs.activate(self.connection, by=self.owner)

    def api_accounts(self) -> list[Named]:
        return [Named(str(row.id), row.name, row.status, row.is_test) for row in self.here.store.accounts.values()]

    def authorise(self) -> None:
        """As a member does in her browser."""
        url = urlsplit(oauth.authorise_url(self.connection, by=self.owner, return_to=BACK))
        line = http.client.HTTPConnection(url.hostname or "", url.port)
        line.request("GET", f"{url.path}?{url.query}")
        location = line.getresponse().headers["Location"]
        line.close()
        given = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        oauth.finish(self.connection, by=self.owner, return_to=BACK, code=given.get("code", ""), state=given["state"])
        self.reload()

    def push(self, id_: str, action: str = "CREATED", **more: Any) -> int:
        """LinkedIn notifies us; `secret`, `body` and `owner` in place of the right ones. Returns the status."""
        told = {
            "type": "LEAD_ACTION",
            "leadGenFormResponse": f"urn:li:leadGenFormResponse:{id_}",
            "leadGenForm": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:9, 1)",
            "owner": {"sponsoredAccount": more.get("owner", "urn:li:sponsoredAccount:1")},
            "leadType": "SPONSORED",
            "leadAction": action,
            "occurredAt": more.get("at", int(datetime.now(UTC).timestamp())),
        }
        body = json.dumps(told).encode()
        signed = signature(more.get("secret", "sandbox-secret"), body)
        headers = {"X-LI-Signature": more.get("signature", signed)}
        path = urlsplit(push.address(self.connection)).path
        sent = more.get("body", body)
        return Client().post(path, sent, content_type="application/json", headers=headers).status_code

    def reload(self) -> Connection:
        with tenant_scope(self.tenant):
            self.connection.refresh_from_db()
        return self.connection

    def seed(self, **what: Any) -> list[str]:
        """Put records into the stand-in; returns the ids of the leads."""
        with self.here.lock:
            return list(self.here.seed(what)["added"])

    def leads(self, *answers: dict[str, Any], **common: Any) -> list[str]:
        """People submit the form."""
        common.setdefault("at", datetime.now(UTC).isoformat())
        return self.seed(leads=[{"form": 9, "campaign": 5, "answers": each, **common} for each in answers])

    def fault(self, *faults: dict[str, Any]) -> None:
        self.place.faults.replace(list(faults))

    def sync(self) -> SyncRun:
        """One run, now."""
        return syncing.sync(self.reload())

    def work(self) -> None:
        """Let the worker do what is due."""
        wakeups.run_due()

    def asked(self, path: str) -> list[Any]:
        """The requests whose path has this in it."""
        return [entry for entry in self.place.journal.entries() if path in entry["target"]]

    def stored(self, **where: Any) -> dict[str, LeadSubmission]:
        with tenant_scope(self.tenant):
            rows = LeadSubmission.objects.filter(**where).select_related("contact", "lead", "form", "campaign")
            return {row.external_id: row for row in rows}

    def counts(self) -> tuple[int, int, int]:
        """(submissions, contacts, leads)."""
        with tenant_scope(self.tenant):
            return LeadSubmission.objects.count(), Contact.objects.count(), Lead.objects.count()

    def states(self) -> dict[str, int]:
        return dict(Counter(row.state for row in self.stored().values()))
