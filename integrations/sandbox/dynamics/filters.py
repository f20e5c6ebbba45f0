"""`$filter`: comparisons, `and`, `or`, `not`, parentheses, contains/startswith/endswith and the function `In`.

Text is compared without regard to case; a comparison with an empty column is never true, except `eq null`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from integrations.sandbox.dynamics import errors

Row = Mapping[str, Any]
Condition = Callable[[Row], bool]

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<list>\[[^\]]*\])"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<moment>\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d))?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<sign>[(),=]))"
)
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
TEXTUAL: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a,
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
}
IN = "Microsoft.Dynamics.CRM.In"
DEEPEST = 20


def parse(text: str, check: Callable[[str], str]) -> Condition:
    """The condition; `check` returns the name under which a property is read, or raises for one that is not there."""
    return _Parser(text, check).parse()


class _Parser:
    def __init__(self, text: str, check: Callable[[str], str]) -> None:
        self._text, self._check = text, check
        self._tokens = list(self._split())
        self._at = 0
        self._depth = 0

    def parse(self) -> Condition:
        condition = self._or()
        if self._at < len(self._tokens):
            raise self._error()
        return condition

    def _split(self) -> Any:
        at = 0
        while at < len(self._text.rstrip()):
            found = TOKEN.match(self._text, at)
            if found is None:
                raise self._error()
            yield str(found.lastgroup), found[str(found.lastgroup)]
            at = found.end()

    def _error(self) -> errors.Refusal:
        return errors.bad_query(f"Syntax error in '$filter': '{self._text}'.")

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> tuple[str, str]:
        """The next token, which must be of one of those kinds or be that sign."""
        if self._at >= len(self._tokens) or not set(self._tokens[self._at]) & set(wanted):
            raise self._error()
        self._at += 1
        return self._tokens[self._at - 1]

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._peek() == "or":
            self._at += 1
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._peek() == "and":
            self._at += 1
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _not(self) -> Condition:
        if self._peek() == "not":
            self._at += 1
            inner = self._not()
            return lambda row: not inner(row)
        if self._peek() == "(":
            self._depth += 1
            if self._depth > DEEPEST:
                raise self._error()
            self._at += 1
            inner = self._or()
            self._take(")")
            self._depth -= 1
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._take("name")[1]
        if name == IN:
            return self._in()
        if name in TEXTUAL:
            return self._textual(TEXTUAL[name])
        column = self._check(name)
        operator = self._take("name")[1]
        if operator not in ORDER:
            raise self._error()
        value = _folded(self._value())
        compare = ORDER[operator]
        if value is None:
            return lambda row: compare(row.get(column), None) if operator in ("eq", "ne") else False

        def holds(row: Row) -> bool:
            own = _folded(row.get(column))
            return own is not None and _are_alike(own, value) and compare(own, value)

        return holds

    def _textual(self, compare: Callable[[str, str], bool]) -> Condition:
        self._take("(")
        column = self._check(self._take("name")[1])
        self._take(",")
        wanted = str(_folded(self._value()))
        self._take(")")
        return lambda row: compare(str(_folded(row.get(column)) or ""), wanted)

    def _in(self) -> Condition:
        for word in ("(", "PropertyName", "="):
            self._take(word)
        column = self._check(str(self._value()))
        for word in (",", "PropertyValues", "="):
            self._take(word)
        items = re.findall(r"""['"]((?:[^'"])*)['"]""", self._take("list")[1])
        self._take(")")
        wanted = {item.lower() for item in items}
        return lambda row: str(_folded(row.get(column))).lower() in wanted

    def _value(self) -> Any:
        kind, text = self._take("text", "guid", "moment", "number", "name")
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "name" and text not in ("true", "false", "null"):
            raise self._error()
        return {"true": True, "false": False, "null": None}.get(text, text)


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _are_alike(a: Any, b: Any) -> bool:
    return isinstance(a, str) == isinstance(b, str)
