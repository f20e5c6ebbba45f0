"""The pages' components. Built in: no {% load %} needed.

Marks       {% icon "mail" %}  {% avatar name %}  {% badge text tone %}  {% stage_badge stage label %}
            {% score_badge score grade %}  {% sparkline values %}  {% bar value max %}
Values      {% number n %}  {% money amount_minor currency %}  {{ moment|ago }}
Frames      {% page_header title %}actions{% endpage_header %}  {% card title=… icon=… %}…{% endcard %}
            {% empty "users" title %}text and action{% endempty %}
            {% trail_item "click" moment tone=… %}…{% endtrail_item %} inside <ol class="trail">
Lists       {% pager page %}  {% record_tabs "contact" contact "emails" %}
Addresses   {% site_url "account_logout" %}  {% tenant_home %}

Tones: blue azure indigo purple pink red orange yellow lime green teal cyan secondary. Icons: static/icons.txt.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32

from babel.numbers import format_currency, format_decimal, get_currency_precision
from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext, to_locale

from tenants import links
from tenants.paging import Page
from tenants.registry import tabs

register = template.Library()

AVATAR_TONES = ("blue", "azure", "indigo", "purple", "pink", "orange", "lime", "green", "teal", "cyan")
STAGE_TONES = {
    "inquiry": "secondary",
    "engaged": "blue",
    "mql": "purple",
    "handed_off": "indigo",
    "sal": "cyan",
    "sql": "green",
    "won": "teal",
    "lost": "red",
    "disqualified": "red",
    "recycled": "orange",
}
GRADE_TONES = {"A": "green", "B": "blue", "C": "yellow", "D": "secondary"}


# ---- marks ----


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """An icon of the sprite (names: static/icons.txt). Decoration, unless it gets a `label` that readers hear."""
    role = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    sprite = static("vendor/icons.svg")
    return format_html('<svg class="icon {}" {}><use href="{}#{}"></use></svg>', css, role, sprite, name)


@register.simple_tag
def avatar(name: str, size: str = "sm") -> SafeString:
    """A person's or company's initials in a circle whose colour follows the name. Sizes: xs, sm, md, lg."""
    words = [word for word in str(name).replace("@", " ").split() if word[0].isalnum()]
    initials = "".join(word[0] for word in (words if len(words) < 2 else (words[0], words[-1]))).upper()
    tone = AVATAR_TONES[crc32(str(name).encode()) % len(AVATAR_TONES)]
    return format_html(
        '<span class="avatar avatar-{} rounded-circle bg-{}-lt" aria-hidden="true">{}</span>', size, tone, initials
    )


@register.simple_tag
def badge(text: Any, tone: str = "secondary", icon_name: str = "") -> SafeString:
    """A small label: {% badge "Live" "green" %}. Its text says it all, the tone only helps."""
    mark = format_html("{} ", icon(icon_name, "icon-sm")) if icon_name else ""
    return format_html('<span class="badge bg-{}-lt">{}{}</span>', tone, mark, text)


@register.simple_tag
def stage_badge(stage: str, label: str = "") -> SafeString:
    """A lead's stage: its key, and the tenant's name for it."""
    return badge(label or stage, STAGE_TONES.get(str(stage), "secondary"))


@register.simple_tag
def score_badge(score: int | str | None, grade: str = "") -> SafeString:
    """A score with its grade; a dash when there is none (what a template does not find is an empty text)."""
    if score is None or isinstance(score, str):
        return format_html('<span class="text-secondary" aria-label="{}">–</span>', gettext("No score"))
    mark = badge(grade, GRADE_TONES.get(grade, "secondary")) if grade else ""
    return format_html('<span class="text-nowrap"><span class="score">{}</span> {}</span>', number(score), mark)


@register.simple_tag
def sparkline(values: Sequence[float], label: str = "") -> SafeString:
    """A line over a few values, oldest first; `label` is what readers hear, by default the values themselves."""
    if not values:
        return SafeString("")
    highest, step = max(*values, 1), 72 / max(len(values) - 1, 1)
    points = " ".join(f"{i * step:.1f},{19 - 18 * value / highest:.1f}" for i, value in enumerate(values))
    heard = label or ", ".join(str(value) for value in values)
    return format_html(
        '<svg class="sparkline" viewBox="0 0 72 20" role="img" aria-label="{}"><polyline points="{}"/></svg>',
        heard,
        points,
    )


@register.simple_tag
def bar(value: float, maximum: float, label: str = "", tone: str = "primary") -> SafeString:
    """A bar of value / maximum, for a figure that stands beside it. `label` makes it speak for itself."""
    share = max(0, min(100, round(100 * value / maximum))) if maximum else 0
    role = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html('<span class="meter" {}><span class="bg-{}" style="width:{}%"></span></span>', role, tone, share)


# ---- values ----


@register.simple_tag
def number(value: float | None) -> str:
    """A number in the viewer's notation; a dash for None."""
    return "–" if value is None else format_decimal(value, locale=_locale())


@register.simple_tag
def money(amount_minor: int | None, currency: str) -> str:
    """An amount given in the currency's smallest unit (cents), in the viewer's notation; a dash for None."""
    if amount_minor is None:
        return "–"
    amount = Decimal(amount_minor).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale=_locale())


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """How long ago (or ahead) a moment is, as a <time> with the exact one in the viewer's zone; a dash for None."""
    if moment is None:
        return SafeString("–")
    exact = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, _distance(moment))


def _distance(moment: datetime) -> str:
    span = timezone.now() - moment
    is_ahead, span = span < timedelta(0), abs(span)
    if span >= timedelta(days=7):
        local, now = timezone.localtime(moment), timezone.localtime()
        return date_format(local, "j M" if local.year == now.year else "j M Y")
    if span < timedelta(minutes=1):
        return gettext("in a moment") if is_ahead else gettext("just now")
    if span < timedelta(hours=1):
        text = gettext("%(n)d min") % {"n": span.seconds // 60}
    elif span < timedelta(days=1):
        text = gettext("%(n)d h") % {"n": span.seconds // 3600}
    else:
        text = ngettext("%(n)d day", "%(n)d days", span.days) % {"n": span.days}
    return gettext("in %(time)s") % {"time": text} if is_ahead else gettext("%(time)s ago") % {"time": text}


def _locale() -> str:
    return to_locale(get_language() or "en")


# ---- frames ----


@register.simple_block_tag
def page_header(content: str, title: str, pretitle: str = "", pretitle_url: str = "", badges: str = "") -> SafeString:
    """The page's one header: its title, where it belongs, its state; the content is its actions."""
    context = {"content": content, "title": title, "pretitle": pretitle, "pretitle_url": pretitle_url, "badges": badges}
    return render_to_string("components/page_header.html", context)


@register.simple_block_tag
def card(content: str, title: str = "", icon: str = "", css: str = "", body: bool = True, id: str = "") -> SafeString:  # noqa: A002
    """A card; `body=False` for one that holds a table or a list group."""
    context = {"content": content, "title": title, "icon": icon, "css": css, "body": body, "id": id}
    return render_to_string("components/card.html", context)


@register.simple_block_tag
def empty(content: str, icon: str, title: str) -> SafeString:
    """What a list shows when it has nothing: why, and the one action that changes it."""
    return render_to_string("components/empty.html", {"content": content, "icon": icon, "title": title})


@register.simple_block_tag
def trail_item(content: str, icon: str, moment: datetime, tone: str = "blue", title: str = "") -> SafeString:
    """One entry of a timeline, inside <ol class="trail">."""
    context = {"content": content, "icon": icon, "moment": moment, "tone": tone, "title": title}
    return render_to_string("components/trail_item.html", context)


# ---- lists and addresses ----


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: template.Context, page: Page[Any], target: str = "") -> dict[str, Any]:
    """Links to the neighbours of a `tenants.paging.Page`; the rest of the address stays. `target`: swap only this."""
    return {"request": context["request"], "page": page, "target": target}


@register.inclusion_tag("components/tabs.html")
def record_tabs(kind: str, record: Any, current: str) -> dict[str, Any]:
    """The tabs that apps have registered for a kind of record, the current one marked."""
    return {"tabs": tabs.of(kind, record), "record": record, "current": current}


@register.simple_tag
def site_url(name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a page outside the tenant's pages: {% site_url "account_logout" %}."""
    return links.site_path(name, *args, **kwargs)


@register.simple_tag
def tenant_home() -> str:
    """The path of the tenant's first page."""
    return get_script_prefix()
