"""Cells of a file: how what people write into a spreadsheet becomes a value of ours.

Widgets of django-import-export: `clean` reads a cell and raises ValueError with the reason in words, `render` writes
one. Resources declare which field has which; the import cleans by them, and so does every mapping of outside fields.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.utils.translation import gettext as _
from import_export.widgets import Widget

from contacts import normalise

# What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Phone and other numbers begin with a sign and compute to themselves.
_HARMLESS = re.compile(r"[+-]\d+(?:[.,]\d+)?")
_PLAIN_ADDRESS = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_YES = frozenset(["true", "yes", "y", "1", "x", "on", "ja", "oui", "si", "sí", "wahr", "vrai", "✓"])
_NO = frozenset(["false", "no", "n", "0", "off", "nein", "non", "falsch", "faux", "-"])
# Languages in whose words a country may be named.
_NAMED_IN = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv")
_EXCEL_EPOCH = date(1899, 12, 30)


def neutral(value: str) -> str:
    """The text as a spreadsheet shows it without computing: a quote before what would be taken for a formula."""
    if value.startswith(_FORMULA) and not _HARMLESS.fullmatch(value):
        return f"'{value}"
    return value


class Cell(Widget):
    """A line of text; `clean` gets the row's values that have been read before, of which a cell may make use."""

    column = "text"

    def __init__(self, longest: int = 2000) -> None:
        super().__init__(coerce_to_string=True)
        self.longest = longest

    def clean(self, value: Any, row: Mapping[str, Any] | None = None, **kwargs: Any) -> Any:
        """The value; None for an empty cell. Raises ValueError with the reason in words."""
        text = self.tidy(str(value)) if value is not None else ""
        # The quote that an export puts before what looks like a formula is no part of the value.
        if text[:1] == "'" and text[1:].startswith(_FORMULA):
            text = text[1:]
        if not text:
            return None
        value = self.read(text, row or {})
        if isinstance(value, str) and len(value) > self.longest:
            raise ValueError(_("at most %(count)d characters") % {"count": self.longest})
        return value

    def tidy(self, text: str) -> str:
        """The text on one line, with single spaces."""
        return " ".join(text.split())

    def read(self, text: str, row: Mapping[str, Any]) -> Any:
        return text

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else neutral(str(value))


class Lines(Cell):
    """Text of several lines."""

    def tidy(self, text: str) -> str:
        return text.strip()


class EmailCell(Cell):
    """An address, as it is stored."""

    _check = EmailValidator()

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        address = normalise.email(text.removeprefix("mailto:"))
        if not _PLAIN_ADDRESS.fullmatch(address):
            try:
                self._check(address)
            except ValidationError:
                raise ValueError(_("not an e-mail address")) from None
        return address


class PhoneCell(Cell):
    """A number in E.164; without a country's prefix it is read as one of the row's country."""

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        try:
            return normalise.phone(text, str(row.get("country") or ""))
        except ValueError:
            raise ValueError(_("not a phone number (a country's prefix may be missing)")) from None


class CountryCell(Cell):
    """A country by its code or by its name in some languages."""

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        code = country_codes().get(normalise.plain(text))
        if code is None:
            raise ValueError(_("not a country"))
        return code


@cache
def country_codes() -> dict[str, str]:
    """Country codes by code and by name, plain."""
    found = {"uk": "GB", "usa": "US", "england": "GB", "scotland": "GB", "holland": "NL", "czech republic": "CZ"}
    for language in _NAMED_IN:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha() and code != "ZZ":
                found.setdefault(normalise.plain(name), code)
                found[code.lower()] = code
    return found


class DomainCell(Cell):
    """A web domain, from whatever address is entered."""

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        domain = normalise.domain(text)
        if "." not in domain or " " in domain:
            raise ValueError(_("not a web domain"))
        return domain


class LinkCell(Cell):
    """An address of the web."""

    _check = URLValidator(schemes=["http", "https"])

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        address = text if "://" in text else f"https://{text}"
        try:
            self._check(address)
        except ValidationError:
            raise ValueError(_("not a web address")) from None
        return address


class LanguageCell(Cell):
    """A language by its code."""

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        code = text.replace("_", "-")
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", code):
            raise ValueError(_("not a language code such as de"))
        head, dash, tail = code.partition("-")
        return head.lower() + dash + tail


class NumberCell(Cell):
    """A whole number, with or without separators of thousands."""

    column = "bigint"
    highest = 2**53

    def __init__(self, highest: int = 2**53) -> None:
        super().__init__(40)
        self.highest = highest

    def read(self, text: str, row: Mapping[str, Any]) -> int:
        digits = re.sub(r"(?<=\d)[ '’\u00a0\u202f](?=\d{3})", "", text)
        if re.fullmatch(r"-?\d{1,3}([.,]\d{3})+", digits):
            digits = re.sub(r"[.,]", "", digits)
        found = re.fullmatch(r"(-?\d+)(?:[.,]0+)?", digits)
        if not found or abs(int(found[1])) > self.highest:
            raise ValueError(_("not a whole number"))
        return int(found[1])


class BooleanCell(Cell):
    """Yes or no, in the words of several languages."""

    column = "boolean"

    def read(self, text: str, row: Mapping[str, Any]) -> bool:
        word = text.lower()
        if word in _YES:
            return True
        if word in _NO:
            return False
        raise ValueError(_("not yes or no"))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else "yes" if value else "no"


class DateCell(Cell):
    """A day, however it is written; `is_day_first` decides what 03/04/2026 is."""

    _WRITTEN: ClassVar[tuple[str, ...]] = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%Y%m%d")

    def __init__(self, is_day_first: bool = True) -> None:
        super().__init__(60)
        self.is_day_first = is_day_first

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        found = self._day(text)
        if found is None or not 1000 <= found.year <= 9999:
            raise ValueError(_("not a date"))
        return found.isoformat()

    def _day(self, text: str) -> date | None:
        day = re.sub(r"[T ]\d{1,2}:\d{2}.*$", "", text)
        if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", day):
            return _date(*map(int, found.groups()))
        if found := re.fullmatch(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{2}|\d{4})", day):
            return _date(_year(found[3]), int(found[2]), int(found[1]))
        if found := re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{2}|\d{4})", day):
            first, second = int(found[1]), int(found[2])
            is_day_first = self.is_day_first if max(first, second) <= 12 else first > 12
            return _date(_year(found[3]), *((second, first) if is_day_first else (first, second)))
        if re.fullmatch(r"\d{5}(\.\d+)?", day):
            return _EXCEL_EPOCH + timedelta(days=int(float(day)))
        for form in self._WRITTEN:
            try:
                return datetime.strptime(" ".join(re.sub(r"[,.]", " ", day).split()), form).date()
            except ValueError:
                continue
        return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text) if int(text) < 70 else 1900 + int(text)


class ChoiceCell(Cell):
    """One of some words, whatever their case."""

    def __init__(self, options: Sequence[str]) -> None:
        super().__init__()
        self._options = {option.casefold(): option for option in options}

    def read(self, text: str, row: Mapping[str, Any]) -> str:
        if text.casefold() not in self._options:
            raise ValueError(_("not one of %(options)s") % {"options": ", ".join(list(self._options.values())[:8])})
        return self._options[text.casefold()]


class MemberCell(Cell):
    """A colleague, by address or name; the ids are the scope's company's."""

    column = "bigint"

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, int] = {}

    def read(self, text: str, row: Mapping[str, Any]) -> int:
        if text.casefold() not in self.ids:
            raise ValueError(_("not a member of your company"))
        return self.ids[text.casefold()]
