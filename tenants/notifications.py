"""Notifications: what a member should know about, at the bell."""

from django.db.models.functions import Now

from tenants.models import Member, Notification


def notify(member: Member, kind: str, title: str, body: str = "", path: str = "") -> Notification:
    """Put a notification at the member's bell; `path` leads to the page (see `tenants.links.tenant_path`)."""
    return Notification.objects.create(member=member, kind=kind, title=title[:200], body=body, path=path)


def unread_count(member: Member) -> int:
    return Notification.objects.filter(member=member, read_at=None).count()


def mark_read(member: Member, *, up_to: int | None = None) -> int:
    """Mark the member's notifications as read (those up to an id); returns how many."""
    unread = Notification.objects.filter(member=member, read_at=None)
    if up_to is not None:
        unread = unread.filter(pk__lte=up_to)
    return unread.update(read_at=Now())


def mark_one_read(notification: Notification) -> None:
    """Mark one notification as read; the first moment counts."""
    Notification.objects.filter(pk=notification.pk, read_at=None).update(read_at=Now())
