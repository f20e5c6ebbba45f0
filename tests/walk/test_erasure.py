"""Nothing of an erased person is left: every table that may hold something about people has its rule, and the rules
are tried on somebody who did everything."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from contacts import consent, deletion, erasure, merging, people, registry
from contacts.models import Contact, Interaction, Purpose, SavedView
from integrations.connections import verbs
from integrations.models import LeadSubmission
from journeys.models import Visit
from leads import activities, lifecycle, opportunities
from leads.models import Lead
from messaging import outbox, outcomes
from messaging.models import CaughtMail, Email, EmailVersion, Hit, Message
from pages import tokens
from pages.models import Form, Page
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.postgres.base import is_tenants
from tenants.scope import tenant_scope
from tests.journeys.world import World
from tests.leads.files import as_csv, begin, go

# What the tables of tenants that no eraser looks after hold, and why it is nobody's.
IMPERSONAL = {
    "contacts.Account": "a company",
    "contacts.Field": "the tenant's own words for fields",
    "contacts.Purpose": "the tenant's own words for purposes",
    "contacts.Received": "a provider's ids of events",
    "contacts.SearchBacklog": "ids of records that search has yet to read",
    "contacts.ReaderCursor": "how far a reader has come",
    "integrations.AdAccount": "an ad account of the tenant's own",
    "integrations.AdCampaign": "written by marketers",
    "integrations.Connection": "another system's address, and our key to it",
    "integrations.CrmCursor": "how far a CRM's changes have been read",
    "integrations.Endpoint": "another system's address",
    "integrations.FieldMapping": "names of fields and columns",
    "integrations.Pace": "how a CRM wants to be called",
    "integrations.RemoteTable": "what a CRM's columns can hold",
    "integrations.SalesUser": "who works in a CRM, and which member that is",
    "integrations.LeadCount": "numbers",
    "integrations.LeadForm": "written by marketers",
    "integrations.LeadFormMapping": "where the answers to questions go",
    "integrations.LeadFormVersion": "written by marketers",
    "integrations.LeadInbox": "a key of the tenant's own",
    "integrations.SyncRun": "numbers",
    "journeys.Journey": "written by marketers",
    "journeys.JourneyVersion": "written by marketers",
    "journeys.TileFigure": "numbers",
    "leads.ImportMapping": "names of columns and where they go",
    "leads.LeadClock": "moments",
    "leads.Territory": "countries",
    "leads.TerritoryMember": "which member looks after which countries",
    "messaging.AddressKey": "a random key",
    "messaging.ContentSettings": "the sender's own details",
    "messaging.Email": "written by marketers",
    "messaging.EmailVersion": "written by marketers",
    "messaging.Link": "written by marketers",
    "messaging.MessageFigure": "numbers",
    "messaging.LinkClick": "the numbers of a message and a link",
    "pages.Form": "written by marketers",
    "pages.Page": "written by marketers",
    "scoring.Grade": "names of ranges",
    "scoring.ScoringModel": "written by marketers",
    "scoring.ScoringRule": "written by marketers",
    "segments.Segment": "written by marketers",
    "tenants.Setting": "the tenant's settings",
}
# Rows of leads that stay when their contact goes: points with a reason that a model or a journey gives.
IMPERSONAL |= {"scoring.Score": "points of a lead", "scoring.ScoreEntry": "points of a lead, and which rule gave them"}

ADDRESS, FORMER = "zyx.quorvath@erasable.example", "zyxina@former.example"
NAMES = ("Zyxina", "Quorvath")
PHONE = "+4930901820"
ASKED = ("email", "first_name", "last_name", "phone")
# Everything that says who it was.
TRACES = ("zyx", "quorvath", "30901820", "qwortal", "203.0.113.77", "Erasable-Browser", "former.example")


def goes_with_a_contact(model: type[models.Model]) -> bool:
    """Whether the database deletes its rows with the contact they belong to."""
    return any(
        field.related_model is Contact and getattr(field.remote_field, "on_delete", None) is models.CASCADE
        for field in model._meta.local_fields
    )


def test_every_table_of_a_tenant_goes_with_the_contact_or_has_a_rule_for_erasure_or_holds_nothing_of_people() -> None:
    looked_after = {label for eraser in registry.erasers for label in eraser.tables}
    of_tenants = {model._meta.label: model for model in apps.get_models() if is_tenants(model)}
    without = {
        label
        for label, model in of_tenants.items()
        if model is not Contact and not goes_with_a_contact(model) and label not in looked_after | IMPERSONAL.keys()
    }
    assert without == set()
    assert looked_after <= of_tenants.keys()
    assert not looked_after & IMPERSONAL.keys()


def test_no_table_counts_as_impersonal_that_has_a_person_s_column() -> None:
    """Of those, a reference to a contact, an address or a browser would be a mistake of the list."""
    telling = {"contact_id", "as_contact_id", "visitor_id", "address", "recipient", "ip", "user_agent", "first_name"}
    found = {
        f"{label}.{field.attname}"
        for label in IMPERSONAL
        for model in apps.get_models()
        if model._meta.label == label and not goes_with_a_contact(model)
        for field in model._meta.local_fields
        if field.attname in telling
    }
    assert found == set()


def traces() -> Iterator[str]:
    """Every row of every tenant's table, as text, that says who she was."""
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if not is_tenants(model):
                continue
            table = model._meta.db_table
            for trace in TRACES:
                cursor.execute(f'SELECT count(*) FROM "{table}" AS r WHERE r::text ILIKE %s', [f"%{trace}%"])
                if count := cursor.fetchone()[0]:
                    yield f"{table}: {trace} ({count})"


@pytest.fixture
def lived(transactional_db: None, acme: Tenant, ana: Member, sam: Member, client_of) -> int:
    """Zyxina Quorvath's id: she has left something in every room of the house."""
    world = World(acme)
    with tenant_scope(acme):
        purpose = Purpose.objects.create(key="news", name="News", is_default=True)
        form = Form.objects.create(
            name="Guide",
            consent="optional",
            purpose=purpose,
            consent_text="Yes",
            fields=[
                {"key": k, "label": k, "is_required": False} for k in ("email", "first_name", "last_name", "phone")
            ],
        )
        Page.objects.create(name="Guide", slug="guide", state="live", form=form)
        asked = urlencode({"q": ADDRESS})
        SavedView.objects.create(page="contacts", name="One person", query=asked, member=ana)
    browser = Client(headers={"user-agent": "Erasable-Browser"}, REMOTE_ADDR="203.0.113.77")
    browser.post("/p/acme/guide/recognise/")
    browser.post("/p/acme/guide/visit/", {"url": f"https://acme.example/?who={NAMES[0]}"})
    entered = {"email": FORMER.title(), "first_name": NAMES[0], "last_name": NAMES[1], "phone": PHONE, "consent": "on"}
    sent = browser.post("/p/acme/guide/", {**entered, "secret": "qwortal", "token": tokens.form_token(form.pk)})
    assert sent.status_code == 302
    wakeups.run_due()
    with tenant_scope(acme):
        her = Contact.objects.get(email=FORMER)
        world_of(world, her)
    wakeups.run_due()
    with tenant_scope(acme):
        people.update_contact(her, {"email": ADDRESS, "city": "Qwortal"}, by=ana)
        people.write_note("Qwortal, says Zyxina", by=ana, contact=her)
        twin = people.create_contact({"first_name": NAMES[0], "last_name": NAMES[1], "phone": PHONE})
        other = people.create_contact({"first_name": "Bela", "last_name": "Other"})
        merging.undo(merging.merge(other, twin, by=ana), by=ana)
        merging.merge(her, twin, by=ana)
        work_of_sales(her, sam)
        mail_of(her, acme)
        submissions_of(her, ana)
        consent.refuse(her, purpose, source=f"told by {NAMES[0]}")
    file_with(acme)
    with tenant_scope(acme):
        her.refresh_from_db()
        deletion.deactivate(her, by=ana)
    wakeups.run_due()
    client_of(ana).get(f"/audience/contacts/{her.pk}/")
    return her.pk


def submissions_of(her: Contact, ana: Member) -> None:
    """She has submitted a LinkedIn form, and once more under another address, which made nobody."""
    connection = verbs.add("linkedin", "LinkedIn", by=ana)
    for number, contact in enumerate([her, None]):
        LeadSubmission.objects.create(
            connection=connection,
            external_id=f"li-{number}",
            channel="api",
            submitted_at=timezone.now(),
            contact=contact,
            answers=[{"question": "1", "text": NAMES[0]}, {"question": "2", "text": f"{NAMES[0]} {NAMES[1]}"}],
            reason=f"{NAMES[0]} {NAMES[1]}",
        )


def world_of(world: World, her: Contact) -> None:
    """She travels in a journey, and waits there."""
    from segments.models import SegmentMember

    SegmentMember.objects.get_or_create(segment=world.segment, contact=her)
    world.journey(("wait", {"how": "for", "amount": 3, "unit": "days"}), ("email", {"email": world.email.pk}))


def work_of_sales(her: Contact, sam: Member) -> None:
    """Sam is told of her lead, calls her, and loses the deal; another lead of hers was never linked."""
    lead = Lead.objects.get(contact=her)
    lifecycle.make_mql(lead, reason=f"{NAMES[0]} asked for it")
    lifecycle.hand_off(lead, member=sam)
    lifecycle.accept(Lead.objects.get(pk=lead.pk), sam)
    activities.log_call(by=sam, lead=lead, outcome=f"{NAMES[0]} is in", notes="qwortal")
    deal = opportunities.qualify(
        Lead.objects.get(pk=lead.pk), sam, name=f"Pumps for {NAMES[0]} {NAMES[1]}", amount_minor=100
    )
    opportunities.lose(deal, f"{NAMES[1]} has no budget", sam)
    values = {"email": FORMER, "last_name": NAMES[1], "description": "qwortal"}
    loose = lifecycle.create_lead(f"{NAMES[0]} {NAMES[1]} asks", values=values, source="call")
    activities.create("task", f"Call {NAMES[0]}", lead=loose, notes="qwortal", by=sam)


def file_with(acme: Tenant) -> None:
    """A file comes in that has her in it, twice: once so that nobody can read it."""
    rows = [
        ["mail", "first name", "last name", "city"],
        [ADDRESS, *NAMES, "Zyxberg"],
        ["no address", *NAMES, "Zyxberg"],
    ]
    batch = begin(acme, as_csv(rows))
    go(acme, batch, "leads.import_trial")
    go(acme, batch)


def mail_of(her: Contact, acme: Tenant) -> None:
    email = Email.objects.create(name="Spring")
    version = EmailVersion.objects.create(email=email, state="live")
    failed = outbox.order("m1", contact=her, email=email)
    assert failed is not None
    Message.objects.filter(pk=failed.pk).update(
        state="failed", reason=f"550 5.1.1 <{ADDRESS}> unknown", version_id=version.pk
    )
    outcomes.tell("email.hard_bounced", [failed.pk], with_reason=True)
    outcomes.suppress_hard([failed.pk])
    Hit.objects.create(message_id=failed.pk, kind="open", ip="203.0.113.77", user_agent="Erasable-Browser")
    outbox.order_notice("n1", ADDRESS, "Please confirm", f"Dear {NAMES[0]}")
    outbox.order_notice("n2", "ana@acme.example", f"New lead: {NAMES[0]} {NAMES[1]}", "qwortal")
    CaughtMail.objects.create(sender="a@acme.example", recipient=ADDRESS, raw="Dear Zyxina")
    CaughtMail.objects.create(sender="a@acme.example", recipient="ana@acme.example", raw="About Zyxina Quorvath")


def test_nothing_says_who_an_erased_person_was(acme: Tenant, lived: int) -> None:
    with tenant_scope(acme):
        assert len({trace.partition(":")[0] for trace in traces()}) > 15
        facts, visits = Interaction.objects.count(), Visit.objects.count()
        erasure.erase([lived], by=None)
        assert list(traces()) == []
        assert not Contact.objects.filter(pk=lived).exists()
        assert Interaction.objects.count() >= facts
        assert Visit.objects.count() == visits > 0
        assert not Interaction.objects.filter(contact_id=lived).exists()
        assert not Visit.objects.filter(contact_id=lived).exists()
