"""What marketers do with pages and forms."""

from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from pages.models import Form, Page
from tenants import audit
from tenants.models import Member


class NotReady(ValueError):
    """A page cannot go live as it is; the text says what is missing."""


def save_page(page: Page, head: dict[str, str], sections: list[dict[str, str]], *, by: Member) -> Page:
    """Store a page's draft; what visitors see changes when it goes live."""
    page.content = {**head, "sections": [s for s in sections if s.get("heading") or s.get("text")]}
    page.save()
    audit.write("page.saved", page, by=by)
    return page


def check(page: Page) -> list[str]:
    """What keeps a page from going live, in words."""
    issues = []
    if not page.content.get("title"):
        issues.append(_("The page has no headline."))
    if page.form and not page.form.fields:
        issues.append(_("The form “{form}” asks for nothing.").format(form=page.form))
    if page.form and page.form.has_double_opt_in and not any(row["key"] == "email" for row in page.form.fields):
        issues.append(_("A double opt-in needs a form that asks for the e-mail address."))
    return issues


def go_live(page: Page, *, by: Member) -> None:
    """Show the draft to visitors; raises NotReady."""
    if issues := check(page):
        raise NotReady(" ".join(issues))
    Page.objects.filter(pk=page.pk).update(state=Page.State.LIVE, live_content=page.content, went_live_at=Now())
    audit.write("page.went_live", page, by=by)


def take_down(page: Page, *, by: Member) -> None:
    """Stop showing a page; its address answers 404."""
    Page.objects.filter(pk=page.pk).update(state=Page.State.DRAFT)
    audit.write("page.taken_down", page, by=by)


def save_form(form: Form, rows: list[dict[str, Any]], *, by: Member) -> Form:
    """Store a form; pages that carry it ask the new way at once."""
    form.fields = rows
    form.save()
    audit.write("form.saved", form, by=by)
    return form
