"""What happens to contacts and accounts, as kinds of the timeline."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

KINDS = (
    Kind(
        "contact.created",
        title=_("Contact created"),
        icon="user-plus",
        sentence=_("was created ({source})"),
        group="record",
    ),
    Kind(
        "contact.changed",
        title=_("Contact changed"),
        icon="pencil",
        sentence=_("was changed: {names}"),
        group="record",
        personal=("fields",),
    ),
    Kind("contact.merged", title=_("Contacts merged"), icon="git-merge", sentence=_("took in {other}"), group="record"),
    Kind(
        "account.created",
        title=_("Account created"),
        icon="building",
        sentence=_("{account} was created"),
        object_kind="account",
        group="record",
    ),
    Kind(
        "account.changed",
        title=_("Account changed"),
        icon="pencil",
        sentence=_("{account} was changed: {names}"),
        object_kind="account",
        group="record",
    ),
    Kind(
        "consent.granted",
        title=_("Consent given"),
        icon="shield-check",
        sentence=_("agreed to {purpose} ({source})"),
        object_kind="purpose",
        group="consent",
    ),
    Kind(
        "consent.refused",
        title=_("Consent refused"),
        icon="ban",
        sentence=_("refused {purpose} ({source})"),
        object_kind="purpose",
        group="consent",
    ),
    Kind(
        "note.written",
        title=_("Note"),
        icon="note",
        sentence=_("{text}"),
        group="sales",
        personal=("text",),
        in_rules=False,
    ),
)
