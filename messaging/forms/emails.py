"""Forms about e-mails, their senders, and addresses that are not mailed."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, Purpose
from messaging.models import ContentSettings, Email
from tenants.forms import AddressField, Form, ModelForm


class EmailForm(ModelForm):
    """What holds for all versions of an e-mail."""

    widths: ClassVar = {"purpose": 6, "content_settings": 6}

    class Meta:
        model = Email
        fields: ClassVar = ["name", "designation", "purpose", "content_settings"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].queryset = Purpose.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["content_settings"].queryset = ContentSettings.objects.order_by("name")  # type: ignore[attr-defined]
        if not self.instance.pk:
            self.fields["purpose"].initial = Purpose.objects.filter(is_default=True).first()
            self.fields["content_settings"].initial = ContentSettings.objects.filter(is_default=True).first()


class HeadForm(Form):
    """What inboxes show."""

    subject = forms.CharField(
        label=_("Subject"), max_length=300, required=False, widget=forms.TextInput({"data-tags": ""})
    )
    preheader = forms.CharField(
        label=_("Preheader"),
        max_length=300,
        required=False,
        widget=forms.TextInput({"data-tags": "", "placeholder": _("Inboxes show it after the subject.")}),
    )


class TestForm(Form):
    """Where a test goes, and for whom it is filled."""

    address = AddressField(label=_("Send to"))
    contact = AddressField(
        label=_("Filled as for"), required=False, help_text=_("The e-mail address of a contact; empty: for a stranger.")
    )

    def clean_contact(self) -> Contact | None:
        """The contact with this address."""
        address = self.cleaned_data["contact"]
        if not address:
            return None
        contact = Contact.objects.filter(email=address, is_active=True).first()
        if contact is None:
            raise forms.ValidationError(_("There is no contact with this address."))
        return contact


class ContentSettingsForm(ModelForm):
    """Who e-mails come from."""

    widths: ClassVar = {"from_name": 6, "from_email": 6}

    class Meta:
        model = ContentSettings
        fields: ClassVar = ["name", "from_name", "from_email", "reply_to", "postal_address", "is_default"]
        widgets: ClassVar = {"postal_address": forms.Textarea({"rows": 3})}

    def _get_validation_exclusions(self) -> set[str]:
        """That there is one default is seen to when it is saved: the new one takes the old one's place."""
        return super()._get_validation_exclusions() | {"is_default"}

    def clean_from_name(self) -> str:
        return " ".join(self.cleaned_data["from_name"].split())


class SuppressionForm(Form):
    """An address that must not be mailed."""

    address = AddressField(label=_("E-mail address"))
    detail = forms.CharField(label=_("Why"), max_length=200, required=False)
