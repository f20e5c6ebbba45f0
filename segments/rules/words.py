"""A rule in words, as a marketer would say it."""

from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from segments.fields import OPERATORS, Type
from segments.rules.nodes import ConsentTest, Detail, Did, FieldTest, Group, Leaf, MemberOf, Node, Not, Rule, Sequence
from segments.rules.vocabulary import ANY_ACTIVITY, Vocabulary

_SHOWN = 5


def in_words(rule: Rule, vocabulary: Vocabulary | None = None) -> str:
    """The rule as one sentence part, in the scope of its tenant."""
    return _Speaker(rule.subject, vocabulary or Vocabulary()).node(rule.root, is_outer=True)


class _Speaker:
    def __init__(self, subject: str, words: Vocabulary) -> None:
        self.subject = subject
        self.words = words

    def node(self, node: Node, *, is_outer: bool = False) -> str:
        if isinstance(node, Group):
            return self.group(node, is_outer)
        if isinstance(node, Not):
            return _("not (%(what)s)") % {"what": self.node(node.child, is_outer=True)}
        return self.leaf(node)

    def group(self, group: Group, is_outer: bool) -> str:
        if not group.children:
            return _("everybody")
        joiner = f" {_('and')} " if group.mode == "all" else f" {_('or')} "
        said = joiner.join(self.node(child) for child in group.children)
        return said if is_outer or len(group.children) == 1 else f"({said})"

    def leaf(self, leaf: Leaf) -> str:
        if isinstance(leaf, FieldTest):
            return self.field_test(leaf)
        if isinstance(leaf, Did):
            return self.did(leaf)
        if isinstance(leaf, Sequence):
            return self.sequence(leaf)
        if isinstance(leaf, MemberOf):
            name = self.words.segments.get(leaf.segment_id, _("a deleted segment"))
            return _("is in the segment “%(name)s”") % {"name": name}
        return self.consent(leaf)

    def field_test(self, test: FieldTest) -> str:
        label = str(test.field.label)
        if test.field.entity != self.subject:
            owner = {"account": _("account"), "lead": _("any open lead"), "contact": _("contact")}
            label = f"{label} ({owner.get(test.field.entity, test.field.entity)})"
        days = {"n": test.value}
        if test.op == "in_last_days":
            said = ngettext("is in the last %(n)d day", "is in the last %(n)d days", days["n"]) % days  # type: ignore[arg-type]
        elif test.op == "in_next_days":
            said = ngettext("is in the next %(n)d day", "is in the next %(n)d days", days["n"]) % days  # type: ignore[arg-type]
        elif test.op == "days_ago":
            said = ngettext("is at least %(n)d day ago", "is at least %(n)d days ago", days["n"]) % days  # type: ignore[arg-type]
        elif test.value is None:
            said = str(OPERATORS[test.op])
        else:
            said = f"{OPERATORS[test.op]} {self.value(test)}"
        return f"{label} {said}"

    def value(self, test: FieldTest) -> str:
        if test.op == "between":
            low, high = (self.one(test, each) for each in test.value)  # type: ignore[union-attr]
            return _("%(low)s and %(high)s") % {"low": low, "high": high}
        if isinstance(test.value, tuple):
            shown = ", ".join(self.one(test, each) for each in test.value[:_SHOWN])
            more = len(test.value) - _SHOWN
            return shown if more <= 0 else _("%(shown)s and %(n)d more") % {"shown": shown, "n": more}
        return self.one(test, test.value)

    def one(self, test: FieldTest, value: Any) -> str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, date):
            return date_format(value, "DATE_FORMAT")
        if test.field.type in (Type.CHOICE, Type.LOOKUP):
            labels = {str(key): label for key, label in self.words.choices(test.field).items()}
            missing = str(value) if test.field.type == Type.CHOICE else _("a deleted record")
            return f"“{labels.get(str(value), missing)}”"
        return str(value) if isinstance(value, int) else f"“{value}”"

    def did(self, did: Did) -> str:
        what = " ".join(part for part in (self.what(did), self.times(did), self.when(did)) if part)
        if did.by == "account_contacts":
            what = _("%(what)s (anybody at the account)") % {"what": what}
        return _("did not: %(what)s") % {"what": what} if did.is_negated else what

    def what(self, did: Did) -> str:
        """What was done, to which objects."""
        title = _("Any activity") if did.kind == ANY_ACTIVITY else str(self.words.kind(did.kind).title)
        about = [self.named(self.words.objects(did.kind), id_) for id_ in did.objects]
        about += [self.named(self.words.objects_called("link"), id_) for id_ in did.links]
        about += [self.detail(did.kind, detail) for detail in did.where]
        return f"{title} ({', '.join(about)})" if about else title

    def named(self, names: dict[Any, str], id_: int) -> str:
        return f"“{names[id_]}”" if id_ in names else _("deleted, #%(id)d") % {"id": id_}

    def detail(self, kind: str, detail: Detail) -> str:
        label = self.words.kind(kind).fields.get(detail.key, detail.key)
        return f"{label} {OPERATORS[detail.op]} “{detail.value}”"

    def times(self, did: Did) -> str:
        if did.at_most == did.at_least:
            return ngettext("exactly once", "exactly %(n)d times", did.at_least) % {"n": did.at_least}
        if did.at_most is not None:
            return _("%(low)d to %(high)d times") % {"low": did.at_least, "high": did.at_most}
        return "" if did.at_least == 1 else _("at least %(n)d times") % {"n": did.at_least}

    def when(self, did: Did) -> str:
        if did.within_days is not None:
            return self.last_days(did.within_days)
        if did.between is not None:
            low, high = (date_format(day, "DATE_FORMAT") for day in did.between)
            return _("between %(low)s and %(high)s") % {"low": low, "high": high}
        return ""

    def last_days(self, days: int) -> str:
        return ngettext("in the last day", "in the last %(n)d days", days) % {"n": days}

    def sequence(self, sequence: Sequence) -> str:
        steps = pgettext("between the steps of a sequence", ", then ").join(self.what(step) for step in sequence.steps)
        within = ngettext("within a day", "within %(n)d days", sequence.within_days) % {"n": sequence.within_days}
        said = f"{steps} {within}"
        if sequence.in_last_days:
            said = f"{said}, {self.last_days(sequence.in_last_days)}"
        if sequence.by == "account_contacts":
            said = _("%(what)s (anybody at the account)") % {"what": said}
        return said

    def consent(self, test: ConsentTest) -> str:
        name = self.words.purposes.get(test.purpose_id, _("a deleted purpose"))
        said = {
            "granted": _("agreed to “%(purpose)s”"),
            "refused": _("refused “%(purpose)s”"),
            "none": _("never said anything about “%(purpose)s”"),
        }
        return said[test.state] % {"purpose": name}
