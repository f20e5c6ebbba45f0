"""Forms about pages and forms, and the public form that a page carries."""

from typing import Any, cast

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pages import fields
from pages.fields import FormField
from pages.models import Form, Page
from tenants.forms import Form as HouseForm
from tenants.forms import ModelForm

CONSENT = "consent"
# A field that people do not see and scripts fill in.
HONEYPOT = "website"


class PageForm(ModelForm):
    """A page's settings and its head."""

    title = forms.CharField(label=gettext_lazy("Headline"), max_length=200)
    lead = forms.CharField(
        label=gettext_lazy("Introduction"), max_length=1000, required=False, widget=forms.Textarea({"rows": 2})
    )
    button = forms.CharField(label=gettext_lazy("Button over the form"), max_length=60, required=False)
    widths = {"name": 6, "slug": 6, "button": 6, "form": 6}

    class Meta:
        model = Page
        fields = ("name", "slug", "form")

    field_order = ("name", "slug", "title", "lead", "form", "button")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key in ("title", "lead", "button"):
            self.fields[key].initial = (self.instance.content or {}).get(key, "")

    def head(self) -> dict[str, str]:
        return {key: self.cleaned_data[key] for key in ("title", "lead", "button")}


class SectionForm(HouseForm):
    """A section of a page: a heading and paragraphs (an empty line between them)."""

    heading = forms.CharField(label=gettext_lazy("Heading"), max_length=200, required=False)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=5000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Begin a line with “- ” to make it an item of a list."),
    )


SectionFormSet = formset_factory(SectionForm, extra=1, max_num=30, can_delete=True)


class FormForm(ModelForm):
    """A form's settings."""

    widths = {"name": 6, "purpose": 6, "consent": 6, "lead_topic": 6, "submit_label": 6}

    class Meta:
        model = Form
        fields = (
            "name",
            "consent",
            "purpose",
            "consent_text",
            "has_double_opt_in",
            "makes_lead",
            "lead_topic",
            "submit_label",
            "success_text",
        )
        widgets = {"consent_text": forms.Textarea({"rows": 2}), "success_text": forms.Textarea({"rows": 2})}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("consent") != Form.Consent.NONE and not cleaned.get("consent_text"):
            self.add_error("consent_text", _("Enter the text that people agree to: it is kept as proof."))
        return cleaned


class FieldForm(HouseForm):
    """A row of a form: what it asks for."""

    key = forms.ChoiceField(label=gettext_lazy("Fills"))
    label = forms.CharField(label=gettext_lazy("Label"), max_length=100, required=False)
    is_required = forms.BooleanField(label=gettext_lazy("Required"), required=False)
    widths = {"key": 4, "label": 5, "is_required": 3}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = fields.choices()
        kind = self.fields["key"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [("", _("— choose —")), *offered]
        # A field that was deleted since stays visible here, so that the row can be mended.
        current = self.initial.get("key")
        if current and current not in dict(offered):
            kind.choices.append((current, _("{key} (deleted)").format(key=current)))


class FieldRows(forms.BaseFormSet):
    def clean(self) -> None:
        if any(self.errors):
            return
        keys = [
            form.cleaned_data["key"]
            for form in self.forms
            if form.cleaned_data.get("key") and not form.cleaned_data.get("DELETE")
        ]
        if not keys:
            raise forms.ValidationError(_("A form needs at least one field."))
        if doubled := {key for key in keys if keys.count(key) > 1}:
            raise forms.ValidationError(_("Each field once, please: {keys}").format(keys=", ".join(sorted(doubled))))

    def rows(self) -> list[dict[str, Any]]:
        """The rows as a form keeps them."""
        offered = dict(fields.choices())
        return [
            {"key": key, "label": cleaned["label"] or offered.get(key, key), "is_required": cleaned["is_required"]}
            for cleaned in (form.cleaned_data for form in self.forms)
            if (key := cleaned.get("key")) and not cleaned.get("DELETE")
        ]


_FieldFormSet = formset_factory(FieldForm, formset=FieldRows, extra=1, max_num=50, can_delete=True)


def field_rows(posted: Any, **options: Any) -> FieldRows:
    """The rows of a form as a formset."""
    return cast(FieldRows, _FieldFormSet(posted, **options))


class PublicForm(HouseForm):
    """The form that visitors see, made from a Form's rows (needs the scope)."""

    def __init__(self, form: Form, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.form = form
        self.fields.update(fields.build([FormField.of(row) for row in form.fields]))
        if form.consent != Form.Consent.NONE:
            self.fields[CONSENT] = forms.BooleanField(
                label=form.consent_text, required=form.consent == Form.Consent.REQUIRED
            )

    def values(self) -> dict[str, Any]:
        """What was entered, as it is stored (JSON)."""
        kept = {key: value for key, value in self.cleaned_data.items() if key != CONSENT}
        return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in kept.items()}

    def unknown(self) -> dict[str, str]:
        """What came along that the form does not ask for; kept, never used."""
        known = {*self.fields, HONEYPOT, "token", "o"}
        return {key: str(value) for key, value in self.data.items() if key not in known}
