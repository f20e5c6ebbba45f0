"""The numbers of journeys: people and mail, in the list and on the tiles, each leading to those behind it."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from contacts.models import Contact
from journeys import figures, people, queries, results
from journeys.models import Journey, Participant
from messaging import figures as mail_figures
from messaging import hits, publishing, unsubscribing
from messaging.designs import blocks
from messaging.models import ContentSettings, Hit, Message
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.journeys.world import Step, World
from tests.standins.smtp import MailServer

pytestmark = pytest.mark.django_db(transaction=True)
WAIT: Step = ("wait", {"how": "for", "amount": 3, "unit": "days"})
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


@pytest.fixture
def server(world: World, max_: Member, settings: Any, tmp_path: Path) -> Iterator[MailServer]:
    """The configured mail server, and an e-mail that it can be sent."""
    cache.clear()
    with tenant_scope(world.tenant):
        ContentSettings.objects.create(
            name="Acme", is_default=True, from_name="Acme", from_email="news@acme.example", postal_address="Köln"
        )
        block = blocks.new("button", label="Read on", url="https://acme.example/")
        publishing.save_draft(world.email, subject="Hello", blocks=[block])
        publishing.go_live(world.email, max_)
    with MailServer() as server:
        settings.EMAIL_CONFIG = {**settings.EMAIL_CONFIG, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": server.port}
        settings.VAR_DIR = tmp_path
        yield server


def an_hour_passes(world: World) -> None:
    """Since the mail was sent: who reacts at once is taken for a machine."""
    with tenant_scope(world.tenant):
        Message.objects.filter(state="sent").update(finished_at=timezone.now() - timedelta(hours=1))


def do(world: World, contact_id: int, kind: str, times: int = 1) -> None:
    """The contact opens or clicks in her message, so many times."""
    with tenant_scope(world.tenant):
        message = Message.objects.get(contact_id=contact_id)
        for minutes in range(times):
            Hit.objects.create(
                message_id=message.pk,
                kind=kind,
                link_id=world.links[0].pk if kind == "click" else None,
                at=timezone.now() - timedelta(minutes=5 + 20 * minutes),
                user_agent=BROWSER,
            )
    hits.work(world.tenant.pk, float("inf"))


def test_mail_is_counted_once_per_message_and_folding_keeps_the_sums(
    world: World, email_step: Step, server: MailServer
) -> None:
    reader, clicker, bounced, _silent = world.contacts(4)
    with tenant_scope(world.tenant):
        server.refuse[Contact.objects.get(pk=bounced).email] = "550 5.1.1 No such user"
    journey = world.journey(email_step, WAIT)
    world.run()
    an_hour_passes(world)
    do(world, reader, "open", times=3)
    do(world, clicker, "click", times=2)
    do(world, clicker, "open")
    tile = world.tiles(journey)[1]
    with tenant_scope(world.tenant):
        for _turn in range(2):
            mail = results.of_tiles(journey.pk)[tile]
            assert (mail.sent, mail.opened, mail.clicked, mail.failed) == (3, 2, 1, 1)
            assert round(mail.open_rate or 0) == 67
            assert mail.failure_rate == 25.0
            assert results.of_journeys([journey.pk])[journey.pk].counts == mail.counts
            mail_figures.fold()
        assert mail_figures.MessageFigure.objects.count() == 4, "one row per thing and day"
        for what in mail_figures.WHAT:
            assert queries.messages(journey, what, tile).count() == mail.counts.get(what, 0)


def test_an_unsubscription_is_counted_once(world: World, email_step: Step, server: MailServer) -> None:
    (contact,) = world.contacts(1)
    journey = world.journey(email_step)
    world.run()
    with tenant_scope(world.tenant):
        message = Message.objects.select_related("email", "contact").get(contact_id=contact)
        for again in (True, False):
            subject = unsubscribing.Subject(message.contact, None, message)
            assert unsubscribing.unsubscribe(subject, source="link") is again
            message.contact.refresh_from_db()
        assert results.of_tiles(journey.pk)[world.tiles(journey)[1]].counts["unsubscribed"] == 1


def numbers_of(page: str) -> dict[str, tuple[int, str]]:
    """By label: the number and the address that it leads to."""
    found = re.findall(r"<dt>(\w+)</dt><dd><a href=\"/t/acme([^\"]+)\">(\d+)</a>", page)
    return {label: (int(number), path.replace("&amp;", "&")) for label, path, number in found}


def test_the_sums_of_a_tile_close_and_each_number_leads_to_its_people(
    world: World, max_: Member, client_of: Callable, email_step: Step
) -> None:
    gone, stopped, *_others = world.contacts(9)
    journey = world.journey(WAIT, ("split", {"shares": [40]}), WAIT)
    world.run()
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=stopped).update(is_active=False)
        people.take_out(Participant.objects.get(contact_id=gone), max_)
    world.pass_time(days=4)
    client = client_of(max_)
    page = client.get(f"/journeys/{journey.pk}/").content.decode()
    tiles = page.split('<article class="tile')[1:]
    assert len(tiles) == 4
    for tile in tiles:
        numbers = numbers_of(tile)
        assert numbers["In"][0] == numbers["Waiting"][0] + numbers["Out"][0] + numbers["Stopped"][0]
        for number, path in numbers.values():
            assert client.get(path).content.decode().count("/journeys/people/") == number, path
    assert numbers_of(tiles[1])["Stopped"][0] == 2, "taken out and stopped"
    ways = re.findall(r"href=\"/t/acme([^\"]+way=[^\"]+)\">(\d+)</a>", page)
    assert sum(int(number) for _path, number in ways) == numbers_of(tiles[2])["Out"][0] == 7
    for path, number in ways:
        listed = client.get(path.replace("&amp;", "&")).content.decode()
        assert listed.count("/journeys/people/") == int(number)
        assert "Those who went “" in listed


def test_the_list_has_people_and_mail_of_every_journey_and_its_sums_close(
    world: World, max_: Member, client_of: Callable, email_step: Step, server: MailServer
) -> None:
    reader, stopped, _third = world.contacts(3)
    journey = world.journey(email_step, WAIT)
    world.run()
    an_hour_passes(world)
    do(world, reader, "open")
    with tenant_scope(world.tenant):
        Contact.objects.filter(pk=stopped).update(is_active=False)
    world.pass_time(days=4)
    world.contacts(2)
    with tenant_scope(world.tenant):
        Journey.objects.update(enrolled_to=0)
    world.pass_time(hours=1)
    with tenant_scope(world.tenant):
        numbers = queries.numbers([journey])[journey.pk]
        states = list(Participant.objects.values_list("state", flat=True))
    assert numbers == (5, 2, 2, 1)
    assert numbers.entered == numbers.under_way + numbers.through + numbers.stopped
    assert (states.count("active"), states.count("done"), states.count("stopped")) == numbers[1:]
    client = client_of(max_)
    page = client.get("/journeys/").content.decode()
    row = page.split('class="row-title"')[1]
    cells = re.findall(r"<td class=\"num\" data-label=\"([^\"]+)\"><a href=\"/t/acme([^\"]+)\">(\d+)</a>", row)
    assert [(label, int(number)) for label, _path, number in cells] == [
        ("Entered", 5), ("Under way", 2), ("Through", 2), ("Stopped", 1),
        ("E-mails sent", 5), ("Opened", 1), ("Clicked", 0), ("Bounced", 0),
    ]  # fmt: skip
    for label, path, number in cells:
        listed = client.get(path).content.decode()
        found = listed.count("/journeys/people/") if "people" in path else listed.count('data-label="State"')
        assert found == int(number), label


def test_numbers_that_do_not_exist_are_not_found(world: World, max_: Member, client_of: Callable) -> None:
    journey = world.journey(WAIT)
    client = client_of(max_)
    assert client.get(f"/journeys/{journey.pk}/mail/eaten/").status_code == 404
    for strange in ("?tile=%27&state=in", "?tile=x&state=nothing", "?state=out", "?tile=x&state=out&way=%22"):
        assert client.get(f"/journeys/{journey.pk}/people/{strange}").status_code == 200


def test_the_figures_of_a_tile_close_in_the_database_too(world: World, email_step: Step) -> None:
    world.contacts(6)
    journey = world.journey(email_step, ("split", {"shares": [50]}), WAIT)
    world.run()
    with tenant_scope(world.tenant):
        found: dict[str, Any] = figures.of_journey(journey)
        assert found
        assert all(figure.is_closed for figure in found.values())
