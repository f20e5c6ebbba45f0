"""Why a change was parked, waits or was cancelled, in words."""

from django.utils.translation import gettext_lazy as _

from tenants.registry import Text

UNFIT, REJECTED, CLOSED, EXHAUSTED, ERASED, GONE, SAME, CARRIED, UNLINKED, CONTESTED, OVERTAKEN, UNREADABLE = (
    *("unfit", "rejected", "closed", "exhausted", "erased", "gone", "same", "carried", "unlinked", "contested"),
    *("overtaken", "unreadable"),
)
WORDS: dict[str, Text] = {
    UNFIT: _("a value does not fit there"),
    REJECTED: _("it was not accepted there"),
    CLOSED: _("it is closed there"),
    EXHAUSTED: _("all attempts failed"),
    ERASED: _("the contact was erased"),
    GONE: _("it does not exist here any more"),
    SAME: _("there was nothing to change"),
    CARRIED: _("the handoff brings it along"),
    UNLINKED: _("it was deleted there"),
    OVERTAKEN: _("a later change of the record took its place"),
    UNREADABLE: _("what is kept here cannot be read: see the worker's log"),
    CONTESTED: _("it was changed there again and again"),
}


def in_words(reason: str) -> Text:
    return WORDS.get(reason, reason)
