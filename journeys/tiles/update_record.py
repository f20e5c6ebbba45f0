"""Change a field of the contact."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Contact
from contacts.people import update_contact
from journeys.tiles.form import TileForm
from journeys.tiles.registry import NEXT, Due, Names, Text, Tile, TileKind, register

FIELDS = ("job_title", "city", "country", "language", "time_zone", "source")


class UpdateRecordForm(TileForm):
    """Which field gets which value."""

    field = forms.ChoiceField(
        label=gettext_lazy("Field of the contact"),
        choices=[(field.name, field.verbose_name) for field in Contact._meta.fields if field.name in FIELDS],
    )
    value = forms.CharField(label=gettext_lazy("New value"), max_length=150, required=False)


@register
class UpdateRecord(TileKind):
    key = "update_record"
    label = gettext_lazy("Update contact")
    description = gettext_lazy("Set a field of everybody who comes here.")
    icon = "pencil"
    tone = "teal"
    form = UpdateRecordForm
    batch = 500

    def summary(self, tile: Tile, names: Names) -> Text:
        settings: dict[str, Any] = tile["settings"]
        if not settings:
            return ""
        label = dict(UpdateRecordForm.base_fields["field"].choices)[settings["field"]]  # type: ignore[attr-defined]
        return _("%(field)s: %(value)s") % {"field": label, "value": settings["value"] or "–"}

    def run(self, due: Due) -> None:
        """Set the field; the change is in the contact's timeline."""
        contacts = Contact.objects.in_bulk([person.contact_id for person in due.travellers])
        for person in due.travellers:
            update_contact(contacts[person.contact_id], {due.settings["field"]: due.settings["value"]})
        due.go(NEXT, due.travellers)
