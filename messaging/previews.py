"""An e-mail as somebody sees it in a browser: in the editor, in the mail's own "view in browser"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from contacts.models import Contact
from messaging import personalization, publishing, recipients
from messaging.designs.composing import PIXEL, PREFERENCES, UNSUBSCRIBE, VIEW, Composed
from messaging.models import ContentSettings, Email, EmailVersion
from tenants.models import Tenant

# A picture of nothing, where the pixel would be.
EMPTY_PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="

# Stands for an address in `values_as`: every value as long as they get.
LONGEST = "longest"


@dataclass(frozen=True)
class Preview:
    """A filled e-mail."""

    subject: str
    html: str
    text: str


def preview(
    tenant: Tenant,
    email: Email,
    version: EmailVersion,
    values: recipients.Values,
    addresses: Mapping[str, str] | None = None,
) -> Preview:
    """The version filled with a recipient's values (see `values_of`, `values_as`); raises personalization.Refused.

    Links lead where they lead, untracked. `addresses` are the recipient's own pages, if there are any.
    """
    try:
        composed = publishing.compose_version(email, version)
    except ValueError as error:
        raise personalization.Refused(str(error)) from error
    settings = email.content_settings or ContentSettings.objects.filter(is_default=True).first() or ContentSettings()
    everything = {
        **recipients.shared(tenant, settings),
        **values,
        personalization.PRIVATE: _addresses(composed, addresses or {}),
    }
    parts: dict[str, tuple[str, Callable[[str], str]]] = {
        "subject": (version.subject, str),
        "html": (composed.html, escape),
        "text": (composed.text, str),
    }
    filled = {}
    for name, (source, finish) in parts.items():
        environment = personalization.make_environment(finish)
        personalization.add(environment, name, source)
        filled[name] = personalization.render(environment, name, everything)
    return Preview(**filled)


def values_of(contact: Contact | None) -> recipients.Values:
    """What is known of a contact; of None nothing."""
    return recipients.load([contact.pk])[contact.pk] if contact else recipients.nobody()


def values_as(who: str) -> recipients.Values:
    """The values to look at a design with: LONGEST, a contact's address, or (anything else) somebody unknown."""
    if who == LONGEST:
        return recipients.longest()
    address = who.replace("\x00", "").strip().lower()
    return values_of(Contact.objects.filter(email=address).exclude(email="").first())


def in_new_tabs(html: str) -> str:
    """The page with all its links opening in new tabs, as mail programs do."""
    return html.replace("<head>", '<head><base target="_blank">', 1)


def _addresses(composed: Composed, own: Mapping[str, str]) -> dict[str, str]:
    links = {f"link_{target.key}": target.url for target in composed.links}
    return {PIXEL: EMPTY_PIXEL, UNSUBSCRIBE: "#", PREFERENCES: "#", VIEW: "#", **own, **links}
