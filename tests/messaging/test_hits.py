"""Who opened and clicked: people's deeds reach the timeline, machines' do not."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from contacts.models import Consent, Contact, Interaction
from messaging import hits, outbox
from messaging.models import Hit, Link, LinkClick, Message
from messaging.verdicts import Seen, judge
from tenants.scope import tenant_scope

BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Safari/605"
SENT = datetime(2026, 3, 1, 12, tzinfo=timezone.get_fixed_timezone(0))


def seen(kind: str, seconds: float, link: int | None = None, agent: str = BROWSER, *reasons: str) -> Seen:
    return Seen(kind, link, SENT + timedelta(seconds=seconds), agent, reasons)


@pytest.mark.parametrize(
    ("hit", "others", "verdict", "reason"),
    [
        (seen("click", 60, 1), [], "human", "browser"),
        (seen("open", 60), [], "human", "browser"),
        (seen("click", 60, 1, "MyReader 2.0"), [], "unknown", "no_browser"),
        (seen("open", 60, None, "Mozilla/5.0 (Windows NT 5.1) GoogleImageProxy"), [], "unknown", "image_proxy"),
        (seen("open", 60, None, "Mozilla/5.0"), [], "machine", "apple_proxy"),
        (seen("click", 60, 1, "Mozilla/5.0"), [], "unknown", "no_browser"),
        (seen("open", 1), [], "machine", "at_delivery"),
        (seen("click", 2, 1), [], "machine", "at_delivery"),
        (seen("click", 60, 1, ""), [], "machine", "agent"),
        (seen("click", 60, 1, "Mozilla/5.0 (compatible; SomeBot/1.0)"), [], "machine", "agent"),
        (seen("click", 60, 1, BROWSER, "head"), [], "machine", "head"),
        (seen("click", 60, 1), [seen("click", 61, 2)], "human", "browser"),
        (seen("click", 60, 1), [seen("click", 61, 2), seen("click", 62, 3)], "machine", "many_links"),
        (seen("click", 60, 1), [seen("click", 80, 2), seen("click", 95, 3)], "human", "browser"),
        (seen("click", 60, 1), [seen("open", 61), seen("click", 61, 1), seen("click", 62, 1)], "human", "browser"),
        (seen("unsubscribe", 0, None, ""), [], "human", "one_click"),
    ],
)
def test_verdicts(hit, others, verdict, reason) -> None:
    assert judge(hit, SENT, others) == (verdict, [reason])


@pytest.fixture
def message(acme, email, person) -> Message:
    """A message that was sent to Amara an hour ago."""
    amara = person("amara")
    with tenant_scope(acme):
        message = outbox.order("visit:1", contact=amara, email=email, journey_id=7, tile="mail")
        sent_at = timezone.now() - timedelta(hours=1)
        Message.objects.update(state=Message.State.SENT, finished_at=sent_at)
        for key in ("a", "b", "c"):
            Link.objects.create(email=email, key=key, label=key.upper(), url=f"https://x.example/{key}")
    return message


def hit(message: Message, kind: str, minutes_ago: float = 5, link: str = "", **values: Any) -> None:
    Hit.objects.create(
        message_id=message.pk,
        kind=kind,
        link_id=Link.objects.get(key=link).pk if link else None,
        at=timezone.now() - timedelta(minutes=minutes_ago),
        user_agent=values.pop("agent", BROWSER),
        **values,
    )


def timeline(kind: str) -> list[dict]:
    return [row.detail for row in Interaction.objects.filter(kind=kind).order_by("pk")]


def judge_all(tenant) -> None:
    hits.work(tenant.pk, float("inf"))


def test_a_click_reaches_the_timeline_with_its_link_and_the_figures(acme, email, message) -> None:
    with tenant_scope(acme):
        hit(message, "click", link="b")
    judge_all(acme)
    with tenant_scope(acme):
        row = Interaction.objects.get(kind="email.clicked")
        assert (row.contact_id, row.object_id, row.message_id) == (message.contact_id, email.pk, message.pk)
        assert (row.journey_id, row.tile, row.link_id) == (7, "mail", Link.objects.get(key="b").pk)
        assert row.detail == {"email": "Spring", "link": "B", "url": "https://x.example/b", "verdict": "human"}
        message.refresh_from_db()
        assert message.clicked_at == message.opened_at == row.occurred_at
        assert LinkClick.objects.count() == 1
        assert Hit.objects.get().verdict == "human"


def test_what_machines_do_is_kept_and_drives_nothing(acme, message) -> None:
    with tenant_scope(acme):
        for link in ("a", "b", "c"):
            hit(message, "click", link=link)
        hit(message, "open", agent="Mozilla/5.0")
    judge_all(acme)
    with tenant_scope(acme):
        assert timeline("email.clicked") == timeline("email.opened") == []
        assert set(Hit.objects.values_list("verdict", flat=True)) == {"machine"}
        message.refresh_from_db()
        assert (message.opened_at, message.clicked_at, LinkClick.objects.count()) == (None, None, 0)


def test_an_image_loaded_again_is_the_same_reading(acme, message) -> None:
    with tenant_scope(acme):
        for minutes_ago in (50, 45, 44, 20):
            hit(message, "open", minutes_ago)
    judge_all(acme)
    with tenant_scope(acme):
        assert len(timeline("email.opened")) == 2
        hit(message, "open", 15)
    judge_all(acme)
    with tenant_scope(acme):
        assert len(timeline("email.opened")) == 2


def test_a_hit_is_judged_once(acme, message) -> None:
    with tenant_scope(acme):
        hit(message, "click", link="a")
    judge_all(acme)
    judge_all(acme)
    with tenant_scope(acme):
        assert len(timeline("email.clicked")) == 1


def test_a_fresh_click_waits_a_moment_for_the_scanners_others(acme, message) -> None:
    with tenant_scope(acme):
        hit(message, "click", minutes_ago=0, link="a")
    left = hits.work(acme.pk, float("inf"))
    assert left.next_due is not None
    with tenant_scope(acme):
        assert Hit.objects.get().verdict == ""


def test_who_must_not_be_tracked_is_not(acme, message) -> None:
    with tenant_scope(acme):
        Contact.objects.update(do_not_track=True)
        hit(message, "click", link="a")
        hit(message, "open")
    judge_all(acme)
    with tenant_scope(acme):
        assert timeline("email.clicked") == timeline("email.opened") == []


def test_one_click_refuses_the_purpose_once(acme, email, message, newsletter) -> None:
    with tenant_scope(acme):
        hit(message, "unsubscribe", agent="")
        hit(message, "unsubscribe", agent="")
    judge_all(acme)
    with tenant_scope(acme):
        assert timeline("email.unsubscribed") == [{"email": "Spring"}]
        latest = Consent.objects.order_by("-pk").first()
        assert (latest.state, latest.purpose_id, latest.source) == ("refused", newsletter.pk, "one-click")
        assert Consent.objects.filter(state="refused").count() == 1
        message.refresh_from_db()
        assert message.unsubscribed_at is not None


def test_hits_of_a_message_that_is_gone_are_looked_at_and_left(acme, message) -> None:
    with tenant_scope(acme):
        Message.objects.all().delete()
        Hit.objects.create(message_id=message.pk, kind="open", at=timezone.now() - timedelta(minutes=1))
        Hit.objects.create(message_id=message.pk, kind="unsubscribe")
    judge_all(acme)
    with tenant_scope(acme):
        assert not Hit.objects.filter(verdict="").exists()
