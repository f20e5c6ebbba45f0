"""By when messaging forgets what it keeps of everybody."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging import erasing, outbox
from messaging.models import CaughtMail, Email, Message
from tenants import housekeeping
from tenants.models import Tenant
from tenants.scope import tenant_scope


def days_ago(count: int) -> Any:
    return timezone.now() - timedelta(days=count)


def test_mails_of_the_catcher_go_after_thirty_days_in_every_company(acme: Tenant, rival: Tenant) -> None:
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            for age in (31, 29):
                mail = CaughtMail.objects.create(sender="a@b.example", recipient=f"{age}@b.example", raw="x")
                CaughtMail.objects.filter(pk=mail.pk).update(at=days_ago(age))
    erasing.prune()
    for tenant in (acme, rival):
        with tenant_scope(tenant):
            assert list(CaughtMail.objects.values_list("recipient", flat=True)) == ["29@b.example"]


def test_a_notices_text_goes_thirty_days_after_it_went_out_and_what_waits_stays(acme: Tenant) -> None:
    with tenant_scope(acme):
        for key, state, age in (("old", "sent", 31), ("new", "sent", 29), ("waits", "queued", 31)):
            outbox.order_notice(key, "ana@acme.example", "New lead: Amara", "Text")
            finished = None if state == "queued" else days_ago(age)
            Message.objects.filter(key=key).update(state=state, finished_at=finished, queued_at=days_ago(age))
    erasing.prune()
    with tenant_scope(acme):
        kept = {message.key: bool(message.content) for message in Message.objects.all()}
        assert kept == {"old": False, "new": True, "waits": True}


def test_an_emails_messages_are_no_notices(acme: Tenant, email: Email, person: Any) -> None:
    amara = person("amara")
    with tenant_scope(acme):
        outbox.order("one", contact=amara, email=email)
        Message.objects.update(state="sent", finished_at=days_ago(99))
    erasing.prune()
    with tenant_scope(acme):
        assert Message.objects.get().address == amara.email


def test_all_is_pruned_when_there_is_more_than_a_batch(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BATCH", 2)
    with tenant_scope(acme):
        for n in range(5):
            CaughtMail.objects.create(sender="a@b.example", recipient=f"{n}@b.example", raw="x")
        CaughtMail.objects.update(at=days_ago(31))
    housekeeping.run()
    with tenant_scope(acme):
        assert not CaughtMail.objects.exists()
