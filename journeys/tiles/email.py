"""Send an e-mail: orders a message per person; who may not get it goes on without."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import claiming, waiting
from journeys.models import Journey
from journeys.tiles.form import TileForm
from journeys.tiles.registry import ERROR, NEXT, Due, Issue, Names, Reference, Text, Tile, TileKind, register
from messaging import outbox
from messaging.models import Email, EmailVersion, Message

# How soon to look again while the tenant's mail is backed up.
BACKED_UP_FOR = timedelta(minutes=5)


class EmailForm(TileForm):
    """Which e-mail, and until when it is worth sending."""

    email = forms.ModelChoiceField(label=gettext_lazy("E-mail"), queryset=Email.objects.none())
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Not after"),
        required=False,
        help_text=gettext_lazy("In the journey's time zone. Who comes later goes on without this e-mail."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].queryset = Email.objects.filter(is_archived=False).order_by("name")  # type: ignore[attr-defined]

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """The stored wall time as the input shows it."""
        expires = settings.get("expires_at")
        return {**settings, "expires_at": datetime.fromisoformat(expires) if expires else None}

    def to_settings(self) -> dict[str, Any]:
        """The e-mail's id, the wall time without a zone."""
        expires = self.cleaned_data["expires_at"]
        until = expires.replace(tzinfo=None).isoformat(timespec="minutes") if expires else None
        return {"email": self.cleaned_data["email"].pk, "expires_at": until}


@register
class SendEmail(TileKind):
    key = "email"
    label = gettext_lazy("E-mail")
    description = gettext_lazy("Send an e-mail to everybody who comes here.")
    icon = "mail"
    tone = "blue"
    form = EmailForm
    sends_mail = True

    def refers(self, tile: Tile) -> list[Reference]:
        return [(Email, tile["settings"]["email"])] if tile["settings"].get("email") else []

    def summary(self, tile: Tile, names: Names) -> Text:
        email = tile["settings"].get("email")
        return names.get((Email, email), "?") if email else ""

    def check(self, journey: Journey, tree: dict[str, Any], key: str) -> list[Issue]:
        """What is sent is the live version."""
        email = tree["tiles"][key]["settings"]["email"]
        if EmailVersion.objects.filter(email_id=email, state=EmailVersion.State.LIVE).exists():
            return []
        return [Issue(ERROR, key, _("The e-mail is not live."))]

    def run(self, due: Due) -> None:
        """Order the messages by one statement; while the tenant's mail is backed up, people wait here."""
        if outbox.is_backed_up():
            for traveller in due.travellers:
                due.look_again(traveller, due.now + BACKED_UP_FOR)
            return
        expires = due.settings.get("expires_at")
        outbox.order_select(
            """SELECT 'participant:' || person.id || ':' || person.tile AS key, person.contact_id,
                      contact.email AS address, %(email)s AS email_id,
                      CASE WHEN person.cause_id IS NULL THEN %(bulk)s ELSE %(triggered)s END AS priority,
                      person.journey_id, person.tile, person.id AS participant_id, %(expires_at)s AS expires_at
               FROM journeys_participant person CROSS JOIN LATERAL (
                 SELECT email FROM contacts_contact WHERE id = person.contact_id LIMIT 1) contact
               WHERE person.id = ANY(%(ids)s::bigint[])""",
            {
                "ids": claiming.as_array(due.ids),
                "email": due.settings["email"],
                "bulk": Message.Priority.BULK,
                "triggered": Message.Priority.TRIGGERED,
                "expires_at": waiting.at_wall_time(datetime.fromisoformat(expires), ZoneInfo(due.time_zone))
                if expires
                else None,
            },
        )
        due.go(NEXT, due.travellers)


def tiles_above(tree: dict[str, Any], keys: list[str]) -> list[tuple[str, int]]:
    """(tile key, e-mail id) of the e-mail tiles among `keys` that name an e-mail."""
    tiles = ((key, tree["tiles"][key]) for key in keys)
    return [
        (key, tile["settings"]["email"])
        for key, tile in tiles
        if tile["kind"] == SendEmail.key and tile["settings"].get("email")
    ]
