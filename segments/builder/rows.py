"""What the builder's templates show: each node of a draft with its choices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from segments import subjects
from segments.builder import drafts
from segments.builder.drafts import Draft
from segments.fields import LISTS, OPERATORS, RELATIVE, Field, Type
from segments.rules.parsing import MAX_DEPTH, MAX_STEPS
from segments.rules.vocabulary import ANY_ACTIVITY, Vocabulary

MOST_CHOICES = 500


class Choice(NamedTuple):
    """An option of a select."""

    value: str
    label: str
    is_selected: bool


class Choices(NamedTuple):
    """Options under a heading (empty: without)."""

    label: str
    options: list[Choice]


class DetailRow(NamedTuple):
    """A test of what a fact says about itself."""

    keys: list[Choice]
    ops: list[Choice]
    value: str


@dataclass
class Row:
    """A condition or a group as the page shows it; what does not apply is empty.

    `base` begins the names of its inputs, `kind` is group, blank, field, did, sequence, member or consent.
    """

    place: str
    base: str
    kind: str
    error: str = ""
    about: str = ""
    abouts: list[Choices] = field(default_factory=list)
    is_step: bool = False
    # Groups.
    modes: list[Choice] = field(default_factory=list)
    children: list["Row"] = field(default_factory=list)
    may_nest: bool = False
    # Fields.
    type: str = ""
    ops: list[Choice] = field(default_factory=list)
    input: str = ""
    value: Any = ""
    high: Any = ""
    values: list[Choice] = field(default_factory=list)
    # Behaviours and sequences.
    verbs: list[Choice] = field(default_factory=list)
    objects: list[Choice] = field(default_factory=list)
    is_several: bool = False
    links: list[Choice] = field(default_factory=list)
    has_links: bool = False
    details: list[DetailRow] = field(default_factory=list)
    counts: list[Choice] = field(default_factory=list)
    times: Any = 1
    most: Any = ""
    whens: list[Choice] = field(default_factory=list)
    when: str = ""
    days: Any = ""
    within: Any = ""
    low_day: Any = ""
    high_day: Any = ""
    bys: list[Choice] = field(default_factory=list)
    may_add_step: bool = False
    # Consent.
    states: list[Choice] = field(default_factory=list)

    @property
    def count(self) -> str:
        return next((choice.value for choice in self.counts if choice.is_selected), "")


class Rows:
    """Makes the rows of one builder."""

    def __init__(self, subject: str, name: str, words: Vocabulary, error: tuple[str, str] = ("", "")) -> None:
        """`error` is a place and what is wrong there."""
        self.subject, self.name, self.words, self.error = subject, name, words, error

    def of(self, draft: Draft) -> Row:
        return self.node(drafts.normal(draft), drafts.ROOT, 1)

    def node(self, draft: Draft, place: str, depth: int) -> Row:
        mode = drafts.mode_of(draft)
        if not mode:
            return self.condition(draft, place)
        row = self.row(place, "group")
        known = {"all": _("all"), "any": _("any"), "none": _("none")}
        if mode == "not_all":
            known["not_all"] = _("not all")
        row.modes = _choices(known.items(), mode)
        row.children = [
            self.node(child, f"{place}-{n}", depth + 1) for n, child in enumerate(drafts.children_of(draft))
        ]
        row.may_nest = depth < MAX_DEPTH - 1
        return row

    def row(self, place: str, kind: str) -> Row:
        error = self.error[1] if self.error[0] == place else ""
        return Row(place, f"{self.name}.{place}", kind, error)

    def condition(self, draft: Draft, place: str) -> Row:
        if "field" in draft:
            return self.field(draft, place)
        if "did" in draft or "did_not" in draft:
            return self.did(draft, place)
        if "sequence" in draft:
            return self.sequence(draft, place)
        if "member_of" in draft:
            row = self.about(place, "member", "member")
            row.values = _choices(_blank(self.words.segments.items()), draft["member_of"])
            return row
        if "consent" in draft:
            row = self.about(place, "consent", "consent")
            row.values = _choices(_blank(self.words.purposes.items()), draft["consent"])
            states = {"granted": _("agreed"), "refused": _("refused"), "none": _("never said anything")}
            row.states = _choices(states.items(), draft.get("state", "granted"))
            return row
        return self.about(place, "blank", "")

    def about(self, place: str, kind: str, about: str) -> Row:
        """A condition with the select that says what it is about."""
        row = self.row(place, kind)
        row.about = about
        row.abouts = self.abouts(about)
        return row

    def abouts(self, chosen: str) -> list[Choices]:
        """Everything that a condition may be about, under headings."""
        owners = {"contact": _("Contact"), "account": _("Account"), "lead": _("Lead"), "role": _("Buying role")}
        by_owner: dict[str, list[Any]] = {}
        for known in self.words.fields_for(self.subject):
            by_owner.setdefault(known.entity, []).append((f"field:{known.key}", known.label))
        groups = [
            Choices(owners.get(owner, owner), _choices(options, chosen))
            for owner, options in sorted(by_owner.items(), key=lambda pair: pair[0] != self.subject)
        ]
        found = [*groups, Choices(_("Behavior"), _choices(self.kinds(), chosen))]
        more = [("sequence", _("One thing, then another")), ("member", _("Is in a segment")), ("consent", _("Consent"))]
        found.append(Choices(_("More"), _choices(more, chosen)))
        if chosen and not any(option.is_selected for group in found for option in group.options):
            label = _("%(key)s (gone)") % {"key": chosen.partition(":")[2]}
            found.append(Choices("", [Choice(chosen, label, True)]))
        return found

    def kinds(self) -> list[tuple[str, Any]]:
        kinds = [(f"did:{kind.key}", kind.title) for kind in self.words.kinds()]
        return [(f"did:{ANY_ACTIVITY}", _("Any activity")), *kinds]

    # ---- fields ----

    def field(self, draft: Draft, place: str) -> Row:
        row = self.about(place, "field", f"field:{draft['field']}")
        try:
            known = self.words.field(draft["field"])
        except LookupError:
            return row
        op = draft.get("op") if draft.get("op") in known.operators else known.operators[0]
        row.type = known.type
        row.ops = _choices([(key, OPERATORS[key]) for key in known.operators], op)
        row.input = _input(known, str(op))
        value = draft.get("value")
        if op == "between":
            row.value, row.high = value if isinstance(value, list | tuple) and len(value) == 2 else ("", "")
        elif row.input == "list":
            row.value = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value or ""
        elif row.input in ("choice", "choices"):
            row.values = _choices(self.options(known, row.input), value)
        else:
            row.value = "" if value is None else value
        return row

    def options(self, known: Field, input_: str) -> Iterable[tuple[Any, Any]]:
        if known.type == Type.BOOLEAN:
            return [("true", _("yes")), ("false", _("no"))]
        options = list(self.words.choices(known).items())[:MOST_CHOICES]
        return options if input_ == "choices" else _blank(options)

    # ---- behaviours ----

    def did(self, draft: Draft, place: str) -> Row:
        verb = "did_not" if "did_not" in draft else "did"
        row = self.behavior(draft, place, draft[verb])
        row.verbs = _choices([("did", _("did")), ("did_not", _("did not"))], verb)
        low, most = draft.get("at_least", 1), draft.get("at_most")
        count = "least" if most is None else "exactly" if most == low else "range"
        row.counts = _choices([("least", _("at least")), ("exactly", _("exactly")), ("range", _("from … to"))], count)
        row.times, row.most = low, "" if most is None else most
        between = draft.get("between")
        row.when = "between" if between else "last" if draft.get("within_days") else ""
        row.whens = _choices([("", _("ever")), ("last", _("in the last")), ("between", _("between"))], row.when)
        row.days = draft.get("within_days", "")
        row.low_day, row.high_day = between or ("", "")
        row.bys = self.bys(draft)
        return row

    def behavior(self, draft: Draft, place: str, kind: str) -> Row:
        """What was done, on what: shared by conditions and the steps of sequences."""
        row = self.about(place, "did", f"did:{kind}" if kind else "")
        try:
            known = None if kind in ("", ANY_ACTIVITY) else self.words.kind(kind)
        except LookupError:
            return row
        if known is None:
            return row
        row.is_several = isinstance(draft.get("object"), list)
        objects = self.present(self.words.objects(kind), draft.get("object"))
        row.objects = _choices(objects if row.is_several else [("", _("any")), *objects], draft.get("object", ""))
        row.has_links = "link" in known.fields
        if row.has_links and (links := self.links(draft)):
            row.links = _choices([("", _("any link")), *links], draft.get("link", ""))
        row.details = [
            DetailRow(
                _choices([("", _("anywhere")), *known.fields.items()], key),
                _choices([(op, OPERATORS[op]) for op in ("contains", "is", "begins")], test.get("op", "contains")),
                test.get("value", ""),
            )
            for key, test in (_details(draft) or ([("", {})] if known.fields else []))
        ]
        return row

    def links(self, draft: Draft) -> list[tuple[Any, str]]:
        """The links of the chosen e-mails; without one, those that the rule names already.

        When another e-mail is chosen the former one's link goes; a deleted link stays to be seen.
        """
        mails, chosen = _ids(draft.get("object")), _ids(draft.get("link"))
        known = self.words.objects_called("link")
        links = self.words.links_of(mails) if mails else {id_: known[id_] for id_ in chosen if id_ in known}
        return self.present(links, [id_ for id_ in chosen if id_ not in known])

    def present(self, known: Mapping[Any, str], chosen: Any) -> list[tuple[Any, str]]:
        """The choices; what was chosen and deleted since stays among them, or the rule would silently say less."""
        gone = [(id_, _("deleted, #%(id)d") % {"id": id_}) for id_ in _ids(chosen) if id_ not in known]
        return [*list(known.items())[:MOST_CHOICES], *gone]

    def bys(self, draft: Draft) -> list[Choice]:
        """Whose behavior counts, where there is a choice."""
        if "account" not in subjects.get(self.subject).one:
            return []
        own = {"contact": _("the contact"), "lead": _("the lead’s contact")}.get(self.subject, _("its own"))
        options = [("self", own), ("account_contacts", _("anybody at the account"))]
        return _choices(options, draft.get("by", "self"))

    def sequence(self, draft: Draft, place: str) -> Row:
        row = self.about(place, "sequence", "sequence")
        for n, step in enumerate(draft["sequence"]):
            child = self.behavior(step, f"{place}-{n}", step.get("did", ""))
            child.is_step = True
            child.abouts = [Choices("", _choices(self.kinds(), child.about))]
            row.children.append(child)
        row.within = draft.get("within_days", 7)
        row.when = "last" if draft.get("in_last_days") else ""
        row.whens = _choices([("", _("ever")), ("last", _("in the last"))], row.when)
        row.days = draft.get("in_last_days", "")
        row.bys = self.bys(draft)
        row.may_add_step = len(row.children) < MAX_STEPS
        return row


def _details(draft: Draft) -> list[tuple[str, dict[str, Any]]]:
    where = draft.get("where") or {}
    return [(key, test if isinstance(test, dict) else {"op": "is", "value": test}) for key, test in where.items()]


def _input(known: Field, op: str) -> str:
    """Which input takes the value: none, days, list, choice, choices, number, date or text."""
    if op in ("has_value", "has_none"):
        return "none"
    if op in RELATIVE:
        return "days"
    if known.type in (Type.BOOLEAN, Type.CHOICE, Type.LOOKUP):
        return "choices" if op in LISTS else "choice"
    if op in LISTS:
        return "list"
    return {Type.NUMBER: "number", Type.DATE: "date", Type.MOMENT: "date"}.get(Type(known.type), "text")


def _blank(options: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return [("", _("choose …")), *options]


def _ids(chosen: Any) -> list[int]:
    """The ids of a draft's object or link: none, one or several."""
    several = chosen if isinstance(chosen, list | tuple) else [chosen]
    return [id_ for id_ in several if isinstance(id_, int)]


def _choices(options: Iterable[tuple[Any, Any]], chosen: Any) -> list[Choice]:
    if isinstance(chosen, bool):
        chosen = "true" if chosen else "false"
    several = {str(each) for each in chosen} if isinstance(chosen, list | tuple) else {str(chosen)}
    return [Choice(str(value), str(label), str(value) in several) for value, label in options]
