"""Personalization: what authors may write between braces, and nothing else.

    Hello {{ contact.first_name | default("there") }}
    {% if contact.country == "DE" and account.name %} … {% elif … %} … {% else %} … {% endif %}

The syntax is Jinja's, by minijinja, under a fuel limit. Only names that `names()` lists exist; their values are plain
(text, whole numbers, yes/no). Before minijinja sees a template, every tag is read by a tokenizer of ours that knows
a few statements and filters and no calls: minijinja would call methods of the Python objects it is given.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import minijinja
from django.utils.translation import gettext as _

# `{{ … }}`, `{% … %}`, `{# … #}`; quoted text inside may contain the closing braces.
TAG = re.compile(
    r"""\{\{(?:"[^"]*"|'[^']*'|(?!\}\})[^"'])*\}\}|\{%(?:"[^"]*"|'[^']*'|(?!%\})[^"'])*%\}|\{\#.*?\#\}""", re.S
)
TOKEN = re.compile(r"""\s+|"[^"\\]*"|'[^'\\]*'|\d+(?:\.\d+)?|[A-Za-z_]\w*|[=!<>]=|[<>|.,()\[\]+\-*/%~:]""")
STATEMENTS = frozenset({"if", "elif", "else", "endif", "for", "endfor"})
OPERATORS = frozenset({"if", "elif", "for", "in", "and", "or", "not", "is", "else"})
FILTERS = frozenset({"default", "upper", "lower", "title", "capitalize", "trim", "length", "truncate", "round", "int"})
# The renderer's own placeholders; authors' names never start with an underscore.
PRIVATE = "_"
# Instructions per rendering: a mail of some hundred tags needs under a thousand.
FUEL = 5_000

CONTACT = ("first_name", "last_name", "email", "job_title", "phone", "country", "city", "language", "external_id")
ACCOUNT = ("name", "domain", "industry", "country", "city")
SENDER = ("name", "email")
CONTENT = ("company", "postal_address")


class Refused(ValueError):
    """A template cannot be used; the text says why, for its author."""


class NotPlain(TypeError):
    """A template would print something that is not a plain value."""


@dataclass(frozen=True)
class Tag:
    """One tag of a template: its text and tokens without blanks."""

    text: str
    tokens: tuple[str, ...]

    @property
    def prints(self) -> bool:
        return self.text.startswith("{{")


def names(custom_keys: Mapping[str, str] | None = None) -> set[str]:
    """Every name that templates may use; `custom_keys` are the tenant's custom fields of contacts."""
    groups = {"contact": CONTACT, "account": ACCOUNT, "sender": SENDER, "content": CONTENT}
    plain = {f"{group}.{key}" for group, keys in groups.items() for key in keys}
    return plain | {f"contact.custom.{key}" for key in custom_keys or {}}


def check(source: str, known: set[str], *, tries: bool = True) -> None:
    """Raise Refused unless the template is well-formed, uses only `known` names, and renders within its fuel."""
    _read_tags(source)
    environment = make_environment(str)
    try:
        used = environment.undeclared_variables_in_str(source, nested=True)
    except minijinja.TemplateError as error:
        raise Refused(_in_words(error)) from error
    unknown = sorted(name for name in used if name not in known)
    if unknown:
        raise Refused(_("Unknown name: %(names)s") % {"names": ", ".join(unknown)})
    add(environment, "checked", source)
    if tries:
        for value in ("", "Sample"):
            render(environment, "checked", dict_of(known, value))


def make_environment(finish: Callable[[str], str]) -> minijinja.Environment:
    """An environment whose printed values all pass through `finish` (escaping, transfer encoding)."""

    def finalize(value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str | int | float):
            raise NotPlain(_("A group of values cannot be printed."))
        return finish(str(value))

    environment = minijinja.Environment(
        undefined_behavior="strict",
        fuel=FUEL,
        pycompat=False,
        debug=False,
        keep_trailing_newline=True,
        auto_escape_callback=lambda name: False,
        finalizer=finalize,
        filters={"default": default},
    )
    for name in ("range", "dict", "debug", "namespace", "cycler", "joiner"):
        environment.remove_global(name)
    return environment


def add(environment: minijinja.Environment, name: str, source: str) -> None:
    """Add a template to the environment; raises Refused in words."""
    try:
        environment.add_template(name, source)
    except minijinja.TemplateError as error:
        raise Refused(_in_words(error)) from error


def render(environment: minijinja.Environment, name: str, values: Mapping[str, Any]) -> str:
    """Render a template of the environment; raises Refused in words."""
    try:
        return environment.render_template(name, **values)
    except minijinja.TemplateError as error:
        raise Refused(_in_words(error)) from error
    except NotPlain as error:
        raise Refused(str(error)) from error


def default(value: Any, fallback: Any = "") -> Any:
    """The filter `default`: unlike Jinja's, an empty value falls back too."""
    return fallback if value is None or value == "" else value


def tags(source: str) -> Iterator[Tag]:
    """The tags of a template in order, comments left out; raises Refused for what is no tag of ours."""
    for match in TAG.finditer(source):
        text = match.group()
        if not text.startswith("{#"):
            yield Tag(text, tuple(_tokens(text[2:-2].strip("-+"))))


def readable(source: str) -> str:
    """A template for people who look at a list: `Hello {{ contact.first_name | default("there") }}` as
    "Hello [first name]"; conditions are left out.
    """
    return " ".join(TAG.sub(lambda tag: _readable(tag.group()), source).split())


def name_in_words(name: str) -> str:
    """What a name stands for: "first name" for contact.first_name, "company industry" for account.industry."""
    *groups, key = name.split(".")
    owner = {"account": _("company"), "sender": _("sender"), "content": _("our")}.get(groups[0] if groups else "", "")
    return f"{owner} {key.replace('_', ' ')}".strip()


def _readable(tag: str) -> str:
    name = re.match(r"\{\{\s*([\w.]+)", tag)
    return f"[{name_in_words(name[1])}]" if name else ""


def dict_of(known: set[str], value: Any) -> dict[str, Any]:
    """Nested values under all the names, e.g. {"contact": {"first_name": value, "custom": {…}}, …}."""
    values: dict[str, Any] = {"contact": {"custom": {}}}
    for name in known:
        *path, last = name.split(".")
        group = values
        for part in path:
            group = group.setdefault(part, {})
        group[last] = value
    return values


def _read_tags(source: str) -> None:
    """Refuse every tag that goes beyond the language described above."""
    rest = TAG.sub("", source)
    if "{{" in rest or "{%" in rest or "{#" in rest:
        raise Refused(_("A tag is not closed."))
    for tag in tags(source):
        if not tag.prints and (not tag.tokens or tag.tokens[0] not in STATEMENTS):
            raise Refused(_("Unknown statement: %(tag)s") % {"tag": tag.text})
        _refuse_calls(tag)


def _refuse_calls(tag: Tag) -> None:
    """Only filters may have arguments, and only known filters exist; dunder names are nobody's."""
    before = ("", "", *tag.tokens)
    for place, word in enumerate(tag.tokens):
        previous, one_earlier = before[place + 1], before[place]
        if word.startswith(PRIVATE):
            raise Refused(_("Names do not start with an underscore: %(name)s") % {"name": word})
        if previous == "|" and word not in FILTERS:
            raise Refused(_("Unknown filter: %(name)s") % {"name": word})
        is_name = previous[:1].isalnum() or previous in ("]", ")") or previous[:1] in ("'", '"')
        if word == "(" and is_name and one_earlier != "|" and previous not in OPERATORS:
            raise Refused(_("Functions cannot be called: %(tag)s") % {"tag": tag.text})


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise Refused(_("Not understood: %(text)s") % {"text": text[place : place + 20]})
        if not match.group().isspace():
            yield match.group()
        place = match.end()


def _in_words(error: minijinja.TemplateError) -> str:
    if error.kind == "OutOfFuel":
        return _("The text does too much: it would never be finished.")
    if error.kind == "SyntaxError":
        return _("Not understood: %(detail)s") % {"detail": error.detail}
    if error.kind == "UndefinedError":
        return _("A name is unknown.")
    return str(error.detail or error.message)
