"""What is the member's own: notifications, preferences, the theme."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants import members, notifications, people
from tenants.access import Right, allow
from tenants.models import Notification
from tenants.paging import page_of
from tenants.responses import done, no_content
from tenants.views.forms import PreferencesForm, ThemeForm


@allow(Right.VIEW)
def notification_list(request: Any) -> HttpResponse:
    """The member's notifications, newest first."""
    page = page_of(Notification.objects.filter(member=request.member), ("-created_at", "-pk"), request.GET)
    return render(request, "tenants/notifications.html", {"page": page})


@allow(Right.VIEW)
def bell(request: Any) -> HttpResponse:
    """The bell alone: the page asks again every half a minute."""
    return render(request, "tenants/_bell.html")


@allow(Right.VIEW)
@require_POST
def read_notifications(request: Any) -> HttpResponse:
    """Mark all as read."""
    notifications.mark_read(request.member)
    return done(request, _("All notifications are marked as read."), "tenants:notifications")


@allow(Right.VIEW)
@require_POST
def open_notification(request: Any, pk: int) -> HttpResponse:
    """Mark one as read and go where it leads."""
    notification = get_object_or_404(Notification, pk=pk, member=request.member)
    notifications.mark_one_read(notification)
    is_ours = url_has_allowed_host_and_scheme(notification.path, allowed_hosts=None)
    return redirect(notification.path if notification.path and is_ours else "tenants:notifications")


@allow(Right.VIEW)
def preferences(request: Any) -> HttpResponse:
    """Name, theme, zone, presence."""
    person, member = request.user, request.member
    if request.method != "POST":
        initial = {"name": person.name, "theme": person.theme, "time_zone": person.time_zone, "is_away": member.is_away}
        return render(request, "tenants/preferences.html", {"form": PreferencesForm(initial=initial)})
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return render(request, "tenants/preferences.html", {"form": form}, status=422)
    chosen = dict(form.cleaned_data)
    members.set_away(member, chosen.pop("is_away"), by=member)
    people.update_profile(person, **chosen)
    return done(request, _("Your preferences have been saved."), "tenants:preferences")


@allow(Right.VIEW)
@require_POST
def theme(request: Any) -> HttpResponse:
    """The switch in the top bar: stores light or dark and tells the page."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    people.set_theme(request.user, form.cleaned_data["theme"])
    if request.htmx:
        return no_content(theme={"value": form.cleaned_data["theme"]})
    return redirect("tenants:preferences")
