"""The designer: a list of blocks, the selected one's form, a preview. Every step is saved in the draft."""

from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from contacts.models import Contact
from messaging import previews, publishing, recipients
from messaging.designs import blocks as block_list
from messaging.forms.blocks import BlockForm, form_of
from messaging.forms.emails import HeadForm
from messaging.models import Email, EmailVersion
from messaging.personalization import Refused, name_in_words
from tenants.access import Right, allow
from tenants.responses import done

# A preview runs in nobody's origin: no scripts, no forms; images and links as in a mail program.
PREVIEW_POLICY = {
    "default-src": ["'none'"],
    "img-src": ["'self'", "data:", "https:", "http:"],
    "style-src": ["'unsafe-inline'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}
# How the preview is looked at; without one of them as wide as there is room.
LOOKS = ("phone", "text")
# The values that are offered before all others, each with what stands in for an empty one.
USUAL = {
    "contact.first_name": gettext_lazy("there"),
    "account.name": gettext_lazy("your company"),
    "contact.job_title": gettext_lazy("your work"),
}


@allow(Right.EDIT_MARKETING)
def edit(request: Any, pk: int) -> HttpResponse:
    """The designer; `?block=` selects a block."""
    email = get_object_or_404(Email, pk=pk)
    version = publishing.latest_of(email)
    return render(request, "messaging/edit.html", _context(request, email, version, request.GET.get("block", "")))


@allow(Right.EDIT_MARKETING)
@require_POST
def head(request: Any, pk: int) -> HttpResponse:
    """Save subject and preheader."""
    email = get_object_or_404(Email, pk=pk)
    form = HeadForm(request.POST)
    if not form.is_valid():
        context = {**_context(request, email, publishing.latest_of(email)), "head": form}
        return render(request, _template(request), context, status=422)
    publishing.save_draft(email, **form.cleaned_data)
    return _changed(request, email, request.POST.get("selected", ""))


@allow(Right.EDIT_MARKETING)
@require_POST
def add_block(request: Any, pk: int) -> HttpResponse:
    """Add a block of a kind, after the selected one."""
    email = get_object_or_404(Email, pk=pk)
    try:
        block = block_list.new(request.POST.get("kind", ""))
        _rearrange(email, lambda blocks: block_list.insert(blocks, block, request.POST.get("after", "")))
    except block_list.UnknownBlock as error:
        raise Http404 from error
    return _changed(request, email, block["id"])


@allow(Right.EDIT_MARKETING)
@require_POST
def save_block(request: Any, pk: int, block: str) -> HttpResponse:
    """Save what a block holds."""
    email = get_object_or_404(Email, pk=pk)
    version = publishing.latest_of(email)
    form = form_of(_block(version, block), request.POST)
    if not form.is_valid():
        context = _context(request, email, version, block, form)
        return render(request, _template(request), context, status=422)
    _rearrange(email, lambda blocks: block_list.change(blocks, block, form.props()))
    return _changed(request, email, block)


@allow(Right.EDIT_MARKETING)
@require_POST
def move_block(request: Any, pk: int, block: str) -> HttpResponse:
    """Move a block up or down."""
    email = get_object_or_404(Email, pk=pk)
    _block(publishing.latest_of(email), block)
    by = -1 if request.POST.get("to") == "up" else 1
    _rearrange(email, lambda blocks: block_list.move(blocks, block, by))
    return _changed(request, email, block)


@allow(Right.EDIT_MARKETING)
@require_POST
def remove_block(request: Any, pk: int, block: str) -> HttpResponse:
    """Remove a block."""
    email = get_object_or_404(Email, pk=pk)
    _block(publishing.latest_of(email), block)
    _rearrange(email, lambda blocks: block_list.remove(blocks, block))
    return _changed(request, email)


@csp(PREVIEW_POLICY)  # type: ignore[arg-type]
@allow(Right.VIEW)
def preview(request: Any, pk: int) -> HttpResponse:
    """The latest version (`?version=live` the live one) as `?as=` a contact sees it; `?part=text` its plain text."""
    email = get_object_or_404(Email.objects.select_related("content_settings"), pk=pk)
    version = publishing.live_of(email) if request.GET.get("version") == "live" else publishing.shown_of(email)
    if version is None:
        raise Http404
    try:
        shown = previews.preview(request.tenant, email, version, previews.values_as(request.GET.get("as", "")))
    except Refused as error:
        return HttpResponse(str(error), content_type="text/plain; charset=utf-8")
    if request.GET.get("part") == "text":
        return HttpResponse(shown.text, content_type="text/plain; charset=utf-8")
    return HttpResponse(previews.in_new_tabs(shown.html))


def _rearrange(email: Email, change: Any) -> EmailVersion:
    draft = publishing.draft_of(email)
    return publishing.save_draft(email, blocks=change(draft.blocks))


def _block(version: EmailVersion, key: str) -> block_list.Block:
    try:
        return block_list.find(version.blocks, key)
    except block_list.UnknownBlock as error:
        raise Http404 from error


def _changed(request: Any, email: Email, selected: str = "") -> HttpResponse:
    """The designer again, as a fragment for htmx."""
    if request.htmx:
        return render(request, _template(request), _context(request, email, publishing.latest_of(email), selected))
    kept = {"block": selected, "as": request.POST.get("as", ""), "look": request.POST.get("look", "")}
    query = urlencode({name: value for name, value in kept.items() if value})
    place = reverse("messaging:edit", args=[email.pk])
    return done(request, _("Saved."), f"{place}?{query}" if query else place)


def _template(request: Any) -> str:
    return "messaging/edit.html#designer" if request.htmx else "messaging/edit.html"


def _context(
    request: Any, email: Email, version: EmailVersion, selected: str = "", form: BlockForm | None = None
) -> dict[str, Any]:
    block = next((block for block in version.blocks if block["id"] == selected), None)
    issues = publishing.check(email, version)
    wrong = {issue.where for issue in issues if issue.is_error}
    kinds = block_list.KINDS
    rows = [
        (block, kinds[block["kind"]], block_list.summary(block), block["id"] in wrong)
        for block in version.blocks
        if block["kind"] in kinds
    ]
    initial = {"subject": version.subject, "preheader": version.preheader}
    asked = {**request.GET.dict(), **request.POST.dict()}
    seen_as, look = asked.get("as", ""), asked.get("look", "")
    return {
        "email": email,
        "version": version,
        "live": publishing.live_of(email),
        "draft": version if version.state == EmailVersion.State.DRAFT else None,
        "rows": rows,
        "kinds": kinds.values(),
        "selected": block,
        "selected_kind": kinds[block["kind"]] if block else None,
        "form": form or (form_of(block) if block else None),
        "head": HeadForm(initial=initial),
        "issues": issues,
        "usual": [_insert(name) for name in USUAL],
        "others": [_insert(name) for name in sorted(recipients.names() - set(USUAL))],
        "seen_as": seen_as,
        "look": look if look in LOOKS else "",
        "subject": _subject(request, email, version, seen_as),
        "people": Contact.objects.filter(is_active=True).exclude(email="").order_by("-created_at", "-pk")[:20],
    }


def _insert(name: str) -> tuple[str, str]:
    """A value's name in words, and what is written into a text for it."""
    fallback = f' | default("{USUAL[name]}")' if name in USUAL else ""
    return name_in_words(name), f"{{{{ {name}{fallback} }}}}"


def _subject(request: Any, email: Email, version: EmailVersion, seen_as: str) -> str:
    """The subject as the inbox of the recipient looked at shows it; empty for a design that cannot be filled."""
    try:
        return previews.preview(request.tenant, email, version, previews.values_as(seen_as)).subject
    except Refused:
        return ""
