"""Saved views of lists."""

from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts import registry, saved_views
from contacts.forms import ViewForm
from tenants.access import Right, allow, may
from tenants.responses import done


@allow(Right.VIEW)
@require_POST
def save(request: Any, page: str) -> HttpResponse:
    """Keep what the list shows under a name; everybody's only by members who may work on records."""
    there, query = _list(page), QueryDict(request.POST.get("query", "")[:2000])
    form = ViewForm(request.POST)
    if not form.is_valid():
        return done(request, _("Give the view a name."), f"{there}?{query.urlencode()}", level="warning")
    is_shared = form.cleaned_data["is_shared"] and may(request.member, Right.WORK_LEADS)
    try:
        view = saved_views.save(page, form.cleaned_data["name"], query, is_shared=is_shared, by=request.member)
    except saved_views.NameTaken as error:
        return done(request, str(error), f"{there}?{query.urlencode()}", level="warning")
    return done(request, _("“%(name)s” is a tab now.") % {"name": view}, _path(there, view))


@allow(Right.VIEW)
@require_POST
def change(request: Any, page: str, pk: int) -> HttpResponse:
    """Let a view ask for what the list shows now."""
    there, view = _list(page), _view(request, page, pk)
    saved_views.change(view, QueryDict(request.POST.get("query", "")[:2000]))
    return done(request, _("“%(name)s” is changed.") % {"name": view}, _path(there, view))


@allow(Right.VIEW)
@require_POST
def delete(request: Any, page: str, pk: int) -> HttpResponse:
    """Take a view away."""
    there, view = _list(page), _view(request, page, pk)
    saved_views.delete(view)
    return done(request, _("The view “%(name)s” is deleted.") % {"name": view}, there)


def _list(page: str) -> str:
    if page not in registry.lists:
        raise Http404
    return reverse(registry.lists[page])


def _view(request: Any, page: str, pk: int) -> Any:
    view = get_object_or_404(saved_views.of(page, request.member), pk=pk)
    if not saved_views.may_change(view, request.member):
        raise Http404
    return view


def _path(there: str, view: Any) -> str:
    return f"{there}?{view.query}&view={view.pk}"
