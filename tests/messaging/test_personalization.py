"""The language between braces: what it can do, and that it can do nothing else."""

import re
from html import escape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging import personalization
from messaging.personalization import Refused, add, check, dict_of, make_environment, render

KNOWN = personalization.names({"budget": "Budget"})
VALUES = dict_of(KNOWN, "Known")


def fill(source: str, values: dict[str, Any], *, is_html: bool = False) -> str:
    """What a template prints, as in the plain or the HTML part."""
    environment = make_environment(escape if is_html else str)
    add(environment, "template", source)
    return render(environment, "template", values)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Hello {{ contact.first_name | default('}}') }},\n you", "Hello [first name], you"),
        ("{{contact.custom.budget}} of {{ account.name }}", "[budget] of [company name]"),
        ("{% if contact.city %}a{% else %}b{% endif %} {# note #}", "ab"),
        ("{{ 'text' }} not {{ closed", "not {{ closed"),
    ],
)
def test_lists_show_what_a_placeholder_stands_for(source: str, words: str) -> None:
    assert personalization.readable(source) == words


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("Hello {{ contact.first_name | default('you') }}", "Hello Known"),
        ("{{contact.custom.budget|upper}}", "KNOWN"),
        ("{% if contact.city == 'Known' and (account.name or not contact.phone) %}a{% else %}b{% endif %}", "a"),
        ("{% if false %}a{% elif contact.city %}b{% endif %}", "b"),
        ("{% for word in ['x', 'y'] %}{{ word }}{% endfor %}", "xy"),
        ("{{ 'closing }} inside' }}{# a note #}", "closing }} inside"),
        ("100 % sure, {braces} and {}", "100 % sure, {braces} and {}"),
    ],
)
def test_what_can_be_said(source, printed) -> None:
    check(source, KNOWN)
    assert fill(source, VALUES) == printed


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ contact.shoe_size }}", "Unknown name: contact.shoe_size"),
        ("{{ nobody | default('x') }}", "Unknown name: nobody"),
        ("{{ contact }}", "Unknown name: contact"),
        ("{{ contact.first_name", "not closed"),
        ("{% if contact.city %}", "Not understood"),
        ("{{ contact.items() }}", "cannot be called"),
        ("{{ (contact.items)() }}", "cannot be called"),
        ("{{ contact.first_name.format(1) }}", "cannot be called"),
        ("{{ contact | attr('items') }}", "Unknown filter: attr"),
        ("{{ contact.__class__ }}", "underscore"),
        ("{{ _.unsubscribe }}", "underscore"),
        ("{{ '\\x41' }}", "Not understood"),
        ("{{ debug() }}", "cannot be called"),
        ("{% include 'x' %}", "Unknown statement"),
        ("{% set x = 1 %}", "Not understood"),
        ("{% raw %}{{ x }}{% endraw %}", "Unknown statement"),
        ("{{ 'a' * 100000000 }}", "too much"),
        ("{% for a in contact.city %}" * 7 + "x" + "{% endfor %}" * 7, "too much"),
        ("{{ [contact.city] }}", "cannot be printed"),
    ],
)
def test_what_is_refused_in_words(source, why) -> None:
    with pytest.raises(Refused, match=re.escape(why)):
        check(source, KNOWN)


def test_an_empty_value_falls_back_and_an_unknown_one_prints_nothing() -> None:
    empty = dict_of(KNOWN, None)
    assert fill("{{ contact.city | default('somewhere') }}{{ contact.phone }}", empty) == "somewhere"


def test_values_are_text_in_html() -> None:
    values = dict_of(KNOWN, '<b title="x">')
    assert fill("{{ contact.city }}", values, is_html=True) == "&lt;b title=&quot;x&quot;&gt;"


SECRET = "Sesame"
FRAGMENTS = st.sampled_from(
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{{-", "-%}", ".first_name", "._secret", ".secret", "['secret']",
        "secret.value", "|", "default", "upper", "(", ")", "[", "]", "~", "attr('secret')", "'", "endif", "endfor",
        "else", "self", "_", "__class__", ".items()", ".pop('secret')", "contact.values()", "range(9)",
        "namespace()", "debug()", "raw", "endraw", "\"", "\\", "\n", " contact", " secret ", " if ", " for x in ",
        " x ", " loop", " * 99", "set y = ", "include 'secret'",
    ]
)  # fmt: skip


@settings(max_examples=800, deadline=None)
@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=5)), max_size=14).map("".join))
def test_no_template_prints_more_than_the_known_names(source: str) -> None:
    """Whatever is written: it is refused, or what it prints comes from the known names and its own text."""
    values = {**dict_of(KNOWN, "Known"), "secret": {"value": SECRET}}
    values["contact"]["secret"] = SECRET
    try:
        check(source, KNOWN)
        printed = fill(source, values)
    except Refused:
        return
    assert SECRET not in printed
    assert "built-in" not in printed
    assert "object at" not in printed
