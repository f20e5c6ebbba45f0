"""A small world to travel in: contacts, a segment, an e-mail with links, and journeys built in a line."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from contacts import timeline
from contacts.models import Contact
from journeys import publishing, tree
from journeys.deciding import SETTLE
from journeys.models import Journey, JourneyVersion, Participant
from messaging.models import Email, EmailVersion, Link, Message
from segments.models import Segment, SegmentMember
from tenants import wakeups
from tenants.models import Tenant
from tenants.scope import tenant_scope

Step = tuple[str, dict[str, Any]]


class World:
    """Acme's journeys, arranged outside any scope."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        with tenant_scope(tenant):
            self.segment = Segment.objects.create(name="Prospects", kind="static", state="live")
            self.email = Email.objects.create(name="Hello", designation="transactional")
            EmailVersion.objects.create(email=self.email, state="live", subject="Hello")
            self.links = [
                Link.objects.create(email=self.email, key=f"l{n}", label=f"Link {n}", url=f"https://example.org/{n}")
                for n in range(3)
            ]

    def contacts(self, count: int, **values: Any) -> list[int]:
        """So many new contacts, members of the segment."""
        with tenant_scope(self.tenant):
            start = Contact.objects.count()
            made = Contact.objects.bulk_create(
                Contact(email=f"p{n}@example.org", first_name=f"P{n}", consent_level=4, **values)
                for n in range(start, start + count)
            )
            SegmentMember.objects.bulk_create(SegmentMember(segment=self.segment, contact=one) for one in made)
            return [one.pk for one in made]

    def crowd(self, count: int) -> None:
        """Very many new contacts, members of the segment, by two statements."""
        with tenant_scope(self.tenant), connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO contacts_contact (email, first_name, last_name, sort_key, job_title, phone, country,
                       city, time_zone, language, linkedin_url, external_id, source, consent_level, do_not_email,
                       do_not_bulk_email, do_not_phone, do_not_track, custom, is_active)
                   SELECT 'c' || n || '@example.org', 'C', n::text, n::text, '', '', '', '', '', '', '', '', '', 4,
                       false, false, false, false, '{}', true
                   FROM generate_series(1, %s) n""",
                [count],
            )
            cursor.execute(
                "INSERT INTO segments_segmentmember (segment_id, contact_id) SELECT %s, id FROM contacts_contact",
                [self.segment.pk],
            )

    def journey(self, *steps: Step, name: str = "Nurture", live: bool = True, **values: Any) -> Journey:
        """A journey for the segment whose steps follow each other by their first branches."""
        with tenant_scope(self.tenant):
            journey = Journey.objects.create(name=name, **values)
            shape = tree.new()
            key = shape["root"]
            shape["tiles"][key]["settings"] = {
                "source": "segments", "include": [self.segment.pk], "match": "any", "exclude": [],
            }  # fmt: skip
            for kind, settings in steps:
                branch = tree.registry.branches(shape["tiles"][key])[0]
                key = tree.insert(shape, kind, key, branch, settings)
            JourneyVersion.objects.create(journey=journey, tiles=shape)
        if live:
            self.go_live(journey)
        return journey

    def branch(self, event: str) -> Journey:
        """A draft: an e-mail, then whether `event` happens to it within a day."""
        email = ("email", {"email": self.email.pk, "expires_at": None})
        journey = self.journey(email, ("if_then", {"event": event, "amount": 1, "unit": "days"}), live=False)
        with tenant_scope(self.tenant):
            version = journey.versions.get()
            mailed, asked = self.tiles(journey)[1:]
            version.tiles["tiles"][asked]["settings"]["email_tile"] = mailed
            version.save()
        return journey

    def go_live(self, journey: Journey, **how: Any) -> None:
        with tenant_scope(self.tenant):
            publishing.go_live(journey, None, **how)

    def tiles(self, journey: Journey) -> list[str]:
        """The keys of the newest version's tiles, root first."""
        with tenant_scope(self.tenant):
            version = journey.versions.order_by("-number").first()
            assert version is not None
            return [place.key for place in tree.walk(version.tiles)]

    def run(self) -> None:
        """Let all workers do what is due now."""
        wakeups.run_due()

    def look_soon(self) -> None:
        """Bring forward what the engine would look at within its settling time."""
        with tenant_scope(self.tenant):
            Participant.objects.filter(state="active", due_at__lte=timezone.now() + SETTLE).update(due_at=Now())
            wakeups.announce("journeys")
        self.run()

    def pass_time(self, **span: float) -> None:
        """Everybody's waits are over so much sooner."""
        by = timedelta(**span)
        with tenant_scope(self.tenant):
            active = Participant.objects.filter(state="active")
            active.update(
                due_at=F("due_at") - by,
                deadline_at=F("deadline_at") - by,
                arrived_at=F("arrived_at") - by,
                entered_at=F("entered_at") - by,
            )
            wakeups.announce("journeys")
        self.run()
        self.look_soon()

    def people(self, journey: Journey) -> list[Participant]:
        with tenant_scope(self.tenant):
            return list(Participant.objects.filter(journey=journey).order_by("pk"))

    def click(self, contact_id: int, link: int = 0) -> int:
        """The contact clicks a link in the latest message that she got; returns the fact's id."""
        with tenant_scope(self.tenant):
            message = Message.objects.filter(contact_id=contact_id).order_by("-pk").first()
            assert message is not None
            return timeline.record(
                "email.clicked",
                contact=contact_id,
                object_id=self.email.pk,
                link_id=self.links[link].pk,
                message_id=message.pk,
                journey_id=message.journey_id,
                tile=message.tile,
                detail={"email": "Hello", "link": f"Link {link}"},
            )
