"""Drafts and live versions of e-mails: making, checking, going live. A live version never changes."""

from collections.abc import Sequence
from typing import Any

from django.db.models.functions import Now

from contacts.models import Purpose
from messaging import outbox, recipients
from messaging.designs import blocks as block_list
from messaging.designs import checking
from messaging.designs.checking import Issue
from messaging.designs.composing import Composed, Target, compose
from messaging.models import ContentSettings, Email, EmailVersion, Link, Message
from tenants import audit
from tenants.models import Member, random_token

__all__ = ["HasErrors", "Issue", "check", "create", "discard_draft", "draft_of", "go_live", "save_draft", "send_test"]

Version = EmailVersion


class HasErrors(ValueError):
    """An e-mail with errors cannot go live; `issues` are all that was found."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(str(issue.message) for issue in issues if issue.is_error))
        self.issues = issues


def create(name: str, *, by: Member | None = None, **values: Any) -> Email:
    """A new e-mail with a draft to begin with; purpose and content settings are the default ones unless given."""
    values.setdefault("purpose", Purpose.objects.filter(is_default=True).first())
    values.setdefault("content_settings", ContentSettings.objects.filter(is_default=True).first())
    email = Email.objects.create(name=name, **values)
    blocks = [block_list.new("heading", text=name), block_list.new("text"), block_list.new("button")]
    Version.objects.create(email=email, blocks=blocks)
    audit.write("email.created", email, by=by)
    return email


def live_of(email: Email) -> EmailVersion | None:
    return Version.objects.filter(email=email, state=Version.State.LIVE).first()


def shown_of(email: Email) -> EmailVersion | None:
    """The draft if there is one, else the live version, else the last one."""
    order = {Version.State.DRAFT: 0, Version.State.LIVE: 1, Version.State.RETIRED: 2}
    versions = Version.objects.filter(email=email).order_by("-number")
    return min(versions, key=lambda version: order[Version.State(version.state)], default=None)


def latest_of(email: Email) -> EmailVersion:
    """The same, never None: an e-mail that has no version has an empty draft, saved or not."""
    return shown_of(email) or Version(email=email)


def draft_of(email: Email) -> EmailVersion:
    """The e-mail's draft; made from the latest version if there is none. The unique constraint lets one win."""
    latest = latest_of(email)
    if latest.pk is None:
        latest.save()
    if latest.state == Version.State.DRAFT:
        return latest
    return Version.objects.create(
        email=email,
        number=latest.number + 1,
        subject=latest.subject,
        preheader=latest.preheader,
        blocks=latest.blocks,
    )


def save_draft(email: Email, **values: Any) -> EmailVersion:
    """Change the draft's subject, preheader or blocks."""
    draft = draft_of(email)
    for name, value in values.items():
        setattr(draft, name, value)
    draft.save(update_fields=list(values))
    Email.objects.filter(pk=email.pk).update(updated_at=Now())
    return draft


def discard_draft(email: Email, by: Member) -> bool:
    """Remove the draft beside a live version; False if there is no such draft."""
    if live_of(email) is None:
        return False
    count, _details = Version.objects.filter(email=email, state=Version.State.DRAFT).delete()
    if count:
        audit.write("email.draft_discarded", email, by=by)
    return bool(count)


def change_settings(email: Email, *, by: Member) -> None:
    """Save the changed name, designation, purpose or content settings; they hold for what is sent from now on."""
    email.save()
    Email.objects.filter(pk=email.pk).update(updated_at=Now())
    audit.write("email.changed", email, by=by)


def set_archived(email: Email, is_archived: bool, *, by: Member) -> None:
    """Put an e-mail away, or bring it back."""
    if Email.objects.filter(pk=email.pk).exclude(is_archived=is_archived).update(is_archived=is_archived):
        audit.write("email.archived" if is_archived else "email.restored", email, by=by)


def compose_version(email: Email, version: EmailVersion) -> Composed:
    """The version's design compiled, with the keys that the e-mail's links have so far."""
    return compose(
        version.blocks,
        preheader=version.preheader,
        is_commercial=email.designation == Email.Designation.COMMERCIAL,
        known=[Target(link.key, link.label, link.url) for link in Link.objects.filter(email=email).order_by("pk")],
    )


def check(email: Email, version: EmailVersion | None = None) -> list[Issue]:
    """Everything that stands against going live (errors) or is worth a look (warnings)."""
    return checking.check(email, version or latest_of(email), recipients.names())


def go_live(email: Email, by: Member | None) -> EmailVersion:
    """Make the draft the live version; whatever is sent from now on is this. Raises HasErrors."""
    draft = draft_of(email)
    issues = check(email, draft)
    if any(issue.is_error for issue in issues):
        raise HasErrors(issues)
    _compile(email, draft, is_live=True)
    Version.objects.filter(email=email, state=Version.State.LIVE).update(state=Version.State.RETIRED)
    draft.state, draft.went_live_by = Version.State.LIVE, by
    draft.save(update_fields=["state", "went_live_by"])
    Version.objects.filter(pk=draft.pk).update(went_live_at=Now())
    draft.refresh_from_db(fields=["went_live_at"])
    audit.write("email.went_live", email, by=by, detail={"version": draft.number})
    return draft


def send_test(email: Email, address: str, *, as_contact: Any = None, by: Member) -> Message | None:
    """Send the latest version to an address, filled as for a contact; raises HasErrors if it cannot be made."""
    version = latest_of(email)
    if version.pk is None:
        version.save()
    errors = [issue for issue in check(email, version) if issue.is_error and issue.stops_tests]
    if errors:
        raise HasErrors(errors)
    if version.state == Version.State.DRAFT:
        _compile(email, version, is_live=False)
    audit.write("email.tested", email, by=by, detail={"address": address})
    return outbox.order_test(f"test:{random_token()}", address, email, version.pk, as_contact)


def _compile(email: Email, version: EmailVersion, *, is_live: bool) -> None:
    """Compile the design into the version; going live also brings the names of the e-mail's links up to date."""
    composed = compose_version(email, version)
    version.html, version.text = composed.html, composed.text
    version.links = {target.key: target.url for target in composed.links}
    version.save(update_fields=["html", "text", "links"])
    links = [Link(email=email, key=target.key, label=target.label, url=target.url) for target in composed.links]
    if is_live:
        unique, changed = ["tenant", "email", "key"], ["label", "url"]
        Link.objects.bulk_create(links, update_conflicts=True, unique_fields=unique, update_fields=changed)
    else:
        Link.objects.bulk_create(links, ignore_conflicts=True)
