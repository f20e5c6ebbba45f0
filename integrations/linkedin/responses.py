"""What came, as plain values: the one shape of a submission, of a form and of a campaign, whichever way they came."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

# What a text may be at most. Longer ones are cut, and the submission says so.
LONGEST = 4_000
# Seconds and milliseconds since 1970 are both seen; nothing that matters happened before March 1973.
MILLISECONDS_FROM = 10**11
# PostgreSQL keeps no NUL, and half of a surrogate pair is no text.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FormRef:
    """Which form, and which version of it; `name` where that is all there is to know it by."""

    external_id: str
    version: int = 0
    name: str = ""


@dataclass(slots=True)
class Response:
    """A submission as it came; the fields are those of `LeadSubmission`."""

    external_id: str
    submitted_at: datetime
    form: FormRef | None = None
    account_id: str = ""
    campaign_id: str = ""
    campaign_name: str = ""
    is_test: bool = False
    submitter: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    hidden_fields: dict[str, str] = field(default_factory=dict)
    consents: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def contents(self) -> tuple[str, str, str, str]:
        """Answers, hidden fields, consents and faults, each as JSON."""
        return _json(self.answers), _json(self.hidden_fields), _json(self.consents), _json(self.faults)

    def digest_of(self, contents: tuple[str, str, str, str]) -> str:
        """Equal for equal contents; faults are ours."""
        said = "\x00".join((repr(self.form), self.campaign_id, str(self.is_test), *contents[:3]))
        return blake2b(said.encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(slots=True)
class FormDocument:
    """A version of a form, as LinkedIn has it or as a file's columns make it."""

    external_id: str
    version: int
    name: str = ""
    state: str = ""
    questions: list[dict[str, Any]] = field(default_factory=list)
    consents: list[dict[str, Any]] = field(default_factory=list)
    hidden_fields: dict[str, str] = field(default_factory=dict)
    disclaimer: str = ""
    privacy_url: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """An ad account or a campaign: its id at LinkedIn, its name, its state in LinkedIn's word."""

    external_id: str
    name: str
    state: str = ""
    is_test: bool = False


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _json(value: list[Any] | dict[str, Any]) -> str:
    if value:
        return _encode(value)
    return "[]" if isinstance(value, list) else "{}"


def text_of(value: Any, longest: int = LONGEST) -> str:
    """Any value as a text that the database keeps; "" for what is no text at all."""
    if isinstance(value, str):
        if len(value) <= longest and value.isprintable():
            return value.strip()  # nearly all are so
        text = value
    elif value is None or isinstance(value, dict | list):
        return ""
    else:
        text = str(value)
    if not text.isprintable():
        text = _UNKEEPABLE.sub("", text)
    return text[:longest].strip()


def moment(value: Any) -> datetime | None:
    """Seconds or milliseconds since 1970 as an instant; None for what cannot be one."""
    try:
        number = float(value)
        return datetime.fromtimestamp(number / 1000 if number >= MILLISECONDS_FROM else number, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def milliseconds(instant: datetime) -> int:
    """An instant as LinkedIn writes it."""
    return round(instant.timestamp() * 1000)


def localized(value: Any) -> str:
    """A text of LinkedIn's with its languages: the one of the form, which comes first."""
    texts = value.get("localized") if isinstance(value, Mapping) else None
    if isinstance(texts, Mapping):
        return next((found for each in texts.values() if (found := text_of(each))), "")
    return text_of(value)


def part(value: Any, *path: str) -> Any:
    """What lies at a path of nested objects; None where one of them is missing or is no object."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """The objects in a list; nothing for what is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
