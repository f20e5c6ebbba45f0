"""What happens between us and a CRM, in the timeline. What a lead's stage makes of it says `lead.stage_changed`."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

_SYSTEM = {"system": _("System")}

KINDS = (
    Kind(
        "crm.handed_over",
        title=_("Handed over to the CRM"),
        icon="arrow-right",
        sentence=_("was handed over to {system} ({lead})"),
        object_kind="lead",
        group="sales",
        fields=_SYSTEM,
        personal=("lead",),
    ),
    Kind(
        "crm.accepted",
        title=_("Accepted in the CRM"),
        icon="thumb-up",
        sentence=_("was accepted in {system} ({lead})"),
        object_kind="lead",
        group="sales",
        fields=_SYSTEM,
        personal=("lead",),
    ),
    Kind(
        "crm.qualified",
        title=_("Qualified in the CRM"),
        icon="circle-check",
        sentence=_("was qualified in {system} ({lead})"),
        object_kind="lead",
        group="sales",
        fields=_SYSTEM,
        personal=("lead",),
    ),
    Kind(
        "crm.disqualified",
        title=_("Disqualified in the CRM"),
        icon="circle-x",
        sentence=_("was disqualified in {system}: {reason} ({lead})"),
        object_kind="lead",
        group="sales",
        fields={**_SYSTEM, "reason": _("Reason")},
        personal=("lead",),
    ),
    Kind(
        "crm.reopened",
        title=_("Reopened in the CRM"),
        icon="arrow-back-up",
        sentence=_("was reopened in {system} ({lead})"),
        object_kind="lead",
        group="sales",
        fields=_SYSTEM,
        personal=("lead",),
    ),
    Kind(
        "crm.owner_changed",
        title=_("Owner changed in the CRM"),
        icon="user-check",
        sentence=_("is looked after by {owner} in {system} ({lead})"),
        object_kind="lead",
        group="sales",
        fields=_SYSTEM,
        personal=("lead",),
    ),
    Kind(
        "crm.changed",
        title=_("Changed by the CRM"),
        icon="pencil",
        sentence=_("has other values from {system}: {names}"),
        group="record",
        fields=_SYSTEM,
        personal=("fields",),
    ),
    Kind(
        "crm.overwritten",
        title=_("Overwritten in the CRM"),
        icon="arrow-right",
        sentence=_("has our values in {system} again: {names}"),
        group="record",
        fields=_SYSTEM,
        personal=("fields",),
    ),
    Kind(
        "crm.unlinked",
        title=_("Deleted in the CRM"),
        icon="circle-x",
        sentence=_("was deleted in {system}; here it stays"),
        group="record",
        fields=_SYSTEM,
    ),
)
