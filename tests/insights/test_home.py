"""The home page of a company that has lived for some weeks: every number leads to exactly those whom it counts."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from django.test import Client

from insights import sample
from leads.models import Lead
from tenants.models import Member, Tenant
from tenants.postgres import partitions
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
Clients = Callable[..., Client]
# A number, perhaps with a word: "1,204", "12 new".
NUMBER = re.compile(r"^\s*([\d,.]+)\b")


class Numbers(HTMLParser):
    """(address, number) of every link of the page's main part whose text is a number or contains a figure."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, int]] = []
        self._address, self._is_strong, self._texts, self._strong = "", False, "", ""
        self.feed(markup[markup.index("<main") : markup.index("</main>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self._address, self._texts, self._strong = given.get("href") or "", "", ""
        if tag == "strong" or "columns-value" in (given.get("class") or ""):
            self._is_strong = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("strong", "span"):
            self._is_strong = False
        if tag == "a" and self._address:
            if match := NUMBER.match(self._strong or self._texts):
                self.found.append((unescape(self._address), int(match[1].replace(",", ""))))
            self._address = ""

    def handle_data(self, data: str) -> None:
        self._texts += data
        if self._is_strong:
            self._strong += data


@pytest.fixture
def ana() -> Member:
    """The owner of a small sample company that has lived for six weeks."""
    partitions.ensure_back_to(datetime.now(UTC) - timedelta(weeks=9))
    tenant = Tenant.objects.create(slug="acme", name="Acme", time_zone="Europe/Berlin", currency="EUR", is_sample=True)
    sample.live(tenant, companies=5, contacts=15, weeks=6, per_week=6, is_fresh=False)
    return Member.objects.select_related("tenant", "user").get(tenant=tenant, role=Member.Role.OWNER)


def rows_behind(client: Client, address: str) -> int:
    """How many rows the list at an address has, on all its pages."""
    return sum(page.count("<tr") - page.count("<thead") for page in pages(client, address))


def pages(client: Client, address: str) -> Iterator[str]:
    path, query = address.split("?")[0], address.partition("?")[2]
    while True:
        answer = client.get(f"{path}?{query}" if query else path)
        assert answer.status_code == 200, address
        markup = answer.content.decode()
        main = markup[markup.index("<main") : markup.index("</main>")]
        yield main
        following = re.search(r'rel="next" href="\?([^"]*)"', main)
        if following is None:
            return
        query = unescape(following[1])


def test_every_number_leads_to_exactly_those_whom_it_counts_and_stages_add_up(ana: Member, client_of: Clients) -> None:
    client = client_of(ana)
    numbers = Numbers(client.get("/insights/").content.decode()).found
    assert len(numbers) > 30
    assert sum(number for _address, number in numbers) > 100
    wrong = {address: (number, rows) for address, number in numbers if (rows := rows_behind(client, address)) != number}
    assert wrong == {}
    by_stage = sum(number for address, number in numbers if "?stage=" in address)
    with tenant_scope(ana.tenant):
        assert by_stage == Lead.objects.count() > 0
