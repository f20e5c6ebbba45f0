"""What is done with segments: made, changed, taken live, archived. Each is written into the audit trail."""

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts import timeline
from segments import membership, usage
from segments.models import Segment
from segments.rules import RuleError, parse, watches
from tenants import audit
from tenants.models import Member
from tenants.wakeups import announce


class Refused(ValueError):
    """What was asked for cannot be done; the text says why and what to do."""


def create(values: Mapping[str, Any], by: Member | None) -> Segment:
    """Make a segment from values (name, description, kind, rule). A static one is ready at once, a dynamic one a draft.

    Raises RuleError for a rule that cannot be used.
    """
    segment = Segment(**values, created_by=by)
    if segment.kind == Segment.Kind.STATIC:
        segment.state, segment.rule = Segment.State.LIVE, {}
    else:
        check(segment)
    segment.save(force_insert=True)
    audit.write("segment.created", segment, by=by)
    return segment


def change(segment: Segment, values: Mapping[str, Any], by: Member | None) -> None:
    """Change name, description or rule; a live segment with a new rule is evaluated for everybody.

    Raises RuleError for a rule that cannot be used.
    """
    before = segment.rule
    for name, value in values.items():
        setattr(segment, name, value)
    fields = [*values, "updated_at"]
    if segment.kind == Segment.Kind.DYNAMIC and (segment.rule != before or segment.error):
        check(segment)
        segment.error = ""
        fields.append("error")
        if segment.state == Segment.State.LIVE:
            segment.pending = Segment.Pending.REFRESH
            fields.append("pending")
            announce(timeline.REACTOR)
    segment.updated_at = Now()
    segment.save(update_fields=fields)
    audit.write("segment.changed", segment, by=by, detail={"rule_before": before} if segment.rule != before else {})


def go_live(segment: Segment, by: Member | None) -> None:
    """Let a draft or archived segment follow its rule; everybody is evaluated within seconds.

    Raises Refused if it has no condition, RuleError if its rule cannot be used.
    """
    if segment.kind == Segment.Kind.DYNAMIC:
        check(segment)
        if not segment.rule or membership.rule_of(segment).is_empty:
            raise Refused(_("Add at least one condition before the segment goes live."))
    _move(segment, Segment.State.LIVE, by, pending=Segment.Pending.REFRESH, error="")
    announce(timeline.REACTOR)


def archive(segment: Segment, by: Member | None) -> None:
    """Take a segment out of use; its members stay as they are and do not follow the rule any more.

    Raises Refused naming what uses it.
    """
    uses = usage.of_segment(segment)
    if uses:
        names = ", ".join(use.label for use in uses[:5])
        raise Refused(_("This segment is used by %(names)s. Remove it there first.") % {"names": names})
    membership.empty_clocks(segment)
    _move(segment, Segment.State.ARCHIVED, by, pending=Segment.Pending.NOTHING)


def delete(segment: Segment, by: Member | None) -> None:
    """Delete a draft that nothing uses; raises Refused otherwise."""
    if segment.state != Segment.State.DRAFT or usage.of_segment(segment):
        raise Refused(_("Only a draft that nothing uses can be deleted. Archive the segment instead."))
    audit.write("segment.deleted", segment, by=by, detail={"rule": segment.rule})
    segment.delete()


def check(segment: Segment) -> None:
    """Raise RuleError if the segment's rule cannot be used, or would make segments ask about each other in a circle."""
    wanted = watches(parse(segment.rule, "contact")).segments
    asked = {other.pk: segments for other, segments in usage.asked_about().items() if other.pk != segment.pk}
    names = dict(Segment.objects.values_list("pk", "name"))
    seen: dict[int, tuple[int, ...]] = {key: (key,) for key in wanted}
    waiting = list(wanted)
    while waiting:
        here = waiting.pop()
        if segment.pk is not None and here == segment.pk:
            way = " → ".join([segment.name, *(names.get(key, "?") for key in seen[here])])
            raise RuleError((), _("These segments would ask about each other in a circle: %(way)s.") % {"way": way})
        for after in asked.get(here, ()):
            if after not in seen:
                seen[after] = (*seen[here], after)
                waiting.append(after)


def _move(segment: Segment, state: str, by: Member | None, **values: Any) -> None:
    """Change the state if it is not that already; the row count decides who of two did it."""
    if segment.kind == Segment.Kind.STATIC:
        values["pending"] = Segment.Pending.NOTHING
    if not Segment.objects.filter(pk=segment.pk).exclude(state=state).update(state=state, updated_at=Now(), **values):
        return
    segment.refresh_from_db()
    audit.write(f"segment.{state}", segment, by=by)
