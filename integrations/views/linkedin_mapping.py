"""Where answers go: the list of forms, and the mapping of each, tried on what people have sent."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import mapping as editor_of
from integrations.forms.linkedin import OptionsForm, chosen_consents, consent_forms
from integrations.linkedin import mapping, previewing, queries, rerun
from integrations.models import Connection, LeadForm
from tenants.access import Right, allow, may
from tenants.forms import refuse
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.VIEW)
def form_list(request: Any, pk: int) -> HttpResponse:
    """A connection's forms, and by which mapping each is read."""
    connection = get_object_or_404(queries.connections(), pk=pk)
    page = page_of(queries.forms_of(connection), ("name", "pk"), request.GET)
    context = {"connection": connection, "page": page, "may_map": may(request.member, Right.EDIT_MARKETING)}
    return render(request, "integrations/linkedin/forms.html", context)


@allow(Right.EDIT_MARKETING)
def of_connection(request: Any, pk: int) -> HttpResponse:
    """The mapping of all forms without their own."""
    return _edit(request, get_object_or_404(queries.connections(), pk=pk), None)


@allow(Right.EDIT_MARKETING)
def of_form(request: Any, pk: int) -> HttpResponse:
    """The mapping of one form."""
    form = get_object_or_404(LeadForm.objects.select_related("connection"), pk=pk)
    return _edit(request, form.connection, form)


@allow(Right.EDIT_MARKETING)
@require_POST
def forget(request: Any, pk: int) -> HttpResponse:
    """Let the default hold for a form again."""
    form = get_object_or_404(LeadForm, pk=pk)
    mapping.forget(form, by=request.member)
    return done(request, _("The mapping of all forms holds for it again."), "integrations:linkedin_form_mapping", pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def apply(request: Any, pk: int) -> HttpResponse:
    """Order the mapping of a form (`form`; none: that of all others) for what is stored: a trial, or for good."""
    connection = get_object_or_404(queries.connections(), pk=pk)
    number = request.POST.get("form", "")
    forms = LeadForm.objects.filter(connection=connection)
    form = get_object_or_404(forms, pk=int(number)) if number.isdecimal() and len(number) < 18 else None
    is_trial = request.POST.get("do") != "apply"
    job = rerun.order(connection, form, is_trial=is_trial, by=request.member)
    said = _("It is tried; nothing is changed.") if is_trial else _("It is applied to what is stored.")
    return done(request, said, "tenants:job", job.pk)


def _edit(request: Any, connection: Connection, form: LeadForm | None) -> HttpResponse:
    page = MappingPage(connection, form, request.POST if request.method == "POST" else None)
    is_right = page.given is None or page.is_valid()
    if is_right and page.given is not None and request.POST.get("do") != "preview":
        is_right = page.save(request.member)
        if is_right:
            return done(request, _("Saved. What comes in from now on is read by it."), *page.url())
    status = 200 if is_right else 422
    context = {
        "connection": connection,
        "form": form,
        "page": page,
        "preview": page.preview(request.tenant.country),
        "has_submissions": queries.has_submissions(connection, form),
    }
    return render(request, "integrations/linkedin/mapping.html", context, status=status)


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

    def save(self, by: Any) -> bool:
        try:
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
        return editor_of.Editor(sources, mapping.offered(), self.chosen)

    def url(self) -> tuple[str, int]:
        if self.form is None:
            return "integrations:linkedin_mapping", self.connection.pk
        return "integrations:linkedin_form_mapping", self.form.pk
