"""Acme with an endpoint, and the receiver behind it."""

from datetime import timedelta
from typing import Any

from django.db.models import F

from contacts import timeline
from contacts.models import Contact
from integrations.models import Attempt, Delivery, Endpoint
from integrations.webhooks import endpoints
from integrations.webhooks.outbox import QUEUE
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.standins.receiver import Receiver

KINDS = ("email.clicked", "lead.stage_changed", "form.submitted")


class World:
    """Acme's webhooks, arranged outside any scope."""

    def __init__(self, tenant: Tenant, owner: Member, receiver: Receiver) -> None:
        self.tenant, self.owner, self.receiver = tenant, owner, receiver
        self.endpoint, self.secret = self.add("/in")
        receiver.secrets = [self.secret]

    def add(self, path: str, *kinds: str) -> tuple[Endpoint, str]:
        """Another endpoint at the receiver."""
        with tenant_scope(self.tenant):
            return endpoints.add(self.receiver.url + path, kinds or KINDS, description=path, by=self.owner)

    def contacts(self, count: int) -> list[int]:
        with tenant_scope(self.tenant):
            start = Contact.objects.count()
            rows = [Contact(email=f"p{start + n}@example.org", first_name=f"P{start + n}") for n in range(count)]
            return [row.pk for row in Contact.objects.bulk_create(rows)]

    def happen(self, contact: int | None, kind: str = "email.clicked", **values: Any) -> int:
        """Something happens; returns the fact's id."""
        with tenant_scope(self.tenant):
            return timeline.record(kind, contact=contact, **values)

    def run(self) -> None:
        """Let all workers do what is due now."""
        wakeups.run_due()

    def pass_time(self, **span: float) -> None:
        """Every wait of the deliveries, and every hold of the endpoints, is over so much sooner."""
        by = timedelta(**span)
        with tenant_scope(self.tenant):
            Delivery.objects.update(
                next_attempt_at=F("next_attempt_at") - by,
                leased_until=F("leased_until") - by,
            )
            Endpoint.objects.update(
                held_until=F("held_until") - by,
                failing_since=F("failing_since") - by,
                previous_until=F("previous_until") - by,
            )
            wakeups.announce(QUEUE)
        self.run()

    def deliveries(self) -> list[Delivery]:
        with tenant_scope(self.tenant):
            return list(Delivery.objects.order_by("pk"))

    def states(self) -> list[str]:
        return [row.state for row in self.deliveries()]

    def attempts(self) -> list[Attempt]:
        with tenant_scope(self.tenant):
            return list(Attempt.objects.order_by("pk"))

    def refresh(self) -> Endpoint:
        with tenant_scope(self.tenant):
            self.endpoint.refresh_from_db()
        return self.endpoint

    def told(self) -> list[int]:
        """The ids of the facts that the receiver took, in order."""
        return [call.json["data"]["id"] for call in self.receiver.taken()]
