"""A form per kind of block."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from messaging.designs.blocks import Block
from tenants.forms import Form

ALIGN = [("left", _("Left")), ("center", _("Middle")), ("right", _("Right"))]
AREA = forms.Textarea({"rows": 3, "data-tags": ""})


class BlockForm(Form):
    """What a block holds; `props()` is what is stored."""

    @property
    def has_text(self) -> bool:
        """Whether values of the reader can be written into it."""
        return any("data-tags" in field.widget.attrs for field in self.fields.values())

    def props(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class HeadingForm(BlockForm):
    text = forms.CharField(label=_("Text"), max_length=300, required=False, widget=AREA)
    align = forms.ChoiceField(label=_("Alignment"), choices=ALIGN)


class TextForm(BlockForm):
    html = forms.CharField(
        label=_("Text"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea({"rows": 10, "data-tags": ""}),
        help_text=_("An empty line begins a new paragraph. Bold, italics, lists and links may be written as HTML."),
    )
    align = forms.ChoiceField(label=_("Alignment"), choices=ALIGN)


class ButtonForm(BlockForm):
    label = forms.CharField(label=_("Label"), max_length=100, required=False)
    url = forms.CharField(label=_("Leads to"), max_length=2000, required=False, help_text="https://…")
    color = forms.CharField(
        label=_("Colour"),
        widget=forms.TextInput({"type": "color", "class": "form-control-color w-100"}),
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")],
    )
    align = forms.ChoiceField(label=_("Alignment"), choices=ALIGN)
    widths = {"color": 6, "align": 6}


class ImageForm(BlockForm):
    src = forms.CharField(label=_("Address of the image"), max_length=2000, required=False, help_text="https://…")
    alt = forms.CharField(
        label=_("Alternative text"), max_length=300, required=False, help_text=_("For who does not see the image.")
    )
    url = forms.CharField(label=_("Leads to"), max_length=2000, required=False)
    width = forms.IntegerField(label=_("Width"), min_value=20, max_value=600)


class DividerForm(BlockForm):
    pass


class SpacerForm(BlockForm):
    height = forms.IntegerField(label=_("Height"), min_value=4, max_value=200)


FORMS: dict[str, type[BlockForm]] = {
    "heading": HeadingForm,
    "text": TextForm,
    "button": ButtonForm,
    "image": ImageForm,
    "divider": DividerForm,
    "spacer": SpacerForm,
}


def form_of(block: Block, entered: Any = None) -> BlockForm:
    """The form of a block, filled with what it holds or with what was entered."""
    return FORMS[block["kind"]](entered, initial=block["props"], prefix=block["id"])
