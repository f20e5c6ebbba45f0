"""What stands against a design going live, each finding with the place it is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from messaging import personalization
from messaging.designs import richtext
from messaging.designs.blocks import KINDS, Block
from messaging.designs.composing import compose
from messaging.models import ContentSettings, Email, EmailVersion
from messaging.personalization import TAG, Refused

# Gmail cuts mails off here, and with them the unsubscribe link.
CLIPPED_AT = 102_000
LONGEST_SUBJECT = 60
LEAST_CONTRAST = 4.5
# Stands for a tag while addresses are looked at.
PERSONAL = "xTAGx"
SETTINGS, SUBJECT, PREHEADER, DESIGN = "settings", "subject", "preheader", "design"


@dataclass(frozen=True)
class Issue:
    """One finding. `where` is "subject", "preheader", "settings", "design" or a block's id."""

    severity: str
    where: str
    message: str
    # A test mail can do without what only real ones need (consent purpose, say).
    stops_tests: bool = True

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


def check(email: Email, version: EmailVersion, known: set[str]) -> list[Issue]:
    """All findings; run in the tenant's scope. `known` are the names that personalization may use."""
    issues = [*_settings(email), *_heading(version, known)]
    if not version.blocks:
        issues.append(_error(DESIGN, _("The e-mail is empty.")))
    for block in version.blocks:
        issues += _block(block, known)
    if not any(issue.is_error and issue.where not in (SETTINGS, SUBJECT) for issue in issues):
        issues += _whole(email, version)
    return issues


def _settings(email: Email) -> Iterator[Issue]:
    settings = email.content_settings or ContentSettings.objects.filter(is_default=True).first()
    if settings is None:
        yield _error(SETTINGS, _("There are no content settings: who sends this, from which postal address?"))
    elif not settings.postal_address.strip():
        yield _error(SETTINGS, _("The content settings lack a postal address."))
    is_commercial = email.designation == Email.Designation.COMMERCIAL
    if is_commercial and email.purpose_id is None:
        yield Issue("error", SETTINGS, _("A commercial e-mail needs a purpose that people agree to."), False)


def _heading(version: EmailVersion, known: set[str]) -> Iterator[Issue]:
    plain = TAG.sub("x", version.subject).strip()
    if not plain:
        yield _error(SUBJECT, _("The subject is missing."))
    elif len(plain) > LONGEST_SUBJECT:
        yield _warning(SUBJECT, _("The subject is longer than %(n)d characters.") % {"n": LONGEST_SUBJECT})
    if not version.preheader.strip():
        yield _warning(PREHEADER, _("Without a preheader, inboxes show the first words of the text."))
    yield from _names(SUBJECT, version.subject, known)
    yield from _names(PREHEADER, version.preheader, known)


def _block(block: Block, known: set[str]) -> Iterator[Issue]:
    kind, key, props = block.get("kind", ""), block.get("id", ""), block.get("props", {})
    if kind not in KINDS:
        yield _error(key, _("Unknown kind of block: %(kind)s") % {"kind": kind})
        return
    for name in ("text", "html", "label", "alt"):
        yield from _names(key, props.get(name, ""), known)
    if kind == "heading" and not props["text"].strip():
        yield _warning(key, _("The heading is empty."))
    if kind == "text":
        yield from _text(key, props["html"])
    if kind == "button":
        yield from _button(key, props)
    if kind == "image":
        yield from _image(key, props)


def _text(key: str, html: str) -> Iterator[Issue]:
    cleaned = richtext.clean(TAG.sub("x", html))
    if not strip_tags(cleaned).strip():
        yield _warning(key, _("The text is empty."))
    for url in richtext.links(TAG.sub(PERSONAL, html)):
        yield from _address(key, url, any_scheme=True)


def _button(key: str, props: Block) -> Iterator[Issue]:
    if not props["label"].strip():
        yield _error(key, _("The button has no label."))
    yield from _address(key, props["url"])
    if contrast_with_white(props["color"]) < LEAST_CONTRAST:
        yield _warning(key, _("The button's label is hard to read on this colour."))


def _image(key: str, props: Block) -> Iterator[Issue]:
    yield from _address(key, props["src"])
    if props["url"]:
        yield from _address(key, props["url"])
    if not props["alt"].strip():
        yield _error(key, _("The image has no alternative text."))


def _address(key: str, url: str, *, any_scheme: bool = False) -> Iterator[Issue]:
    if any_scheme and url.startswith(("mailto:", "tel:")):
        return
    if not url.strip():
        yield _error(key, _("The address of the link is missing."))
    elif PERSONAL in url or TAG.search(url):
        yield _error(key, _("Addresses cannot be personalised: %(url)s") % {"url": url})
    elif not is_absolute(url):
        yield _error(key, _("Not a full web address: %(url)s") % {"url": url})


def _names(where: str, text: str, known: set[str]) -> Iterator[Issue]:
    try:
        personalization.check(text, known)
    except Refused as error:
        yield _error(where, str(error))


def _whole(email: Email, version: EmailVersion) -> Iterator[Issue]:
    try:
        composed = compose(version.blocks, preheader=version.preheader)
    except ValueError as error:
        yield _error(DESIGN, _("The design cannot be compiled: %(error)s") % {"error": error})
        return
    size = len(composed.html.encode()) + 100 * len(composed.links)
    if size > CLIPPED_AT:
        text = _("The e-mail has %(size)d KB; above %(limit)d KB inboxes cut it off, unsubscribe link included.")
        yield _error(DESIGN, text % {"size": size // 1000, "limit": CLIPPED_AT // 1000})


def is_absolute(url: str) -> bool:
    """Whether it is a complete address of the web, without blanks or control characters."""
    if any(character.isspace() or not character.isprintable() for character in url) or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def contrast_with_white(color: str) -> float:
    """WCAG 2.2's contrast ratio of a colour (#rrggbb) against white; 0 if it is no colour."""
    try:
        channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    except ValueError:
        return 0.0
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _error(where: str, message: str) -> Issue:
    return Issue("error", where, message)


def _warning(where: str, message: str) -> Issue:
    return Issue("warning", where, message)
