"""Create a lead: for the contact's open one, or always a new one."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from journeys.tiles.form import TileForm
from journeys.tiles.registry import NEXT, Due, Names, Text, Tile, TileKind, register
from leads.assignment import assign
from leads.creation import NewLead, create_leads
from leads.models import CLOSED_STAGES, Lead

MATCH, NEW = "match", "new"
NOBODY = ""


class CreateLeadForm(TileForm):
    """What the lead is about, whether an open one serves, and who gets it."""

    topic = forms.CharField(label=gettext_lazy("Topic"), max_length=200)
    source = forms.CharField(label=gettext_lazy("Source"), max_length=60, initial="journey")
    match = forms.ChoiceField(
        label=gettext_lazy("If the contact has an open lead"),
        choices=[(MATCH, gettext_lazy("take it")), (NEW, gettext_lazy("make another one"))],
        initial=MATCH,
    )
    assign = forms.ChoiceField(
        label=gettext_lazy("Assign it to"),
        required=False,
        choices=[
            (NOBODY, gettext_lazy("nobody yet")),
            ("auto", gettext_lazy("the account's owner, else whose turn it is")),
            ("round_robin", gettext_lazy("the sales rep whose turn it is")),
        ],
    )


@register
class CreateLead(TileKind):
    key = "create_lead"
    label = gettext_lazy("Create lead")
    description = gettext_lazy("A lead for everybody who comes here.")
    icon = "target-arrow"
    tone = "green"
    form = CreateLeadForm
    batch = 500

    def summary(self, tile: Tile, names: Names) -> Text:
        return tile["settings"].get("topic", "")

    def run(self, due: Due) -> None:
        """One lead per person and visit here; the participation is about this lead from now on."""
        found = _open_leads(due) if due.settings["match"] == MATCH else {}
        wanting = [traveller for traveller in due.travellers if traveller.contact_id not in found]
        leads = create_leads(
            [
                NewLead(
                    topic=due.settings["topic"],
                    source=due.settings["source"],
                    contact_id=traveller.contact_id,
                    origin_key=f"participant:{traveller.id}:{due.key}",
                    journey_id=due.journey.pk,
                    cause=traveller.cause,
                )
                for traveller in wanting
            ]
        )
        made = {traveller.id: lead for traveller, lead in zip(wanting, leads, strict=True)}
        for lead in leads if due.settings.get("assign") else []:
            if lead.owner_id is None:
                assign(lead, method=due.settings["assign"])
        for traveller in due.travellers:
            lead_id = made[traveller.id].pk if traveller.id in made else found[traveller.contact_id]
            due.go_one(traveller, NEXT, lead_id=lead_id)


def _open_leads(due: Due) -> dict[int, int]:
    """By contact: the open lead that changed last."""
    contacts = [traveller.contact_id for traveller in due.travellers]
    rows: Any = (
        Lead.objects.filter(contact_id__in=contacts)
        .exclude(stage__in=CLOSED_STAGES)
        .order_by("updated_at", "pk")
        .values_list("contact_id", "pk")
    )
    return dict(rows)
