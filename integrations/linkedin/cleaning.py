"""From answers to values of ours, by a mapping. A value that cannot be read is left out, and said; it stops nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from contacts import cells
from contacts.targets import Target
from integrations.linkedin.answers import Questions, Submission
from integrations.models import LeadFormMapping, LeadFormVersion
from leads.importing.cleaning import WHO, Cleaned
from leads.importing.reading import Row

# Of two answers for one field, the private one counts unless the mapping prefers work.
WORK = frozenset({"WORK_EMAIL", "WORK_PHONE_NUMBER"})


@dataclass(slots=True)
class Read:
    """A submission's values by entity, and what had to be left out."""

    submission: Submission
    form_name: str
    cleaned: Cleaned
    left_out: list[str] = field(default_factory=list)

    @property
    def says_who(self) -> bool:
        return any(self.cleaned.contact.get(name) for name in WHO)


class _Step(NamedTuple):
    """Where the answer to a question goes."""

    key: str
    label: str
    entity: str
    name: str
    is_custom: bool
    clean: Callable[..., Any]


class Reader:
    """Reads submissions by one mapping; `country` is that of phone numbers without a prefix."""

    def __init__(
        self, mapping: LeadFormMapping, offered: dict[str, Target], questions: Questions, country: str = ""
    ) -> None:
        self._mapping, self._offered, self._questions = mapping, offered, questions
        self._default = {"country": country}
        self._plans: dict[int, list[_Step]] = {}

    def read(self, submission: Submission) -> Read:
        """The submission's values."""
        texts = self._questions.texts(submission)
        found = Read(submission, self._questions.form_name(submission), Cleaned(Row(submission.pk, [])))
        for key, label, entity, name, is_custom, clean in self._plan(submission):
            if not (text := texts.get(key)):
                continue
            values = getattr(found.cleaned, entity)
            own = values.get("custom", {}) if is_custom else values
            if own.get(name) is not None:
                continue
            try:
                value = clean(text, values if "country" in values else self._default)
            except ValueError as error:
                found.left_out.append(_("%(question)s: %(error)s") % {"question": label, "error": error})
                continue
            if value is None:
                continue
            if is_custom:
                values.setdefault("custom", {})[name] = value
            else:
                values[name] = value
        return found

    def _plan(self, submission: Submission) -> "list[_Step]":
        """What is mapped, in the order in which answers count; countries before phones."""
        version = self._questions.version(submission)
        pk = version.pk if version else 0
        if pk not in self._plans:
            labels = _labels(version)
            places = {key: place for place, key in enumerate(labels)}
            plan = [
                (key, labels.get(key, key), self._offered[name])
                for key, name in self._mapping.targets.items()
                if name in self._offered
            ]
            for _key, _label, target in plan:
                if isinstance(target.cell, cells.DateCell):
                    target.cell.is_day_first = True
            prefers_work = self._mapping.prefers_work
            plan.sort(
                key=lambda step: (
                    step[2].name != "country",
                    (step[0] in WORK) != prefers_work,
                    places.get(step[0], len(places)),
                    step[0],
                )
            )
            self._plans[pk] = [
                _Step(key, label, target.entity, target.name, target.is_custom, target.cell.clean)
                for key, label, target in plan
            ]
        return self._plans[pk]


def _labels(version: LeadFormVersion | None) -> dict[str, str]:
    return {q["key"]: q["label"] or q["name"] for q in version.questions} if version else {}


def values_of(read: Read) -> dict[str, Any]:
    """What is known of the person, her company and the lead, for a page: target keys with their values."""
    found: dict[str, Any] = {}
    for entity in ("contact", "account", "lead"):
        for name, value in getattr(read.cleaned, entity).items():
            pairs = value.items() if name == "custom" else [(name, value)]
            found |= {f"{entity}.{'custom.' if name == 'custom' else ''}{key}": each for key, each in pairs}
    return found
