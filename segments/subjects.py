"""What rules are about, and by which path a subject reaches fields and facts of others.

A contact's own facts are its own; a lead's are its contact's, or those of its account's people when it has no
contact; an account's are those of its people. Higher apps register their subjects in `ready()`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from segments.fields import Text


@dataclass(frozen=True)
class Any:
    """Any of the records that point at the subject: rows of `table` whose `key` is the subject's id, where `where`."""

    table: str
    key: str
    where: str


@dataclass(frozen=True)
class Subject:
    """A sort of record that rules can be about. In all SQL `{t}` is the subject's table and `{j}` the joined one.

    `name` and `hint` are what samples show. `one` maps an entity to the join of its only row (in terms of joins before
    it: `{contact}`); `any` maps an entity to the rows of which any may answer. `people` selects (subject_id,
    contact_id) of those whose facts count; empty: the subject is the contact itself.
    """

    key: str
    label: Text
    table: str
    where: str = "true"
    name: str = "'#' || {t}.id"
    hint: str = "''"
    one: Mapping[str, str] = field(default_factory=dict)
    any: Mapping[str, Any] = field(default_factory=dict)
    people: str = ""


_subjects: dict[str, Subject] = {}
_reached: dict[str, dict[str, Any]] = {}


def register(subject: Subject) -> None:
    """Make a sort of subject known."""
    _subjects[subject.key] = subject


def reach(subject: str, entity: str, path: Any) -> None:
    """Let rules about `subject` ask about any of its `entity` records, e.g. a contact's open leads."""
    _reached.setdefault(subject, {})[entity] = path


def get(key: str) -> Subject:
    return _subjects[key]


def keys() -> list[str]:
    return list(_subjects)


def path_to_any(subject: Subject, entity: str) -> Any | None:
    """The rows of `entity` of which any may answer for the subject."""
    return subject.any.get(entity) or _reached.get(subject.key, {}).get(entity)


def reaches(subject: Subject, entity: str) -> bool:
    """Whether rules about the subject may use the entity's fields."""
    return entity == subject.key or entity in subject.one or path_to_any(subject, entity) is not None
