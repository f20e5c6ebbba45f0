"""What happens between us and a CRM, in the timeline. What a lead's stage makes of it says `lead.stage_changed`."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind
from tenants.registry import Text

_SYSTEM: dict[str, Text] = {"system": _("System")}


def _of_lead(key: str, title: Text, icon: str, sentence: Text, **more: Text) -> Kind:
    """Something about a lead of ours; `more` are further keys of the detail that rules may ask about."""
    return Kind(
        key,
        title=title,
        icon=icon,
        sentence=sentence,
        object_kind="lead",
        group="sales",
        fields={**_SYSTEM, **more},
        personal=("lead",),
    )


KINDS = (
    _of_lead("crm.handed_over", _("Handed over to the CRM"), "arrow-right", _("was handed over to {system} ({lead})")),
    _of_lead("crm.accepted", _("Accepted in the CRM"), "thumb-up", _("was accepted in {system} ({lead})")),
    _of_lead("crm.qualified", _("Qualified in the CRM"), "circle-check", _("was qualified in {system} ({lead})")),
    _of_lead(
        "crm.disqualified",
        _("Disqualified in the CRM"),
        "circle-x",
        _("was disqualified in {system}: {reason} ({lead})"),
        reason=_("Reason"),
    ),
    _of_lead("crm.reopened", _("Reopened in the CRM"), "arrow-back-up", _("was reopened in {system} ({lead})")),
    _of_lead(
        "crm.owner_changed",
        _("Owner changed in the CRM"),
        "user-check",
        _("is looked after by {owner} in {system} ({lead})"),
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
