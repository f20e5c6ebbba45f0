"""Search: the palette's answers, and the same as a page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from tenants.access import Right, allow
from tenants.search import search as find

IN_PALETTE, ON_PAGE = 5, 25


@allow(Right.VIEW)
def search(request: Any) -> HttpResponse:
    """`?q=` over all sources; htmx (the palette) gets the options only."""
    text = request.GET.get("q", "")
    groups = find(request.member, text, IN_PALETTE if request.htmx else ON_PAGE)
    template = "tenants/search.html#options" if request.htmx else "tenants/search.html"
    return render(request, template, {"groups": groups, "text": text})
