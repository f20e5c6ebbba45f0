"""What tests of segments arrange and look at, each in a scope of its own with a real commit."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from contacts import timeline
from contacts.models import Account, Contact, Interaction
from segments import lifecycle
from segments.models import Segment, SegmentMember
from tenants.models import Tenant
from tenants.postgres import partitions
from tenants.scope import tenant_scope
from tests.segments import world  # noqa: F401  registers the kinds of facts


class Stage:
    """A tenant on which things happen."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def person(self, name: str, *, company: Account | None = None, **values: Any) -> Contact:
        """A contact, e.g. `person("Amara", job_title="Head of Sales")`."""
        with tenant_scope(self.tenant):
            return Contact.objects.create(first_name=name, account=company, **values)

    def segment(self, rule: Any, name: str = "Segment") -> Segment:
        """A live segment with the rule, not evaluated yet."""
        with tenant_scope(self.tenant):
            segment = lifecycle.create({"name": name, "rule": rule}, None)
            lifecycle.go_live(segment, None)
            return segment

    def happened(self, kind: str, contact: Contact, *, days_ago: float = 0, **values: Any) -> int:
        """Record a fact now, as of some days ago."""
        at = timezone.now() - timedelta(days=days_ago) if days_ago else None
        with tenant_scope(self.tenant):
            return timeline.record(kind, contact=contact, occurred_at=at, **values)

    def members(self, segment: Segment) -> set[str]:
        """The first names of the segment's members."""
        with tenant_scope(self.tenant):
            rows = SegmentMember.objects.filter(segment=segment)
            return set(rows.values_list("contact__first_name", flat=True))

    def entries(self, segment: Segment) -> list[tuple[str, str]]:
        """What the timeline says of the segment: (entered or left, first name), in order."""
        with tenant_scope(self.tenant):
            names = dict(Contact.objects.values_list("pk", "first_name"))
            rows = Interaction.objects.filter(object_id=segment.pk, kind__startswith="segment.").order_by("id")
            return [(row.kind.removeprefix("segment."), names[row.contact_id]) for row in rows]

    def later(self, step: timedelta) -> None:
        """Let time pass, for facts, clocks and wakeups."""
        partitions.ensure_back_to(timezone.now() - step - timedelta(days=40))
        with tenant_scope(self.tenant), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE contacts_interaction SET occurred_at = occurred_at - %s, recorded_at = recorded_at - %s",
                [step, step],
            )
            cursor.execute("UPDATE segments_segmentclock SET next_change_at = next_change_at - %s", [step])
            cursor.execute("UPDATE tenants_wakeup SET due_at = due_at - %s", [step])

    def reload(self, segment: Segment) -> Segment:
        with tenant_scope(self.tenant):
            return Segment.objects.get(pk=segment.pk)
