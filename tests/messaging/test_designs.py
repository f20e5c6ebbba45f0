"""From blocks to HTML and text: clean, complete, with links that keep their names."""

import quopri
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging import publishing, quoted
from messaging.designs import blocks, checking
from messaging.designs.composing import Target, compose
from messaging.models import Link
from messaging.personalization import Refused, make_environment, render
from tenants.scope import tenant_scope


def text(html: str) -> dict:
    return blocks.new("text", html=html)


def test_a_design_becomes_html_and_text_with_links_by_name() -> None:
    composed = compose(
        [
            blocks.new("heading", text="Hi {{ contact.first_name | default(\"you\") }} & co"),
            text('<a href="https://x.example/?a=1&amp;b=2">the <b>offer</b></a> <a href="mailto:a@b.example">us</a>'),
            blocks.new("button", label="Go", url="https://x.example/go"),
            blocks.new("image", src="https://x.example/i.png", alt="A view", url="https://x.example/go"),
        ]
    )  # fmt: skip
    assert 'Hi {{ contact.first_name | default("you") }} &amp; co' in composed.html
    assert '<a href="{{ _.link_the_offer }}">' in composed.html
    assert 'href="mailto:a@b.example"' in composed.html
    assert composed.html.count("{{ _.unsubscribe }}") == composed.html.count("{{ _.pixel }}") == 1
    assert "the offer: {{ _.link_the_offer }}" in composed.text
    assert "{{ content.postal_address }}" in composed.text
    assert composed.links == (
        Target("the_offer", "the offer", "https://x.example/?a=1&b=2"),
        Target("go", "Go", "https://x.example/go"),
        Target("a_view", "A view", "https://x.example/go"),
    )


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "<svg/onload=alert(1)>",
        "</mj-text><mj-raw><script>alert(1)</script></mj-raw>",
        "<mj-include path='/etc/passwd' />",
        "<style>*{}</style><iframe src=//x>",
        "<p onclick=alert(1)>hello",
    ],
)
def test_what_authors_paste_cannot_run(html) -> None:
    composed = compose(
        [text(html), blocks.new("heading", text=html), blocks.new("button", label=html, url="https://x.y/")]
    )
    visible = re.sub(r"&lt;.*?&gt;", "", composed.html)
    for danger in ("<script", "onerror=", "onclick=", "javascript:", "<iframe", "<svg", "passwd' />"):
        assert danger not in visible


def test_links_keep_their_keys_across_versions() -> None:
    known = [Target("go", "Go", "https://x.example/go"), Target("more", "More", "https://x.example/more")]
    composed = compose(
        [
            blocks.new("button", label="Read more", url="https://x.example/more"),
            blocks.new("button", label="Go", url="https://x.example/elsewhere"),
            blocks.new("button", label="New", url="https://x.example/new"),
            blocks.new("button", label="New", url="https://x.example/newer"),
        ],
        known=known,
    )
    assert [(t.key, t.label) for t in composed.links] == [
        ("more", "Read more"),
        ("go", "Go"),
        ("new", "New"),
        ("new_2", "New"),
    ]


def test_a_live_versions_links_stay_when_a_later_version_leads_elsewhere(acme, email, max_) -> None:
    def button(url: str) -> list[dict]:
        return [blocks.new("button", label="Go", url=url)]

    with tenant_scope(acme):
        publishing.save_draft(email, subject="1", blocks=button("https://x.example/1"))
        first = publishing.go_live(email, max_)
        publishing.save_draft(email, subject="2", blocks=button("https://x.example/2"))
        publishing.send_test(email, "max@acme.example", by=max_)
        first.refresh_from_db()
        assert first.links == {"go": "https://x.example/1"}
        assert Link.objects.get().url == "https://x.example/1", "a test changes nothing that is live"
        publishing.go_live(email, max_)
        first.refresh_from_db()
        assert (first.state, first.links, Link.objects.get().url) == (
            "retired",
            {"go": "https://x.example/1"},
            "https://x.example/2",
        )


@pytest.mark.parametrize(
    ("values", "where", "message"),
    [
        ({"subject": ""}, "subject", "subject is missing"),
        ({"subject": "{{ contact.nope }}"}, "subject", "Unknown name"),
        ({"blocks": []}, "design", "empty"),
        ({"blocks": [blocks.new("button", label="Go", url="")]}, "b", "missing"),
        ({"blocks": [blocks.new("button", label="Go", url="/relative")]}, "b", "Not a full web address"),
        ({"blocks": [blocks.new("button", label="Go", url="//evil.example")]}, "b", "Not a full web address"),
        ({"blocks": [blocks.new("button", label="Go", url="https://x.y/{{ contact.city }}")]}, "b", "personalised"),
        ({"blocks": [blocks.new("button", label="", url="https://x.y/")]}, "b", "no label"),
        ({"blocks": [blocks.new("image", src="https://x.y/a.png", alt="")]}, "b", "alternative text"),
        ({"blocks": [text('<a href="foo">x</a>')]}, "b", "Not a full web address"),
        ({"blocks": [text('<a href="https://x.y/{{ contact.city }}">x</a>')]}, "b", "personalised"),
        ({"blocks": [text("x" * 110_000)]}, "design", "cut it off"),
        ({"blocks": [{"id": "b1", "kind": "marquee", "props": {}}]}, "b", "Unknown kind"),
    ],
)
def test_what_stands_against_going_live(acme, email, max_, values, where, message) -> None:
    with tenant_scope(acme):
        publishing.save_draft(email, **{"subject": "News", "blocks": [blocks.new("heading", text="Hi")], **values})
        errors = [issue for issue in publishing.check(email) if issue.is_error]
        assert any(issue.where.startswith(where) and message in issue.message for issue in errors), errors
        with pytest.raises(publishing.HasErrors):
            publishing.go_live(email, max_)


def test_a_complete_design_has_no_errors_and_some_advice(acme, email) -> None:
    with tenant_scope(acme):
        button = blocks.new("button", label="Go", url="https://x.example/", color="#ffee00")
        publishing.save_draft(email, subject="x" * 61, blocks=[button])
        issues = publishing.check(email)
    assert {issue.severity for issue in issues} == {"warning"}
    assert len(issues) == 3, "a long subject, no preheader, a pale button"


def test_a_commercial_email_needs_a_purpose_a_sender_and_a_postal_address(acme, email, sender) -> None:
    with tenant_scope(acme):
        publishing.save_draft(email, subject="x", blocks=[blocks.new("heading", text="Hi")])
        sender.postal_address = " "
        sender.save()
        email.refresh_from_db()
        email.purpose = None
        found = " ".join(issue.message for issue in publishing.check(email) if issue.is_error)
    assert "postal address" in found
    assert "purpose" in found


def test_contrast_is_that_of_the_guidelines() -> None:
    assert checking.contrast_with_white("#000000") == pytest.approx(21)
    assert checking.contrast_with_white("#ffffff") == pytest.approx(1)
    assert checking.contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)


PIECES = st.one_of(
    st.text(alphabet="ab =.\t\né€日F{}", max_size=200),
    st.sampled_from(["{{ a.x }}", "{{- a.x -}}", "{% if a.y %}é{% endif %}", "{# note #}", "\n.\n", "\n..", "From "]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join), st.text(alphabet="ab=.\n é€", max_size=150))
def test_encoding_a_template_is_encoding_what_it_prints(source: str, value: str) -> None:
    """Encoding once per version gives what encoding each mail would; lines stay short, dots are doubled."""
    source = re.sub(r"\{\{-(.*?)-\}\}", r"{{\1}}", source)
    plain, encoding, values = make_environment(str), make_environment(quoted.encode), {"a": {"x": value, "y": 1}}
    try:
        plain.add_template("t", source)
    except Exception:
        return
    encoding.add_template("t", quoted.template(source))
    sent = render(encoding, "t", values)
    lines = sent.split("\r\n")
    assert max(map(len, lines)) <= 79
    assert not any(line.startswith(".") and not line.startswith("..") for line in lines)
    received = quopri.decodestring(re.sub(r"(?m)^\.\.", ".", sent).encode()).decode()
    assert received.replace("\r\n", "\n") == render(plain, "t", values).replace("\r\n", "\n")


def test_a_text_that_cannot_be_filled_fails_alone() -> None:
    with pytest.raises(Refused):
        render(make_environment(str), "missing", {})
