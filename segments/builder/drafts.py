"""A rule while it is edited: read from a form's fields, changed by its buttons, ready for the parser.

A draft is a rule's JSON in which conditions may be missing or incomplete. Its nodes have places: "r" is the outermost
group, "r-0" its first child. Each node's inputs are called `<name>.<place>.<what>`, and `<name>.node` lists the places.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from segments.fields import LISTS, RELATIVE

Draft = dict[str, Any]
ROOT = "r"
# Conditions that name one thing by its id.
_ABOUT_ONE = ("member_of", "consent")
# How a group's children are combined, in JSON.
MODES = {
    "all": lambda children: {"all": children},
    "any": lambda children: {"any": children},
    "none": lambda children: {"not": {"any": children}},
    "not_all": lambda children: {"not": {"all": children}},
}


def readable(json: Any) -> Draft:
    """What of any JSON the rows can show: a part that is no condition becomes an empty one."""
    if not isinstance(json, Mapping):
        return {}
    for key in ("all", "any"):
        if key in json:
            children = json[key] if isinstance(json[key], list | tuple) else [None]
            return {key: [readable(child) for child in children]}
    if "not" in json:
        return {"not": readable(json["not"])}
    if "sequence" in json:
        steps = json["sequence"] if isinstance(json["sequence"], list | tuple) else []
        return {**json, "sequence": [step if _has_shape(step, "did") else {"did": ""} for step in steps]}
    return dict(json) if any(_has_shape(json, key) for key in ("field", "did", "did_not", *_ABOUT_ONE)) else {}


def _has_shape(json: Any, key: str) -> bool:
    """Whether the condition about `key` has the parts that its row reads, whatever they say."""
    if not isinstance(json, Mapping) or not isinstance(json.get(key, b""), int | None if key in _ABOUT_ONE else str):
        return False
    between, where = json.get("between", ("", "")), json.get("where", {})
    return isinstance(between, list | tuple) and len(between) == 2 and isinstance(where, Mapping)


def normal(json: Any) -> Draft:
    """A rule's JSON as the builder shows it: a group at the root, `not` only around groups."""
    found = _normal(json or {})
    return found if mode_of(found) else {"all": [found] if found else [{}]}


def _normal(json: Any) -> Draft:
    mode = mode_of(json)
    if mode:
        return MODES[mode]([_normal(child) for child in children_of(json)])
    if "not" in json:
        inner = json["not"]
        if isinstance(inner, Mapping) and "not" in inner:
            return _normal(inner["not"])
        return {"not": {"any": [_normal(inner)]}}
    return dict(json)


def mode_of(json: Mapping[str, Any]) -> str:
    """How a group combines its children; empty for a condition."""
    if "all" in json or "any" in json:
        return "all" if "all" in json else "any"
    inner = json.get("not")
    if isinstance(inner, Mapping) and ("any" in inner or "all" in inner):
        return "none" if "any" in inner else "not_all"
    return ""


def children_of(json: Mapping[str, Any]) -> list[Draft]:
    """A group's children."""
    inner = json.get("not", json)
    return list(inner.get("all", inner.get("any", [])))


def without_blanks(draft: Draft) -> Draft:
    """The draft without conditions about nothing, and without groups that have become empty; {} if nothing is left."""
    mode = mode_of(draft)
    if not mode:
        return draft
    children = [kept for child in children_of(draft) if (kept := without_blanks(child))]
    return MODES[mode](children) if children else {}


def place_of(path: Sequence[str | int]) -> str:
    """The place of the node that a RuleError's path leads to."""
    return "-".join([ROOT, *(str(step) for step in path if isinstance(step, int))])


def read(form: QueryDict | Mapping[str, Any], name: str) -> Draft:
    """The draft that a form's fields say, after the pressed button (`<name>.action`) has done its work."""
    reader = _Reader(form, name)
    action, _, place = reader.one("action").partition(":")
    return reader.group(ROOT, action, place)


def is_posted(form: QueryDict | Mapping[str, Any], name: str) -> bool:
    """Whether the form has the builder's fields."""
    return f"{name}.node" in form


class _Reader:
    """Reads the fields of one builder."""

    def __init__(self, form: QueryDict | Mapping[str, Any], name: str) -> None:
        self.form, self.name = form, name
        self.places = self.many("node")

    def one(self, what: str) -> str:
        return str(self.form.get(f"{self.name}.{what}") or "").strip()

    def many(self, what: str) -> list[str]:
        key = f"{self.name}.{what}"
        values = self.form.getlist(key) if isinstance(self.form, QueryDict) else self.form.get(key, [])
        return [str(value) for value in values if str(value).strip()]

    def children(self, place: str) -> Iterator[str]:
        """The places right below one, in the order of the page."""
        for other in self.places:
            if other.startswith(f"{place}-") and "-" not in other[len(place) + 1 :]:
                yield other

    def group(self, place: str, action: str, target: str) -> Draft:
        """A group with what the button did to it: a condition or a group added, a child removed."""
        children = [
            self.group(child, action, target) if self.one(f"{child}.mode") else self.condition(child, action, target)
            for child in self.children(place)
            if not (action == "remove" and target == child)
        ]
        if target == place and action == "add":
            children.append({})
        elif target == place and action == "group":
            children.append({"any": [{}]})
        mode = self.one(f"{place}.mode")
        return MODES.get(mode, MODES["all"])(children)

    def condition(self, place: str, action: str, target: str) -> Draft:
        about, key = self.about(place)
        if about == "field":
            return self.field(place, key)
        if about == "did":
            return self.behavior(place, key) | self.window(place)
        if about == "sequence":
            return self.sequence(place, action, target)
        if about == "member":
            return {"member_of": _number(self.one(f"{place}.segment"))}
        if about == "consent":
            return {
                "consent": _number(self.one(f"{place}.purpose")),
                "state": self.one(f"{place}.state") or "granted",
            }
        return {}

    def about(self, place: str) -> tuple[str, str]:
        about, _, key = self.one(f"{place}.about").partition(":")
        return about, key

    def is_new(self, place: str) -> bool:
        """Whether another thing was chosen to ask about: then what was entered for the former is dropped."""
        return self.one(f"{place}.was") != self.one(f"{place}.about")

    def field(self, place: str, key: str) -> Draft:
        if self.is_new(place):
            return {"field": key}
        op = self.one(f"{place}.op")
        draft: Draft = {"field": key, "op": op}
        if op in ("has_value", "has_none"):
            return draft
        if op == "between":
            return draft | {"value": [self.one(f"{place}.value"), self.one(f"{place}.high")]}
        if op in LISTS:
            values = self.many(f"{place}.value")
            if self.one(f"{place}.type") == "text":
                values = [part.strip() for value in values for part in value.split(",") if part.strip()]
            return draft | {"value": values}
        value = self.one(f"{place}.value")
        return draft | {"value": _number(value) if op in RELATIVE else value}

    def behavior(self, place: str, kind: str) -> Draft:
        """What was done and how often; also a step of a sequence, which has no more than that."""
        verb = "did_not" if self.one(f"{place}.verb") == "did_not" else "did"
        draft: Draft = {verb: kind}
        if self.is_new(place):
            return draft
        for what in ("object", "link"):
            ids = [number for value in self.many(f"{place}.{what}") if (number := _number(value))]
            if ids:
                draft[what] = ids[0] if len(ids) == 1 else ids
        where = {
            key: {"op": self.one(f"{place}.detail_op{n}") or "contains", "value": self.one(f"{place}.detail{n}")}
            for n in range(len(self.many(f"{place}.details")))
            if (key := self.one(f"{place}.detail_key{n}"))
        }
        return draft | ({"where": where} if where else {})

    def window(self, place: str) -> Draft:
        """How often, when and by whom."""
        draft: Draft = {}
        count, low = self.one(f"{place}.count"), _number(self.one(f"{place}.times"))
        if low is not None and (count in ("exactly", "range") or low != 1):
            draft["at_least"] = low
        if count == "exactly":
            draft["at_most"] = low if low is not None else 1
        elif count == "range":
            draft["at_most"] = _number(self.one(f"{place}.most")) or low
        when = self.one(f"{place}.when")
        if when == "last":
            draft["within_days"] = _number(self.one(f"{place}.days")) or 30
        elif when == "between":
            draft["between"] = [self.one(f"{place}.from"), self.one(f"{place}.until")]
        if self.one(f"{place}.by") == "account_contacts":
            draft["by"] = "account_contacts"
        return draft

    def sequence(self, place: str, action: str, target: str) -> Draft:
        steps = [
            self.behavior(step, self.about(step)[1])
            for step in self.children(place)
            if not (action == "remove" and target == step)
        ]
        steps = [
            {"did": next(iter(step.values()))} | {k: v for k, v in step.items() if k != "did_not"} for step in steps
        ]
        if target == place and action == "step":
            steps.append({"did": ""})
        while len(steps) < 2:
            steps.append({"did": ""})
        draft: Draft = {"sequence": steps, "within_days": _number(self.one(f"{place}.within")) or 7}
        if self.one(f"{place}.when") == "last":
            draft["in_last_days"] = _number(self.one(f"{place}.days")) or 90
        if self.one(f"{place}.by") == "account_contacts":
            draft["by"] = "account_contacts"
        return draft


def _number(text: str) -> int | None:
    """A whole number, or None."""
    try:
        return int(text)
    except ValueError:
        return None
