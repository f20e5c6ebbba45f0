"""What the rule builder asks the server while a rule is edited; nothing is written."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from segments import preview as previews
from segments import subjects
from segments.builder import drafts, rows_context
from segments.rules import RuleError, Vocabulary, in_words, parse
from tenants.access import Right, allow


@allow(Right.VIEW)
@require_POST
def builder(request: Any, subject: str) -> HttpResponse:
    """The rows again, after a choice or a button changed their shape."""
    name = _name(request, subject)
    draft = drafts.read(request.POST, name)
    response = render(request, "segments/builder/rows.html", rows_context(name, subject, draft))
    return trigger_client_event(response, "rule-changed")


@allow(Right.VIEW)
@require_POST
def preview(request: Any, subject: str) -> HttpResponse:
    """The rule in words, how many it holds for now, and a sample."""
    draft = drafts.without_blanks(drafts.read(request.POST, _name(request, subject)))
    words = Vocabulary()
    try:
        rule = parse(draft, subject, words)
    except RuleError as error:
        return render(request, "segments/builder/preview.html", {"error": error.message})
    context = {"preview": previews.of(rule), "words": in_words(rule, words), "subject": subject}
    return render(request, "segments/builder/preview.html", context)


def _name(request: Any, subject: str) -> str:
    """The builder's name, which begins the names of its inputs."""
    name = request.GET.get("name", "")
    if subject not in subjects.keys() or not name.replace("-", "").replace("_", "").isalnum():  # noqa: SIM118
        raise Http404
    return name
