"""Search over everything that apps have registered, and over the pages themselves."""

from collections.abc import Iterator
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tenants.access import may
from tenants.models import Member
from tenants.registry import Hit, SearchSource, menu, search_sources

MAX_LENGTH = 200


class Group(NamedTuple):
    """What one source found."""

    source: SearchSource
    hits: list[Hit]


def find_pages(member: Member, text: str, limit: int) -> Iterator[Hit]:
    """Pages of the member's navigation whose name has the text in it; all of them for an empty text."""
    wanted = text.casefold()
    for item in menu:
        if wanted in str(item.label).casefold() and may(member, item.right):
            yield Hit(str(item.label), reverse(item.url_name), str(item.section.label))


PAGES = SearchSource("pages", _("Go to"), "arrow-right", find_pages, order=0)


def search(member: Member, text: str, limit: int) -> list[Group]:
    """What each source finds, at most `limit` each; sources that find nothing are left out."""
    text = " ".join(text.split())[:MAX_LENGTH]
    sources = [PAGES, *search_sources] if text else [PAGES]
    groups = [Group(source, list(source.find(member, text, limit))) for source in sources]
    return [group for group in groups if group.hits]
