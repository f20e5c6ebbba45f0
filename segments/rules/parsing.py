"""From JSON to a rule: everything that a rule says is checked here, and what is wrong is said with its place."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from django.utils.translation import gettext as _

from segments import subjects
from segments.rules import values
from segments.rules.errors import Path, RuleError
from segments.rules.nodes import ConsentTest, Detail, Did, FieldTest, Group, MemberOf, Node, Not, Rule, Sequence, leaves
from segments.rules.vocabulary import ANY_ACTIVITY, Vocabulary

MAX_DEPTH = 10
MAX_LEAVES = 100
MAX_STEPS = 5


def parse(json: Any, subject: str, vocabulary: Vocabulary | None = None) -> Rule:
    """The rule that `json` says about subjects ("contact", "lead", "account"), in the scope of its tenant.

    Raises RuleError naming the place of what is wrong and what to do about it. An empty rule holds for everybody.
    """
    if subject not in subjects.keys():  # noqa: SIM118
        raise ValueError(f"{subject} is no subject of rules")
    words = vocabulary or Vocabulary()
    root = _Parser(subject, words).node({"all": []} if json in (None, {}) else json, (), 1)
    if len(list(leaves(root))) > MAX_LEAVES:
        raise RuleError(
            (), _("A rule has at most %(count)d conditions; split it into segments.") % {"count": MAX_LEAVES}
        )
    return Rule(subject, root, words.zone)


class _Parser:
    """Reads one rule; each method takes a part of the JSON and its path."""

    def __init__(self, subject: str, words: Vocabulary) -> None:
        self.subject = subject
        self.words = words

    def node(self, json: Any, path: Path, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise RuleError(path, _("Groups are nested at most %(depth)d deep.") % {"depth": MAX_DEPTH})
        if not isinstance(json, Mapping):
            raise RuleError(path, _("This is not a condition. Remove it and add it again."))
        for key in ("all", "any"):
            if key in json:
                return self.group(json, key, path, depth)
        if "not" in json:
            _only(json, {"not"}, path)
            return Not(self.node(json["not"], (*path, "not"), depth + 1))
        return self.leaf(json, path)

    def group(self, json: Mapping[str, Any], key: str, path: Path, depth: int) -> Node:
        _only(json, {key}, path)
        children = json[key]
        if not isinstance(children, list | tuple):
            raise RuleError(path, _("A group is a list of conditions."))
        if not children and (path or key == "any"):
            raise RuleError(path, _("This group is empty. Add a condition or remove the group."))
        parsed = [self.node(child, (*path, key, i), depth + 1) for i, child in enumerate(children)]
        return Group(key, tuple(parsed))  # type: ignore[arg-type]

    def leaf(self, json: Mapping[str, Any], path: Path) -> Node:
        for key, read in (
            ("field", self.field_test),
            ("did", self.did),
            ("did_not", self.did),
            ("sequence", self.sequence),
            ("member_of", self.member_of),
            ("consent", self.consent),
        ):
            if key in json:
                try:
                    return read(json, path)
                except values.Wrong as error:
                    raise RuleError(path, str(error)) from None
        raise RuleError(path, _("Choose what this condition is about."))

    def field_test(self, json: Mapping[str, Any], path: Path) -> FieldTest:
        _only(json, {"field", "op", "value"}, path)
        try:
            field = self.words.field(str(json["field"]))
        except LookupError as error:
            raise RuleError(
                path, _("%(error)s Choose another or remove this condition.") % {"error": error.args[0]}
            ) from None
        if not subjects.reaches(subjects.get(self.subject), field.entity):
            raise RuleError(path, _("“%(field)s” cannot be asked about here.") % {"field": field.label})
        op = json.get("op")
        if op not in field.operators:
            raise RuleError(path, _("“%(field)s”: choose a comparison.") % {"field": field.label})
        try:
            return FieldTest(field, op, values.of_test(field.type, op, json.get("value")))
        except values.Wrong as error:
            raise RuleError(path, f"{field.label}: {error}") from None

    def did(self, json: Mapping[str, Any], path: Path) -> Did:
        is_negated = "did_not" in json
        verb = "did_not" if is_negated else "did"
        _only(json, {verb, "object", "link", "where", "at_least", "at_most", "within_days", "between", "by"}, path)
        kind = str(json[verb])
        at_least = values.whole(json.get("at_least", 1), _("times"), low=1, high=10_000)
        at_most = json.get("at_most")
        if at_most is not None:
            at_most = values.whole(at_most, _("times"), low=at_least, high=10_000)
        if json.get("within_days") is not None and json.get("between") is not None:
            raise RuleError(path, _("Choose either the last days or a period, not both."))
        return Did(
            kind=kind,
            objects=values.ids(json.get("object")),
            links=values.ids(json.get("link")),
            where=self.details(kind, json.get("where"), path),
            at_least=at_least,
            at_most=at_most,
            within_days=values.days(json.get("within_days")),
            between=cast("tuple[date, date] | None", values.period(json.get("between"))),
            by=self.by(json, path),
            is_negated=is_negated,
        )

    def details(self, kind: str, json: Any, path: Path) -> tuple[Detail, ...]:
        """What the fact must say; also checks that rules may use the kind."""
        try:
            known = {} if kind == ANY_ACTIVITY else self.words.kind(kind).fields
        except LookupError as error:
            raise RuleError(
                path, _("%(error)s Choose another or remove this condition.") % {"error": error.args[0]}
            ) from None
        if json is not None and not isinstance(json, Mapping):
            raise RuleError(path, _("This is not a condition. Remove it and add it again."))
        found = []
        for key, test in (json or {}).items():
            if key not in known:
                raise RuleError(path, _("There is no detail “%(key)s” here.") % {"key": key})
            op, value = (test.get("op"), test.get("value")) if isinstance(test, Mapping) else ("is", test)
            if op not in ("is", "contains", "begins"):
                raise RuleError(path, _("“%(field)s”: choose a comparison.") % {"field": known[key]})
            found.append(Detail(key, cast(Any, op), values.text(value)))
        return tuple(found)

    def by(self, json: Mapping[str, Any], path: Path) -> Any:
        by = json.get("by", "self")
        if by == self.subject or by is None:
            return "self"
        if by not in ("self", "account_contacts"):
            raise RuleError(path, _("Choose whose behavior counts."))
        is_same = self.subject == "account"
        return "self" if is_same else by

    def sequence(self, json: Mapping[str, Any], path: Path) -> Sequence:
        _only(json, {"sequence", "within_days", "in_last_days", "by"}, path)
        steps = json["sequence"]
        if not isinstance(steps, list | tuple) or not 2 <= len(steps) <= MAX_STEPS:
            raise RuleError(path, _("A sequence has two to %(count)d steps.") % {"count": MAX_STEPS})
        parsed = []
        for i, step in enumerate(steps):
            place = (*path, "sequence", i)
            if not isinstance(step, Mapping) or "did" not in step:
                raise RuleError(place, _("A step of a sequence is something that was done."))
            _only(step, {"did", "object", "link", "where"}, place)
            parsed.append(self.did(step, place))
        within = values.days(json.get("within_days"))
        if within is None:
            raise RuleError(path, _("Enter within how many days the sequence happens."))
        return Sequence(tuple(parsed), within, values.days(json.get("in_last_days")), self.by(json, path))

    def member_of(self, json: Mapping[str, Any], path: Path) -> MemberOf:
        _only(json, {"member_of"}, path)
        segment = values.whole(json["member_of"], _("segment"), low=1)
        if segment not in self.words.segments:
            raise RuleError(path, _("This segment no longer exists. Choose another or remove this condition."))
        return MemberOf(segment)

    def consent(self, json: Mapping[str, Any], path: Path) -> ConsentTest:
        _only(json, {"consent", "state"}, path)
        purpose = values.whole(json["consent"], _("purpose"), low=1)
        if purpose not in self.words.purposes:
            raise RuleError(path, _("This purpose no longer exists. Choose another or remove this condition."))
        state = json.get("state", "granted")
        if state not in ("granted", "refused", "none"):
            raise RuleError(path, _("Choose whether consent was granted, refused or neither."))
        return ConsentTest(purpose, state)


def _only(json: Mapping[str, Any], known: set[str], path: Path) -> None:
    unknown = set(json) - known
    if unknown:
        raise RuleError(path, _("“%(key)s” does not belong here.") % {"key": sorted(map(str, unknown))[0]})
