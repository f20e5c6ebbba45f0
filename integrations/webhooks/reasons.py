"""Why a delivery failed or was cancelled, in words."""

from django.utils.translation import gettext_lazy as _

from tenants.registry import Text

REFUSED, EXHAUSTED, EXPIRED, GONE, LEFT, ERASED, REJECTED = (
    *("refused", "exhausted", "expired", "gone", "left", "erased", "rejected"),
)
WORDS: dict[str, Text] = {
    REJECTED: _("the receiver does not take it"),
    REFUSED: _("the address is not called"),
    EXHAUSTED: _("all attempts failed"),
    EXPIRED: _("the journey went on without it"),
    GONE: _("the receiver wants no more"),
    LEFT: _("the contact left the journey"),
    ERASED: _("the contact was erased"),
}


def in_words(reason: str) -> Text:
    return WORDS.get(reason, reason)
