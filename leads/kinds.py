"""What happens to leads, in the timeline. Every row of a lead carries lead_id, and contact_id when it is known."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

STAGE_FIELDS = {"from": _("From stage"), "to": _("To stage"), "reason": _("Reason")}

KINDS = (
    Kind(
        "lead.created",
        title=_("Lead created"),
        icon="target-arrow",
        sentence=_("became a lead: {topic}"),
        object_kind="lead",
        group="sales",
        fields={"topic": _("Topic"), "source": _("Source")},
    ),
    Kind(
        "lead.stage_changed",
        title=_("Lead changed stage"),
        icon="arrow-right",
        sentence=_("went from {from_name} to {to_name}. {reason}"),
        object_kind="lead",
        group="sales",
        fields=STAGE_FIELDS,
    ),
    Kind(
        "lead.assigned",
        title=_("Lead assigned"),
        icon="user-check",
        sentence=_("is looked after by {to}. {why}"),
        object_kind="lead",
        group="sales",
    ),
    Kind(
        "lead.changed",
        title=_("Lead changed"),
        icon="pencil",
        sentence=_("{topic}: {names} changed"),
        object_kind="lead",
        group="sales",
        personal=("fields",),
    ),
    Kind(
        "lead.accepted",
        title=_("Lead accepted by sales"),
        icon="thumb-up",
        sentence=_("was accepted by {member}"),
        object_kind="lead",
        group="sales",
    ),
    Kind(
        "lead.rejected",
        title=_("Lead rejected by sales"),
        icon="thumb-down",
        sentence=_("was rejected by {member}: {reason}"),
        object_kind="lead",
        group="sales",
        fields={"reason": _("Reason")},
    ),
    Kind(
        "activity.created",
        title=_("Activity planned"),
        icon="checklist",
        sentence=_("{kind_name} planned: {subject}"),
        object_kind="activity",
        group="sales",
        fields={"kind": _("Kind of activity")},
    ),
    Kind(
        "activity.done",
        title=_("Activity done"),
        icon="circle-check",
        sentence=_("{kind_name} done: {subject}. {outcome}"),
        object_kind="activity",
        group="sales",
        fields={"kind": _("Kind of activity"), "outcome": _("Outcome")},
        personal=("notes",),
    ),
    Kind(
        "call.logged",
        title=_("Call"),
        icon="phone",
        sentence=_("was called: {outcome}. {notes}"),
        object_kind="activity",
        group="sales",
        fields={"outcome": _("Outcome")},
        personal=("notes",),
    ),
    Kind(
        "opportunity.won",
        title=_("Opportunity won"),
        icon="trophy",
        sentence=_("bought: {name}"),
        object_kind="opportunity",
        group="sales",
    ),
    Kind(
        "opportunity.lost",
        title=_("Opportunity lost"),
        icon="circle-x",
        sentence=_("did not buy: {name}. {reason}"),
        object_kind="opportunity",
        group="sales",
        fields={"reason": _("Reason")},
    ),
)
