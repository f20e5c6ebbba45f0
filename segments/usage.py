"""Who uses a segment, a field or a kind: asked before something is archived or retired."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import Field
from segments.models import Segment
from segments.rules import FieldTest, RuleError, leaves, parse, watches
from segments.rules.vocabulary import Vocabulary


class Use(NamedTuple):
    """Something that uses a segment: what it is called and where it is."""

    label: str
    path: str


class Mentions(NamedTuple):
    """What something names: ids of segments, and keys of fields ("contact.custom.tier")."""

    segments: frozenset[int] = frozenset()
    fields: frozenset[str] = frozenset()


# Callables (segment) -> uses; higher apps add theirs in ready().
usages: list[Callable[[Segment], list[Use]]] = []


def of_segment(segment: Segment) -> list[Use]:
    """Everything that uses the segment."""
    return [use for usage in usages for use in usage(segment)]


def mentions(json: Any) -> Mentions:
    """What a rule's JSON names, whether or not it can be used."""
    if isinstance(json, list | tuple):
        found = [mentions(each) for each in json]
    elif isinstance(json, Mapping):
        own = Mentions(
            frozenset([json["member_of"]]) if isinstance(json.get("member_of"), int) else frozenset(),
            frozenset([json["field"]]) if isinstance(json.get("field"), str) else frozenset(),
        )
        found = [own, *(mentions(json[key]) for key in ("all", "any", "not") if key in json)]
    else:
        found = []
    return Mentions(
        frozenset().union(*(each.segments for each in found)), frozenset().union(*(each.fields for each in found))
    )


def other_segments(segment: Segment) -> list[Use]:
    """Segments whose rule asks about this one."""
    label = _("Segment: %(name)s")
    return [
        Use(label % {"name": other.name}, reverse("segments:detail", args=[other.pk]))
        for other, wanted in asked_about().items()
        if segment.pk in wanted
    ]


def asked_about() -> dict[Segment, frozenset[int]]:
    """Each dynamic segment that is not archived, with the segments that it asks membership of."""
    words = Vocabulary()
    found = {}
    for segment in Segment.objects.filter(kind=Segment.Kind.DYNAMIC).exclude(state=Segment.State.ARCHIVED):
        try:
            found[segment] = watches(parse(segment.rule, "contact", words)).segments
        except RuleError:
            continue
    return found


def of_field(field: Field) -> list[str]:
    """Segments whose rule names a tenant's own field, in words."""
    key, words, found = f"{field.entity}.custom.{field.key}", Vocabulary(), []
    for segment in Segment.objects.filter(kind=Segment.Kind.DYNAMIC).exclude(state=Segment.State.ARCHIVED):
        try:
            rule = parse(segment.rule, "contact", words)
        except RuleError:
            continue
        if any(isinstance(leaf, FieldTest) and leaf.field.key == key for leaf in leaves(rule.root)):
            found.append(_("Segment: %(name)s") % {"name": segment.name})
    return found
