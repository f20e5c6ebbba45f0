"""What happened at a sample company: lived through week by week with the product's own verbs.

Nothing is back-dated by hand. Each step does what people would have done, lets the reactor, the journeys and the
sales clock work, and then lets days pass (`tenants.clock`). So every score, stage and trace is a true one.
"""

import random
from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from contacts import consent, people, timeline
from contacts.models import Role
from insights.sample.cast import Cast
from insights.sample.content import Content
from insights.sample.people import Company, Person
from leads import activities, lifecycle, opportunities
from leads.models import Activity, Lead, Stage
from messaging import figures, hits
from messaging.models import Hit, Link, Message
from pages import submissions, visits
from pages.submissions import Entered
from tenants import clock, wakeups
from tenants.scope import tenant_scope

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
OUTCOMES = ("Reached, interested", "Left a message", "Asked to call next week", "Wants an offer")
REJECTIONS = ("No budget this year", "Student, not a buyer", "Already decided for somebody else")


class Story:
    """One company's months. Every method opens its own scopes; call `week` to let time pass."""

    def __init__(self, cast: Cast, content: Content, rng: random.Random) -> None:
        self.cast, self.content, self.rng = cast, content, rng
        # The last message that people have had the time to react to.
        self.reacted_to = 0

    def import_people(self, found: Iterable[Person], companies: list[Company]) -> None:
        """The contacts that the company brought along; four in five had agreed to its newsletter."""
        with tenant_scope(self.cast.tenant):
            accounts = {c.domain: people.create_account(_company_values(c)) for c in companies}
            for place, person in enumerate(found):
                account = accounts[person.company.domain] if person.company else None
                contact = people.create_contact(_person_values(person), source="import", account=account)
                if self.rng.random() < 0.8:
                    consent.grant(contact, self.content.purpose, basis="opt-in", source="newsletter before Onward")
                if account and place % 7 == 0:
                    role = Role.Kind.DECISION_MAKER if "Head" in person.job_title else Role.Kind.INFLUENCER
                    Role.objects.create(account=account, contact=contact, kind=role, source="sales")
        self.work()

    def ask_for_guide(self, visitors: Iterable[Person]) -> None:
        """People fill in the guide's form; most tick the consent."""
        form, page = self.content.guide.form, self.content.guide
        assert form is not None
        with tenant_scope(self.cast.tenant):
            for person in visitors:
                values = {**_person_values(person), "company": person.company.name if person.company else ""}
                entered = Entered(values, {}, self.rng.random() < 0.9, f"sample-{self.rng.getrandbits(64):x}")
                submissions.submit(form, page, entered, tenant=self.cast.tenant)
        self.work()

    def week(self) -> None:
        """Let a week pass in two rounds: mail is delivered, people react a day later, and sales does its work."""
        for days in (2, 3):
            self.deliver()
            self.pass_days(1)
            self.react()
            self.sell()
            self.pass_days(days)

    def pass_days(self, days: int) -> None:
        clock.forward(self.cast.tenant, days)
        self.work()

    def work(self) -> None:
        """Let everything automatic happen that is due."""
        wakeups.run_due(budget=60)

    def deliver(self) -> None:
        """The mail server takes what is queued, without one: sample mail of the past never leaves the database."""
        now = timezone.now()
        with tenant_scope(self.cast.tenant), connection.cursor() as cursor:
            cursor.execute(
                """UPDATE messaging_message m SET state = 'sent', attempts = 1, finished_at = now(), version_id = v.id
                   FROM messaging_emailversion v
                   WHERE m.state = 'queued' AND v.email_id = m.email_id AND v.state = 'live'
                   RETURNING m.id"""
            )
            sent = [id_ for (id_,) in cursor.fetchall()]
            Message.objects.filter(state=Message.State.QUEUED, email=None).update(
                state=Message.State.SENT, finished_at=now
            )
            figures.count(figures.SENT, sent)
            timeline.record_select(
                "email.sent",
                """SELECT m.contact_id, m.email_id AS object_id, m.id AS message_id, m.journey_id, m.tile,
                          jsonb_build_object('email', e.name) AS detail
                   FROM messaging_message m JOIN messaging_email e ON e.id = m.email_id
                   WHERE m.id = ANY(%(sent)s)""",
                {"sent": sent},
                columns=["contact_id", "object_id", "message_id", "journey_id", "tile", "detail"],
            )
        self.work()

    def react(self) -> None:
        """Of the new mail three in five are opened, and two in three of those clicked; clickers see the page.

        What people do comes in as it does from the tracking door: as hits that are judged.
        """
        with tenant_scope(self.cast.tenant):
            fresh = Message.objects.filter(
                state="sent", pk__gt=self.reacted_to, contact__isnull=False, email__isnull=False
            )
            for message in fresh.select_related("contact", "email").order_by("pk"):
                self.reacted_to = message.pk
                if self.rng.random() > 0.6:
                    continue
                self._hit(message, Hit.Kind.OPEN)
                if self.rng.random() < 0.65:
                    self._click(message)
            wakeups.announce(hits.QUEUE)
        self.work()

    def come_back(self, count: int) -> None:
        """The warmest leads read their mail once more and click, until some of them are ready for sales."""
        warm = Lead.objects.filter(stage=Stage.ENGAGED, contact__isnull=False, score__isnull=False)
        with tenant_scope(self.cast.tenant):
            for lead in warm.select_related("contact").order_by("-score", "pk")[:count]:
                mail = Message.objects.filter(state="sent", contact=lead.contact, email__isnull=False)
                for message in mail.select_related("contact", "email").order_by("-pk")[:2]:
                    self._click(message)
            wakeups.announce(hits.QUEUE)
        self.work()

    def sell(self) -> None:
        """Reps answer most of the leads that they were handed, call, and close some."""
        with tenant_scope(self.cast.tenant):
            for lead in Lead.objects.filter(stage=Stage.HANDED_OFF).select_related("owner"):
                self._answer(lead)
            for lead in Lead.objects.filter(stage=Stage.SAL).select_related("owner", "contact"):
                self._follow_up(lead)
            for lead in Lead.objects.filter(stage=Stage.SQL).select_related("owner"):
                self._close(lead)
            overdue = Activity.objects.filter(done_at=None, due_at__lt=timezone.now(), owner__isnull=False)
            for activity in overdue.select_related("owner")[:20]:
                if activity.owner and self.rng.random() < 0.6:
                    activities.complete(activity, self.rng.choice(OUTCOMES), "", activity.owner)

    def _hit(self, message: Message, kind: str, link: Link | None = None) -> None:
        """A request from the recipient's browser, some minutes ago (hits are judged once they have settled)."""
        at = timezone.now() - timedelta(minutes=10 if kind == Hit.Kind.OPEN else 9)
        Hit.objects.create(
            message_id=message.pk, kind=kind, link_id=link.pk if link else None, at=at, user_agent=BROWSER
        )

    def _click(self, message: Message) -> None:
        links = list(Link.objects.filter(email=message.email).order_by("pk"))
        link = self.rng.choice(links)
        self._hit(message, Hit.Kind.CLICK, link)
        for slug, page in self.content.products.items():
            if f"/{slug}/" in link.url and message.contact:
                for _ in range(self.rng.choice((1, 1, 2))):
                    visits.record(page, contact=message.contact, visitor=None, url=link.url, referrer="")

    def _answer(self, lead: Lead) -> None:
        roll = self.rng.random()
        if lead.owner and roll < 0.45:
            lifecycle.accept(lead, lead.owner)
        elif lead.owner and roll < 0.53:
            lifecycle.reject(lead, self.rng.choice(REJECTIONS), lead.owner)

    def _follow_up(self, lead: Lead) -> None:
        roll = self.rng.random()
        if lead.owner and roll < 0.3:
            activities.log_call(
                by=lead.owner, lead=lead, outcome=self.rng.choice(OUTCOMES), notes="Spoke for ten minutes."
            )
        elif lead.owner and roll < 0.4:
            amount = self.rng.choice((18_000_00, 42_500_00, 96_000_00, 140_000_00))
            opportunities.qualify(lead, lead.owner, amount_minor=amount)

    def _close(self, lead: Lead) -> None:
        opportunity = lead.opportunities.filter(state="open").first()
        if opportunity is None or lead.owner is None or self.rng.random() > 0.08:
            return
        if self.rng.random() < 0.55:
            opportunities.win(opportunity, lead.owner)
        else:
            opportunities.lose(opportunity, "Chose another supplier", lead.owner)


def _person_values(person: Person) -> dict[str, str]:
    return {
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "job_title": person.job_title,
        "phone": person.phone,
        "country": person.country.code,
        "city": person.city,
        "time_zone": person.country.zone,
    }


def _company_values(company: Company) -> dict[str, str | int]:
    return {
        "name": company.name,
        "domain": company.domain,
        "country": company.country.code,
        "city": company.city,
        "industry": company.industry,
        "employees": company.employees,
    }
