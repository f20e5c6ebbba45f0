"""Plan a task, call or appointment for somebody of ours."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Contact
from journeys import waiting
from journeys.tiles.form import TileForm
from journeys.tiles.registry import NEXT, Due, Names, Text, Tile, TileKind, Traveller, register
from leads import activities
from leads.models import Activity, Lead
from tenants.models import Member

JOURNEY_OWNER, CONTACT_OWNER, LEAD_OWNER = "journey", "contact", "lead"


class ActivityForm(TileForm):
    """What to do, by whom, by when."""

    widths = {"amount": 6, "unit": 6}
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Activity.Kind.choices)
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=200)
    notes = forms.CharField(label=gettext_lazy("Notes"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    owner = forms.ChoiceField(
        label=gettext_lazy("For"),
        choices=[
            (LEAD_OWNER, gettext_lazy("the lead's owner, as soon as it has one; without a lead the contact's")),
            (CONTACT_OWNER, gettext_lazy("the contact's owner, else the journey's")),
            (JOURNEY_OWNER, gettext_lazy("the journey's owner")),
        ],
    )
    amount = forms.IntegerField(label=gettext_lazy("Due after"), min_value=1, max_value=3660, initial=1)
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=waiting.Unit.choices, initial=waiting.Unit.DAYS)


@register
class PlanActivity(TileKind):
    key = "activity"
    label = gettext_lazy("Activity")
    description = gettext_lazy("A task, call or appointment for somebody of yours.")
    icon = "phone"
    tone = "indigo"
    form = ActivityForm
    batch = 500

    def title(self, tile: Tile) -> Text:
        kind = tile["settings"].get("kind")
        return tile.get("name") or (Activity.Kind(kind).label if kind else self.label)

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if not settings:
            return ""
        return _("%(subject)s, within %(time)s") % {
            "subject": settings["subject"],
            "time": waiting.in_words(settings["amount"], settings["unit"]),
        }

    def run(self, due: Due) -> None:
        """One activity per person and visit here."""
        settings = due.settings
        contacts = Contact.objects.select_related("owner").in_bulk([person.contact_id for person in due.travellers])
        leads = Lead.objects.select_related("owner").in_bulk(
            [person.lead_id for person in due.travellers if person.lead_id]
        )
        for person in due.travellers:
            contact, lead = contacts[person.contact_id], leads.get(person.lead_id or 0)
            activities.create(
                settings["kind"],
                settings["subject"],
                contact=contact,
                lead=lead,
                owner=_owner(settings["owner"], due, contact, lead),
                due_at=_due_at(due, person, settings),
                notes=settings["notes"],
                journey_id=due.journey.pk,
                origin_key=f"participant:{person.id}:{due.key}",
                cause=person.cause,
            )
        due.go(NEXT, due.travellers)


def _owner(rule: str, due: Due, contact: Contact, lead: Lead | None) -> Member | None:
    """For whom it is. About a lead that nobody has yet: for nobody, until somebody gets the lead and this with it."""
    if rule == LEAD_OWNER and lead:
        return lead.owner
    candidates = [
        contact.owner if rule != JOURNEY_OWNER else None,
        due.journey.owner,
    ]
    return next((member for member in candidates if member), None)


def _due_at(due: Due, person: Traveller, settings: dict[str, Any]) -> datetime:
    zone = waiting.zone_of(person.time_zone, person.country, due.time_zone)
    return waiting.later(due.now, settings["amount"], settings["unit"], zone)
