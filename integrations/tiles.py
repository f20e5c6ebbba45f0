"""Call a webhook: tells another system about everybody who comes here, and may wait for its answer.

The call is a row first, under a key of the participant and the tile; a sender carries it out. The participant waits
until the row has its fate, or her time is over.
"""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Contact
from integrations import addresses
from integrations.forms.tiles import ANSWER, CallForm
from integrations.models import Delivery, Endpoint
from integrations.webhooks import bodies, outbox, reasons
from journeys import deciding, waiting
from journeys.deciding import Deadlines, Decision
from journeys.models import Journey
from journeys.tiles.registry import (
    ERROR,
    WARNING,
    Branch,
    Due,
    Issue,
    Names,
    Reference,
    Text,
    Tile,
    TileKind,
    Traveller,
    register,
)
from leads.models import Lead

OK, FAILED = "ok", "failed"
State = Delivery.State


@register
class CallWebhook(TileKind):
    key = "webhook"
    label = gettext_lazy("Call webhook")
    description = gettext_lazy("Tell another system about everybody who comes here.")
    icon = "webhook"
    tone = "cyan"
    form = CallForm
    batch = 500

    def branches(self, tile: Tile, names: Names | None = None) -> list[Branch]:
        ok = Branch(OK, _("Ok") if _waits(tile["settings"]) else _("Next"))
        return [ok, Branch(FAILED, _("Failed"))] if _waits(tile["settings"]) else [ok]

    def refers(self, tile: Tile) -> list[Reference]:
        return [(Endpoint, tile["settings"]["endpoint"])] if tile["settings"].get("endpoint") else []

    def summary(self, tile: Tile, names: Names) -> Text:
        settings = tile["settings"]
        if not settings:
            return ""
        if settings["endpoint"]:
            return names.get((Endpoint, settings["endpoint"]), "?")
        return addresses.parse(settings["url"]).host

    def check(self, journey: Journey, tree: dict[str, Any], key: str) -> list[Issue]:
        """A webhook that is disabled takes nothing; one that is paused takes it later."""
        pk = tree["tiles"][key]["settings"]["endpoint"]
        state = Endpoint.objects.filter(pk=pk).values_list("state", flat=True).first() if pk else None
        if state == Endpoint.State.DISABLED:
            return [Issue(ERROR, key, _("The webhook is disabled."))]
        if state == Endpoint.State.PAUSED:
            return [Issue(WARNING, key, _("The webhook is paused: nothing is sent until it is resumed."))]
        return []

    def trace_path(self, participant_id: int, key: str) -> str:
        return reverse("integrations:call", args=[participant_id, key])

    def run(self, due: Due) -> None:
        """Order what has not been ordered; who need not wait goes on, the others by their delivery's fate."""
        settings, rows = due.settings, _ordered(due)
        new = [person for person in due.travellers if person.id not in rows]
        is_gone = bool(new) and not _may_order(settings)
        if new and not is_gone:
            outbox.order(_deliveries(due, new))
            rows = _ordered(due)
        lost = Decision(FAILED, because=_("the webhook is disabled or gone"))
        if not _waits(settings):
            for person in due.travellers:
                due.go_one(person, OK, detail={} if person.id in rows else {"because": lost.because})
            return

        def find(deadlines: Deadlines) -> dict[int, Decision]:
            finished = {
                person: _decision(row)
                for person, row in rows.items()
                if row.finished_at and row.finished_at <= deadlines[person]
            }
            return finished | (dict.fromkeys((person.id for person in new), lost) if is_gone else {})

        amount, unit = settings["amount"], settings["unit"]
        late = _("no answer within %(time)s") % {"time": waiting.in_words(amount, unit)}
        deciding.wait_for(due, find, amount=amount, unit=unit, otherwise=Decision(FAILED, because=late))


def _waits(settings: dict[str, Any]) -> bool:
    return settings.get("expects", ANSWER) == ANSWER


def _may_order(settings: dict[str, Any]) -> bool:
    """Whether there is something to order at: an address, or a webhook that has not been deleted or disabled."""
    enabled = Endpoint.objects.exclude(state=Endpoint.State.DISABLED)
    return not settings["endpoint"] or enabled.filter(pk=settings["endpoint"]).exists()


def _decision(row: Delivery) -> Decision:
    if row.state == State.DELIVERED:
        return Decision(OK, because=_("the receiver took it"))
    return Decision(FAILED, because=str(reasons.in_words(row.reason)))


def _key(participant_id: int, tile: str) -> str:
    return f"participant:{participant_id}:{tile}"


def _ordered(due: Due) -> dict[int, Delivery]:
    """By participant: what this tile has ordered. Index: one_delivery_per_key."""
    keys = [_key(person, due.key) for person in due.ids]
    rows = Delivery.objects.filter(key__in=keys).defer("body")
    return {row.participant_id: row for row in rows if row.participant_id}


def _deliveries(due: Due, people: list[Traveller]) -> Iterator[Delivery]:
    settings = due.settings
    contacts = Contact.objects.select_related("account").in_bulk([person.contact_id for person in people])
    leads = Lead.objects.in_bulk([person.lead_id for person in people if person.lead_id])
    for person in people:
        yield Delivery(
            endpoint_id=settings["endpoint"],
            url="" if settings["endpoint"] else settings["url"],
            key=_key(person.id, due.key),
            kind=bodies.FROM_JOURNEY,
            contact_id=person.contact_id,
            journey_id=due.journey.pk,
            tile=due.key,
            participant_id=person.id,
            body=_body(due, contacts[person.contact_id], leads.get(person.lead_id or 0)),
            is_awaited=_waits(settings),
        )


def _body(due: Due, contact: Contact, lead: Lead | None) -> dict[str, Any]:
    """The ids, and the fields that the marketer has chosen."""
    data = {
        "version": bodies.VERSION,
        "journey": {"id": due.journey.pk, "name": due.journey.name},
        "contact": {"id": contact.pk} | {name: _value(contact, name) for name in due.settings["contact_fields"]},
        "lead": {"id": lead.pk} | {name: _value(lead, name) for name in due.settings["lead_fields"]} if lead else None,
    }
    return bodies.message(bodies.FROM_JOURNEY, due.now, data)


def _value(record: Any, name: str) -> Any:
    """A field of a contact or lead; `account_name` is the name of its account, if it has one."""
    if name.startswith("account_"):
        return getattr(record.account, name.removeprefix("account_"), None)
    return getattr(record, name)
