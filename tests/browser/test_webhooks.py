"""An owner's way with webhooks: add one, see its secret, see a delivery arrive, fail, and be sent again."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from contacts import timeline
from contacts.models import Contact
from integrations.models import Delivery
from tenants import wakeups
from tenants.models import Member, Tenant
from tenants.scope import tenant_scope
from tests.browser.conftest import check_accessibility, check_reflow, screenshot
from tests.standins.receiver import Receiver, Say

SignIn = Callable[[Page, Member], None]


def click(tenant: Tenant, contact: Contact) -> None:
    with tenant_scope(tenant):
        timeline.record("email.clicked", contact=contact, detail={"email": "Spring offer", "link": "Prices"})
    wakeups.run_due()


def test_an_owner_adds_a_webhook_watches_it_and_sends_again(
    page: Page, acme: Tenant, ana: Member, sign_in: SignIn, settings: Any
) -> None:
    with tenant_scope(acme):
        amara = Contact.objects.create(email="amara@firma.example", first_name="Amara", last_name="Okafor")
    with Receiver() as receiver:
        settings.SANDBOX_ORIGINS = [receiver.url]
        sign_in(page, ana)
        page.get_by_role("link", name="Webhooks").click()
        expect(page.get_by_text("No webhook yet")).to_be_visible()
        page.get_by_role("link", name="Add the first one").click()
        page.expected_errors.append("422")  # type: ignore[attr-defined]
        page.get_by_label("Address", exact=True).fill("https://127.1/in")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("Choose at least one event.")
        page.get_by_label("Address", exact=True).fill(f"{receiver.url}/in")
        page.get_by_label("Description").fill("Our data warehouse")
        page.get_by_label("email.clicked").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1, name="The signing secret")).to_be_visible()
        check_accessibility(page)
        check_reflow(page)
        screenshot(page, "webhooks-secret")
        secret = page.locator("code").inner_text()
        receiver.secrets = [secret]
        page.get_by_role("link", name="I have copied it").click()
        page.get_by_role("button", name="Send test").click()
        expect(page.get_by_role("status").first).to_contain_text("on its way")
        click(acme, amara)
        receiver.script = [Say(400, b"no such list")]
        click(acme, amara)
        assert [call.status for call in receiver.calls] == [200, 200, 400]
        page.reload()
        expect(page.get_by_role("row")).to_have_count(4)
        page.get_by_role("link", name="Failed").click()
        expect(page.get_by_role("row")).to_have_count(2)
        page.get_by_role("link", name="Clicked").click()
        expect(page.get_by_text("no such list")).to_be_visible()
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_role("status").first).to_contain_text("It is sent again.")
        wakeups.run_due()
        page.reload()
        expect(page.get_by_text("Attempt 2")).to_be_visible()
        assert len({call.id for call in receiver.calls}) == 3
        page.get_by_role("link", name="Our data warehouse").click()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("Paused: what happens is kept")).to_be_visible()
        page.get_by_role("link", name="Webhooks").first.click()
    with tenant_scope(acme):
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
