"""The list of segments, and the pages of one."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import search
from contacts.models import Contact
from segments import explain, lifecycle, membership, queries, usage
from segments.forms import SegmentForm
from segments.models import Segment
from segments.rules import RuleError, Vocabulary
from tenants.access import Right, allow
from tenants.paging import count_up_to, page_of
from tenants.responses import done


@allow(Right.VIEW)
def segment_list(request: Any) -> HttpResponse:
    """Segments in use, or the archived ones."""
    is_archive = request.GET.get("state") == Segment.State.ARCHIVED
    rows = Segment.objects.filter(state=Segment.State.ARCHIVED) if is_archive else queries.in_use()
    text = request.GET.get("q", "").replace("\0", "").strip()
    page = page_of(rows.filter(name__icontains=text) if text else rows, ("name", "pk"), request.GET)
    words = Vocabulary()
    context = {
        "page": page,
        "segments": [(segment, queries.words_of(segment, words)) for segment in page.rows],
        "is_archive": is_archive,
        "text": text,
    }
    return render(request, "segments/list.html", context)


@allow(Right.VIEW, post=Right.EDIT_MARKETING)
def new(request: Any) -> HttpResponse:
    """A new segment: by rule, or (?kind=static) by hand."""
    kind = Segment.Kind.STATIC if request.GET.get("kind") == Segment.Kind.STATIC else Segment.Kind.DYNAMIC
    form = SegmentForm(request.POST or None, instance=Segment(kind=kind))
    if request.method == "POST" and form.is_valid():
        segment = lifecycle.create({**form.values, "kind": kind}, request.member)
        if kind == Segment.Kind.DYNAMIC and "live" in request.POST:
            return _go_live(request, segment)
        return done(request, _("%(name)s has been made.") % {"name": segment}, "segments:detail", segment.pk)
    context = {"form": form, "is_static": kind == Segment.Kind.STATIC}
    return render(request, "segments/edit.html", context, status=422 if form.is_bound else 200)


@allow(Right.VIEW, post=Right.EDIT_MARKETING)
def edit(request: Any, pk: int) -> HttpResponse:
    """Change a segment; a live one is evaluated anew."""
    segment = get_object_or_404(Segment, pk=pk)
    form = SegmentForm(request.POST or None, instance=segment)
    if request.method == "POST" and form.is_valid():
        segment = get_object_or_404(Segment, pk=pk)
        lifecycle.change(segment, form.values, request.member)
        return done(request, _("Saved."), "segments:detail", pk)
    context = {"form": form, "segment": segment, "is_static": segment.kind == Segment.Kind.STATIC}
    return render(request, "segments/edit.html", context, status=422 if form.is_bound else 200)


@allow(Right.VIEW)
def detail(request: Any, pk: int) -> HttpResponse:
    """One segment: what it is, who is in it since when, and who uses it."""
    segment = get_object_or_404(Segment, pk=pk)
    rows = queries.members(segment)
    count, is_exact = count_up_to(rows)
    words = Vocabulary()
    context = {
        "segment": segment,
        "words": queries.words_of(segment, words),
        "error": membership.error_of(segment, words) if segment.kind == Segment.Kind.DYNAMIC else None,
        "page": page_of(rows, ("-since", "-pk"), request.GET),
        "count": count if is_exact else segment.member_count,
        "uses": usage.of_segment(segment),
    }
    return render(request, "segments/detail.html#members" if request.htmx else "segments/detail.html", context)


@allow(Right.VIEW)
def history(request: Any, pk: int) -> HttpResponse:
    """How the segment grew and shrank: loaded after the page."""
    segment = get_object_or_404(Segment, pk=pk)
    return render(request, "segments/_history.html", {"segment": segment, "history": queries.history(segment)})


@allow(Right.VIEW)
def why(request: Any, pk: int, contact_pk: int) -> HttpResponse:
    """Each condition of the rule for one contact: why she is in, or is not."""
    segment = get_object_or_404(Segment, pk=pk, kind=Segment.Kind.DYNAMIC)
    contact = get_object_or_404(Contact, pk=contact_pk)
    context = {"segment": segment, "contact": contact, "is_member": membership.is_member(pk, contact_pk)}
    try:
        context["reasons"] = explain.why(membership.rule_of(segment), contact_pk)
    except RuleError as error:
        context["error"] = error.message
    return render(request, "segments/why.html#reasons" if request.htmx else "segments/why.html", context)


@allow(Right.EDIT_MARKETING)
@require_POST
def go_live(request: Any, pk: int) -> HttpResponse:
    """Let the segment follow its rule from now on."""
    return _go_live(request, get_object_or_404(Segment, pk=pk))


def _go_live(request: Any, segment: Segment) -> HttpResponse:
    try:
        lifecycle.go_live(segment, request.member)
    except (lifecycle.Refused, RuleError) as error:
        return done(request, str(error), "segments:detail", segment.pk, level="warning")
    return done(request, _("%(name)s is live.") % {"name": segment}, "segments:detail", segment.pk)


@allow(Right.EDIT_MARKETING)
@require_POST
def archive(request: Any, pk: int) -> HttpResponse:
    """Take the segment out of use."""
    segment = get_object_or_404(Segment, pk=pk)
    try:
        lifecycle.archive(segment, request.member)
    except lifecycle.Refused as error:
        return done(request, str(error), "segments:detail", pk, level="warning")
    return done(request, _("%(name)s has been archived.") % {"name": segment}, "segments:list")


@allow(Right.EDIT_MARKETING)
@require_POST
def delete(request: Any, pk: int) -> HttpResponse:
    """Delete a draft."""
    segment = get_object_or_404(Segment, pk=pk)
    try:
        lifecycle.delete(segment, request.member)
    except lifecycle.Refused as error:
        return done(request, str(error), "segments:detail", pk, level="warning")
    return done(request, _("%(name)s has been deleted.") % {"name": segment.name}, "segments:list")


@allow(Right.EDIT_AUDIENCE)
def candidates(request: Any, pk: int) -> HttpResponse:
    """Contacts found by their words, to be added to a static segment."""
    segment = get_object_or_404(Segment, pk=pk, kind=Segment.Kind.STATIC)
    ids = [id_ for _kind, id_ in search.find(request.GET.get("q", ""), kinds=["contact"], limit=8)]
    inside = set(queries.members(segment).filter(contact__in=ids).values_list("contact_id", flat=True))
    found = Contact.objects.filter(pk__in=ids, is_active=True).select_related("account")
    rows = [(contact, contact.pk in inside) for contact in found]
    return render(request, "segments/_candidates.html", {"segment": segment, "rows": rows})


@allow(Right.EDIT_AUDIENCE)
@require_POST
def add(request: Any) -> HttpResponse:
    """Put a contact into a static segment; both are named by the form."""
    segment = _static(request.POST.get("segment"))
    contact = get_object_or_404(Contact, pk=_id(request.POST.get("contact")))
    membership.add(segment, [contact.pk], request.member)
    text = _("%(contact)s is in %(segment)s now.") % {"contact": contact, "segment": segment}
    return _back(request, text, segment, contact)


@allow(Right.EDIT_AUDIENCE)
@require_POST
def remove(request: Any) -> HttpResponse:
    """Take a contact out of a static segment; both are named by the form."""
    segment = _static(request.POST.get("segment"))
    contact = get_object_or_404(Contact, pk=_id(request.POST.get("contact")))
    membership.remove(segment, [contact.pk], request.member)
    text = _("%(contact)s is not in %(segment)s any more.") % {"contact": contact, "segment": segment}
    return _back(request, text, segment, contact)


def _static(key: str | None) -> Segment:
    return get_object_or_404(queries.in_use(), pk=_id(key), kind=Segment.Kind.STATIC)


def _back(request: Any, text: str, segment: Segment, contact: Contact) -> HttpResponse:
    """To the page that the form was on."""
    if request.POST.get("back") == "contact":
        return done(request, text, "contacts:detail", contact.pk)
    return done(request, text, "segments:detail", segment.pk)


def _id(text: str | None) -> int:
    """An id of a form's field; 0, which nothing has, if it is none."""
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0
