"""The page of a mapping: where each answer goes, what becomes of submissions, what consents are taken for."""

from typing import Any

from django.core.exceptions import ValidationError

from contacts import mapping as editor_of
from integrations.forms.linkedin import OptionsForm, chosen_consents, consent_forms
from integrations.linkedin import mapping, previewing, queries
from integrations.models import Connection, LeadForm
from leads.importing import columns
from tenants.forms import refuse
from tenants.models import Member


class MappingPage:
    """The editor of a mapping: its questions, its options and its consents, as kept or as they were just posted."""

    def __init__(self, connection: Connection, form: LeadForm | None, given: Any) -> None:
        self.connection, self.form, self.given = connection, form, given
        self.kept = queries.mapping_of(connection, form)
        self.is_own = form is not None and self.kept.form_id == form.pk
        self.questions = mapping.questions_of(form, self.kept)
        self.chosen = [question.target for question in self.questions]
        if given is not None:
            self.chosen = editor_of.read(given, len(self.questions))
        # A row of its own: what is tried must not reach the one that is kept.
        self.tried = queries.copy_of(self.kept, form)
        self.options = OptionsForm(given, instance=self.tried)
        self.consents = consent_forms(given, mapping.consents_of(form, self.kept))

    def is_valid(self) -> bool:
        return not [each for each in (self.options, *self.consents) if not each.is_valid()]

    def values(self) -> dict[str, Any]:
        """What `mapping.save` takes; the default keeps what it has for fields that the page does not show."""
        shown = {question.key for question in self.questions}
        others = {key: target for key, target in self.kept.targets.items() if key not in shown}
        targets = {q.key: target for q, target in zip(self.questions, self.chosen, strict=True) if target}
        return {
            **self.options.cleaned_data,
            "targets": {**others, **targets},
            "consents": chosen_consents(self.consents),
        }

    def save(self, by: Member) -> bool:
        """Keep what was chosen, making the own fields that are asked for; False if it cannot be kept."""
        try:
            known = [key for key in self.chosen if key and not columns.NEW.fullmatch(key)]
            mapping.check({**self.values(), "targets": dict(enumerate(known))})
            self.chosen = columns.make_fields(self.chosen, [question.label for question in self.questions], by=by)
            mapping.save(self.connection, self.form, self.values(), by=by)
        except ValidationError as error:
            refuse(self.options, ValueError(" ".join(error.messages)))
            return False
        return True

    def preview(self, country: str) -> list[previewing.Preview]:
        """The latest submissions by what is chosen; nothing while something is wrong."""
        if self.given is not None and not self.is_valid():
            return []
        if self.given is not None:
            for name, value in self.values().items():
                setattr(self.tried, name, value)
        return previewing.of_form(self.form, self.tried, country)

    def editor(self) -> editor_of.Editor:
        sources = [editor_of.SourceColumn(question.label, question.examples) for question in self.questions]
        return editor_of.Editor(sources, mapping.offered(), self.chosen, may_make_fields=self.form is not None)

    def url(self) -> tuple[str, int]:
        if self.form is None:
            return "integrations:linkedin_mapping", self.connection.pk
        return "integrations:linkedin_form_mapping", self.form.pk
