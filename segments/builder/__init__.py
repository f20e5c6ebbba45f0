"""The rule builder: one form field with one widget, wherever a rule is edited.

    class SegmentForm(forms.ModelForm):
        rule = RuleField(subject="contact")

The cleaned value is the rule's JSON. The widget is server-rendered rows; what changes their shape posts them to
`segments:builder` and morphs the answer in, so nothing that was entered is lost. Words, count and a sample come from
`segments:preview`.
"""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from segments.builder import drafts
from segments.builder.rows import Rows
from segments.rules import RuleError, Vocabulary, parse, to_json

__all__ = ["RuleField", "RuleWidget"]


class RuleWidget(forms.Widget):
    """Nested rows of conditions."""

    template_name = "segments/builder/widget.html"
    use_fieldset = True

    def __init__(self, subject: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.subject = subject
        self.error: RuleError | None = None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """`value` is a rule's JSON, complete or not."""
        context = super().get_context(name, value, attrs)
        context |= rows_context(name, self.subject, drafts.readable(value), self.error)
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The draft that the rows say; a client without them may post the rule's JSON as text instead."""
        if drafts.is_posted(data, name):
            return drafts.read(data, name)
        try:
            return json.loads(data.get(name) or "{}")
        except ValueError:
            return None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not drafts.is_posted(data, name) and name not in data


class RuleField(forms.Field):
    """A rule about subjects ("contact", "lead", "account"); cleans to its JSON ({} if it may be and is empty)."""

    widget = RuleWidget
    default_error_messages = {"required": _("Add at least one condition.")}

    def __init__(self, *, subject: str = "contact", label: Any = None, **kwargs: Any) -> None:
        super().__init__(label=label or _("Conditions"), widget=RuleWidget(subject), **kwargs)
        self.subject = subject

    def to_python(self, value: Any) -> drafts.Draft:
        """The draft without its empty conditions; what is no draft stays as it is, so that the parser says why."""
        if drafts.readable(value) != value:
            return value if isinstance(value, dict) else {}
        return drafts.without_blanks(value)

    def clean(self, value: Any) -> drafts.Draft:
        """The rule's JSON in its shortest form."""
        draft = super().clean(value)
        try:
            return to_json(parse(draft, self.subject))
        except RuleError as error:
            self.widget.error = error
            raise forms.ValidationError(error.message, code="rule") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return drafts.normal(initial or {}) != drafts.normal(drafts.readable(self.to_python(data)))


def rows_context(name: str, subject: str, draft: drafts.Draft, error: RuleError | None = None) -> dict[str, Any]:
    """What the rows' template gets."""
    shown = drafts.without_blanks(draft) if error else draft
    place = (drafts.place_of(error.path), error.message) if error else ("", "")
    return {"root": Rows(subject, name, Vocabulary(), place).of(shown), "name": name, "subject": subject}
