"""A hit on its way into the database."""

import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """One request to a message's pixel, link or unsubscribe address. `reasons` are signs of a machine.

    `link_id` is the link that was followed; of an unsubscription it is the purpose that the mail was sent for.
    """

    tenant_id: int
    message_id: int
    kind: str
    link_id: int | None
    at: datetime
    ip: str | None
    user_agent: str
    reasons: tuple[str, ...] = ()

    def as_json(self) -> str:
        """One line of the spool."""
        values = [getattr(self, name) for name in self.__slots__]
        return json.dumps([value.isoformat() if isinstance(value, datetime) else value for value in values])

    @classmethod
    def from_json(cls, line: str) -> "Hit":
        """Read a line of the spool; raises ValueError if it was cut off."""
        try:
            tenant, message, kind, link, at, ip, user_agent, reasons = json.loads(line)
            return cls(tenant, message, kind, link, datetime.fromisoformat(at), ip, user_agent, tuple(reasons))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(line) from error
