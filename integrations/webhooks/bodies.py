"""What is sent: the JSON of a message, in a documented shape with a version (docs/webhooks.md).

{"type": "email.clicked", "timestamp": "…Z", "data": {"version": 1, "id": …, "contact": {"id": …}, …}}

Facts carry ids and what their kind offers to rules; nothing that the kind declares personal. A receiver that may know
more asks for it by these ids. Only a journey's tile sends fields of a person: those that its marketer has chosen.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contacts import timeline
from contacts.reactor import Fact
from contacts.timeline import Kind

VERSION = 1
TEST = "webhook.test"
FROM_JOURNEY = "journey.webhook"
# Of a text in a fact; the whole message stays well below the 20 kB that receivers expect.
LONGEST = 500


def of_fact(fact: Fact) -> dict[str, Any]:
    """The message about a row of the timeline."""
    kind = timeline.kind(fact.kind)
    data: dict[str, Any] = {
        "version": VERSION,
        "id": fact.id,
        "contact": _reference(fact.contact_id),
        "account": _reference(fact.account_id),
        "lead": _reference(fact.lead_id),
        "object": {"kind": kind.object_kind, "id": fact.object_id} if kind.object_kind and fact.object_id else None,
        "fields": _fields(kind, fact.detail),
    }
    return message(fact.kind, fact.occurred_at, data)


def of_test(now: datetime) -> dict[str, Any]:
    """A message that says nothing but that it arrives."""
    return message(TEST, now, {"version": VERSION, "text": "It works."})


def message(type_: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": type_, "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": dict(data)}


def ordered(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as it is sent and shown: type and timestamp first, the keys of the data by name (jsonb forgets order)."""
    data = json.loads(json.dumps(body["data"], sort_keys=True))
    return {"type": body["type"], "timestamp": body["timestamp"], "data": data}


def as_bytes(body: Mapping[str, Any]) -> bytes:
    """The body as it is signed and sent: the same bytes at each attempt."""
    return json.dumps(ordered(body), ensure_ascii=False, separators=(",", ":")).encode()


def _reference(pk: int | None) -> dict[str, int] | None:
    return {"id": pk} if pk else None


def _fields(kind: Kind, detail: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: detail[key] for key in kind.fields if key in detail and key not in kind.personal}
    return {key: value[:LONGEST] if isinstance(value, str) else value for key, value in found.items()}
