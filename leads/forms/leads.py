"""A lead entered by hand."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts import own_fields
from leads.creation import ENTERED
from leads.models import Lead
from tenants.forms import AddressField, ModelForm, countries


class LeadForm(ModelForm):
    """A lead entered by hand. Whom it is about may be known already, or be entered here, or stay open."""

    email = AddressField(label=_("E-mail"), required=False)
    country = forms.ChoiceField(label=_("Country"), choices=countries, required=False)
    widths: ClassVar[dict[str, int]] = {
        "first_name": 6, "last_name": 6, "email": 6, "phone": 6, "job_title": 6, "company": 6, "country": 6,
    }  # fmt: skip

    class Meta:
        model = Lead
        fields = ("topic", *(name for name in ENTERED if name != "description"), "description")
        widgets: ClassVar[dict[str, Any]] = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, has_contact: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_contact:
            for name in set(self.fields) - {"topic", "description"}:
                del self.fields[name]
        self.fields.update(own_fields.inputs("lead", self.instance.custom))
        self.initial.update(own_fields.initial(self.instance.custom))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        own_fields.clean(self, "lead", cleaned)
        return cleaned

    def values(self) -> dict[str, Any]:
        """What the verbs take: columns, and the company's own fields as `custom`."""
        return own_fields.values(self.cleaned_data)
