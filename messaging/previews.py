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


@dataclass(frozen=True)
class Preview:
    """A filled e-mail."""

    subject: str
    html: str
    text: str


def preview(
    tenant: Tenant, email: Email, version: EmailVersion, contact: Contact | None, addresses: Mapping[str, str] | None
) -> Preview:
    """The version as for a contact (None: one about whom nothing is known); raises personalization.Refused.

    Links lead where they lead, untracked. `addresses` are the recipient's own pages, if there are any.
    """
    try:
        composed = publishing.compose_version(email, version)
    except ValueError as error:
        raise personalization.Refused(str(error)) from error
    values = recipients.load([contact.pk])[contact.pk] if contact else recipients.nobody()
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


def in_new_tabs(html: str) -> str:
    """The page with all its links opening in new tabs, as mail programs do."""
    return html.replace("<head>", '<head><base target="_blank">', 1)


def _addresses(composed: Composed, own: Mapping[str, str]) -> dict[str, str]:
    links = {f"link_{target.key}": target.url for target in composed.links}
    return {PIXEL: EMPTY_PIXEL, UNSUBSCRIBE: "#", PREFERENCES: "#", VIEW: "#", **own, **links}
