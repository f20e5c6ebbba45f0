"""Pages, forms and submissions, for marketers."""

from typing import Any

from csp.decorators import csp_replace
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from contacts.models import Contact
from pages import editing, queries, submissions
from pages.forms import FormForm, PageForm, PublicForm, SectionFormSet, field_rows
from pages.models import Form, Page, Submission
from pages.views_public import POLICY
from tenants.access import Right, allow
from tenants.paging import page_of
from tenants.responses import done


@allow(Right.VIEW)
def page_list(request: Any) -> HttpResponse:
    return render(request, "pages/list.html", {"pages": queries.pages(), "forms": queries.forms()})


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    page = get_object_or_404(Page.objects.select_related("form"), pk=pk)
    context = {"page": page, "results": queries.page_results(page), "issues": editing.check(page)}
    context["submissions"] = Submission.objects.filter(page=page).select_related("contact", "form").order_by("-pk")[:10]
    return render(request, "pages/detail.html", context)


@allow(Right.VIEW)
def visitors(request: Any, pk: int) -> HttpResponse:
    """The people behind a page's visits."""
    page = get_object_or_404(Page, pk=pk)
    listed = page_of(queries.visitors(page), ("-occurred_at", "-id"), request.GET)
    people = Contact.objects.in_bulk([row.contact_id for row in listed.rows])
    rows = [(people.get(row.contact_id), row) for row in listed.rows]
    return render(request, "pages/visitors.html", {"page": page, "listed": listed, "rows": rows})


@allow(Right.EDIT_MARKETING)
def edit(request: Any, pk: int | None = None) -> HttpResponse:
    """A page's draft: settings, head, sections."""
    page = get_object_or_404(Page, pk=pk) if pk else Page()
    form = PageForm(request.POST or None, instance=page)
    sections = SectionFormSet(request.POST or None, initial=page.content.get("sections", []), prefix="sections")
    if request.method == "POST" and form.is_valid() and sections.is_valid():
        kept = [s.cleaned_data for s in sections if s.cleaned_data and not s.cleaned_data.get("DELETE")]
        texts = [{"heading": s.get("heading", ""), "text": s.get("text", "")} for s in kept]
        saved = editing.save_page(form.save(commit=False), form.head(), texts, by=request.member)
        return done(request, _("Saved. Visitors see it once it goes live."), "pages:detail", saved.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "pages/edit.html", {"form": form, "sections": sections, "page": page}, status=status)


@allow(Right.EDIT_MARKETING)
@require_POST
def set_state(request: Any, pk: int) -> HttpResponse:
    """Go live with the draft, or take the page down."""
    page = get_object_or_404(Page.objects.select_related("form"), pk=pk)
    if request.POST.get("action") == "take_down":
        editing.take_down(page, by=request.member)
        return done(request, _("Taken down."), "pages:detail", page.pk)
    try:
        editing.go_live(page, by=request.member)
    except editing.NotReady as problem:
        return done(request, str(problem), "pages:detail", page.pk, level="error")
    return done(request, _("Live."), "pages:detail", page.pk)


@xframe_options_sameorigin
@csp_replace(POLICY)
@allow(Right.VIEW)
def preview(request: Any, pk: int) -> HttpResponse:
    """The draft as visitors will see it; nothing can be sent from here."""
    page = get_object_or_404(Page.objects.select_related("form"), pk=pk)
    context = {"tenant": request.tenant, "page": page, "content": page.content, "is_preview": True}
    return render(request, "pages/public/page.html", {**context, "form": PublicForm(page.form) if page.form else None})


@allow(Right.EDIT_MARKETING)
def form_edit(request: Any, pk: int | None = None) -> HttpResponse:
    """A form: settings and what it asks for."""
    instance = get_object_or_404(Form, pk=pk) if pk else Form()
    form = FormForm(request.POST or None, instance=instance)
    rows = field_rows(request.POST or None, initial=instance.fields, prefix="fields")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        editing.save_form(form.save(commit=False), rows.rows(), by=request.member)
        return done(request, _("Saved."), "pages:list")
    status = 422 if request.method == "POST" else 200
    return render(request, "pages/form_edit.html", {"form": form, "rows": rows, "instance": instance}, status=status)


@allow(Right.VIEW)
def submission_list(request: Any, pk: int) -> HttpResponse:
    form = get_object_or_404(Form, pk=pk)
    rows = Submission.objects.filter(form=form).select_related("contact", "page")
    context = {"form": form, "listed": page_of(rows, ("-id",), request.GET)}
    return render(request, "pages/submissions.html", context)


@allow(Right.VIEW, post=Right.EDIT_MARKETING)
def submission(request: Any, pk: int) -> HttpResponse:
    """What was entered, and what became of it; a POST tries a failed one again."""
    found = get_object_or_404(Submission.objects.select_related("contact", "page", "form"), pk=pk)
    if request.method == "POST":
        worked = submissions.retry(found)
        text = _("Done.") if worked else _("It failed again; the reason is shown.")
        return done(request, text, "pages:submission", found.pk, level="success" if worked else "error")
    labels = {row["key"]: row.get("label", row["key"]) for row in found.form.fields}
    values = [(labels.get(key, key), value) for key, value in found.values.items()]
    return render(request, "pages/submission.html", {"submission": found, "values": values})
