"""The tracking door: forged tokens, redirects that lead only where they should, hits that are durable."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
import pytest

from messaging import tokens
from messaging.models import Hit
from messaging.tracking import door, spool, store
from messaging.tracking.door import application
from messaging.tracking.recorder import Recorder
from tenants.models import Wakeup
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
Answer = tuple[int, dict[str, str], bytes]
Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path


def in_a_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread of its own: tests in a browser leave a running loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def ask(
    *requests: tuple[str, str], headers: dict[str, str] | None = None, before: Callable | None = None
) -> list[Answer]:
    """Answers to (method, path) requests that arrive in one moment, from a door that then closes."""

    async def one(method: str, path: str) -> Answer:
        sent: list[dict] = []

        async def send(message: dict) -> None:
            sent.append(message)

        async def receive() -> dict:
            return {"type": "http.request", "body": b"", "more_body": False}

        pairs = {"user-agent": BROWSER, **(headers or {})}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in pairs.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": raw, "client": ("192.0.2.7", 5)}
        await application(scope, receive, send)
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], answered, sent[1]["body"]

    async def all_of_them() -> list[Answer]:
        if before:
            before(door._recorder())
        try:
            return await asyncio.gather(*(one(method, path) for method, path in requests))
        finally:
            await door._recorders.pop(asyncio.get_running_loop(), Recorder()).close()

    return in_a_loop(all_of_them())


def hits(tenant) -> list[tuple]:
    with tenant_scope(tenant):
        return list(Hit.objects.order_by("pk").values_list("kind", "message_id", "link_id", "ip", "reasons"))


def click(tenant, url: str, message: int = 5, link: int = 3, contact: int = 9) -> str:
    return "/c/" + tokens.click_token(tenant.pk, message, link, contact, url)


def test_a_pixel_is_an_image_and_a_durable_hit(acme) -> None:
    ((status, headers, body),) = ask(("GET", f"/o/{tokens.open_token(acme.pk, 5)}.gif"))
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "image/gif", "no-store")
    assert body.startswith(b"GIF89a")
    assert hits(acme) == [("open", 5, None, "192.0.2.7", [])]
    assert Wakeup.objects.filter(tenant=acme, queue="hits").count() == 1


def test_a_click_leads_to_the_address_of_its_token(acme) -> None:
    url = "https://shop.example/a?b=1&c=%20x#part"
    answers = ask(("GET", click(acme, url)), ("HEAD", click(acme, url)))
    assert [(status, headers["location"]) for status, headers, _body in answers] == [(302, url), (302, url)]
    assert sorted(hits(acme)) == [("click", 5, 3, "192.0.2.7", []), ("click", 5, 3, "192.0.2.7", ["head"])]


def test_our_own_pages_learn_who_comes_and_nobody_else_does(acme, settings) -> None:
    answers = ask(
        ("GET", click(acme, f"{settings.PUBLIC_URL}/p/acme/spring?a=1#x")),
        ("GET", click(acme, f"{settings.PUBLIC_URL}.evil.example/p/acme/")),
    )
    own, foreign = (headers["location"] for _status, headers, _body in answers)
    assert own.startswith(f"{settings.PUBLIC_URL}/p/acme/spring?a=1&o=")
    assert own.endswith("#x")
    token = own.partition("&o=")[2].partition("#")[0]
    assert tokens.read_visitor_token(token, acme.pk) == 9
    assert tokens.read_visitor_token(token, acme.pk + 1) is None
    assert "o=" not in foreign


@pytest.mark.parametrize(
    "url",
    [
        "//evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://ok.example/\r\nSet-Cookie: a=b",
        "https://ok.example\\@evil.example/",
        "http:///path",
        "http://[",
        "/relative",
        "",
    ],
)
def test_even_a_signed_address_must_be_a_plain_one_of_the_web(acme, url) -> None:
    ((status, headers, _body),) = ask(("GET", click(acme, url)))
    assert status == 404
    assert "location" not in headers
    assert hits(acme) == []


def test_an_address_with_letters_of_all_the_world_becomes_a_valid_header(acme) -> None:
    ((_status, headers, _body),) = ask(("GET", click(acme, "https://shop.example/größe?q=ü")))
    assert headers["location"] == "https://shop.example/gr%C3%B6%C3%9Fe?q=%C3%BC"


def forgeries(tenant) -> list[str]:
    good = tokens.open_token(tenant.pk, 5)
    own = tokens.Own(tenant.pk, 5, 9, 1)
    return [
        f"/o/{good[:-1]}{'A' if good[-1] != 'A' else 'B'}.gif",
        f"/o/{good[1:]}.gif",
        "/o/.gif",
        "/o/é.gif",
        f"/c/{good}",
        f"/u/{good}",
        f"/o/{tokens.pages_token(own)}.gif",
        f"/u/{tokens.pages_token(own)}",
        f"/c/{tokens.one_click_token(own)}",
        f"/c/{good}/more",
        "/",
        "/c",
        "/x/y",
    ]


def test_forged_and_misused_tokens_find_nothing(acme) -> None:
    for method in ("GET", "POST", "HEAD"):
        answers = ask(*((method, path) for path in forgeries(acme)))
        assert {status for status, _headers, _body in answers} == {404}
    assert hits(acme) == []


def test_a_token_of_a_former_key_still_works(acme, settings) -> None:
    path = f"/o/{tokens.open_token(acme.pk, 5)}.gif"
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, long enough to please every check there is"
    tokens.forget_keys()
    try:
        assert ask(("GET", path))[0][0] == 200
        settings.SECRET_KEY_FALLBACKS = []
        tokens.forget_keys()
        assert ask(("GET", path))[0][0] == 404
    finally:
        tokens.forget_keys()


def test_one_click_unsubscribes_by_post_and_only_asks_by_get(acme, settings) -> None:
    path = f"/u/{tokens.one_click_token(tokens.Own(acme.pk, 5, 9, 1))}"
    ((status, headers, _body),) = ask(("GET", path))
    assert (status, headers["location"].startswith(f"{settings.PUBLIC_URL}/m/")) == (302, True)
    assert hits(acme) == []
    ((status, _headers, _body),) = ask(("POST", path))
    assert status == 200
    assert hits(acme) == [("unsubscribe", 5, 1, "192.0.2.7", [])], "the mail's purpose comes along"


def test_hits_of_one_moment_are_filed_under_their_own_tenants(acme, rival) -> None:
    requests = [
        ("GET", f"/o/{tokens.open_token(tenant.pk, number)}.gif") for number in range(50) for tenant in (acme, rival)
    ]
    ask(*requests)
    for tenant in (acme, rival):
        assert sorted(message for _kind, message, *_rest in hits(tenant)) == list(range(50))


def test_a_hit_of_a_tenant_that_is_gone_costs_the_others_nothing(acme) -> None:
    answers = ask(
        ("GET", f"/o/{tokens.open_token(987_654, 1)}.gif"),
        ("GET", f"/o/{tokens.open_token(acme.pk, 2)}.gif"),
    )
    assert [status for status, *_rest in answers] == [200, 200]
    assert [message for _kind, message, *_rest in hits(acme)] == [2]


def test_with_the_database_away_visitors_are_redirected_and_no_hit_is_lost(acme, monkeypatch) -> None:
    good = store.connection_values()
    monkeypatch.setattr(store, "connection_values", lambda: {**good, "host": "/nowhere"})
    url = "https://shop.example/"
    answers = ask(("GET", click(acme, url)), ("GET", f"/o/{tokens.open_token(acme.pk, 5)}.gif"))
    assert [status for status, *_rest in answers] == [302, 200]
    assert hits(acme) == []
    assert len(spool.waiting()) == 1
    monkeypatch.setattr(store, "connection_values", lambda: good)

    async def drain() -> None:
        recorder = Recorder()
        await recorder._drain()
        await recorder.close()

    in_a_loop(drain())
    assert sorted(kind for kind, *_rest in hits(acme)) == ["click", "open"]
    assert spool.waiting() == []


def test_a_line_that_was_cut_off_does_not_hold_up_the_spool(acme) -> None:
    spool.folder().mkdir(parents=True)
    (spool.folder() / "x.jsonl").write_text('[1, 2, "open", null, "2026')
    with spool.reading(spool.waiting()[0]) as found:
        assert found == []


def test_signs_of_machines_and_long_headers_are_kept_in_bounds(acme) -> None:
    path = f"/o/{tokens.open_token(acme.pk, 5)}.gif"
    ask(("GET", path), headers={"sec-purpose": "prefetch;prerender", "user-agent": "x" * 5000 + "\x00"})
    assert hits(acme) == [("open", 5, None, "192.0.2.7", ["prefetch"])]


def test_the_policy_refuses_a_row_of_another_tenant(acme, rival) -> None:
    """The door writes rows of many tenants by one statement: control that the policy looks at each."""
    with psycopg.connect(**store.connection_values()) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(acme.pk)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO messaging_hit (tenant_id, message_id, kind) VALUES (%s, 1, 'open')", [rival.pk]
            )
