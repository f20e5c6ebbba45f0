"""What a LinkedIn of one company holds: app and member, ad accounts, campaigns, forms, responses, subscriptions."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SCOPES = ("r_marketing_leadgen_automation", "r_ads", "r_ads_reporting", "r_organization_admin", "r_events")
# Roles at an ad account that may read its leads; others may only look at the account.
LEAD_ROLES = frozenset({"ACCOUNT_BILLING_ADMIN", "ACCOUNT_MANAGER", "CAMPAIGN_MANAGER", "CREATIVE_MANAGER"})


@dataclass
class App:
    """The developer's application at LinkedIn."""

    client_id: str = "sandbox-app"
    client_secret: str = "sandbox-secret"  # noqa: S105 (as public as this file)
    old_secret: str = "former-secret"  # noqa: S105
    # Exactly these may be returned to; empty: any that LinkedIn would let somebody enter.
    redirect_uris: list[str] = field(default_factory=list)
    # What LinkedIn has approved for this app.
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    has_refresh_tokens: bool = True
    # A new token is answered with 401 so many times, for it has not reached every machine.
    fresh_refusals: int = 0
    # False: the member's consent is taken for granted, and the browser is sent back at once.
    asks: bool = True
    access_seconds: int = 5_184_000
    refresh_seconds: int = 31_536_000


@dataclass
class Account:
    """An ad account; `role`: the member's there ("": none)."""

    id: int
    name: str
    role: str = "ACCOUNT_MANAGER"
    status: str = "ACTIVE"
    is_test: bool = False
    organization: int = 0

    @property
    def urn(self) -> str:
        return f"urn:li:sponsoredAccount:{self.id}"


@dataclass
class Campaign:
    """A campaign of an ad account."""

    id: int
    account: int
    name: str
    status: str = "ACTIVE"
    started: int = 0


@dataclass
class Form:
    """One version of a form; `owner` is ("sponsoredAccount" | "organization", id)."""

    id: int
    version: int
    owner: tuple[str, int]
    name: str
    questions: list[dict[str, Any]]
    consents: list[dict[str, Any]] = field(default_factory=list)
    hidden: list[dict[str, str]] = field(default_factory=list)
    state: str = "PUBLISHED"
    locale: tuple[str, str] = ("en", "US")
    created: int = 0
    # "": readable; "deleted" answers 404, "forbidden" 403, and responses come without it.
    fault: str = ""


@dataclass(slots=True)
class Lead:
    """A response. `answers` and `consents` are as LinkedIn sends them; None: the part is missing altogether, unless
    `person` is given, who then says what was answered (`people`)."""

    id: str
    form: int
    version: int
    owner: tuple[str, int]
    submitted_at: int
    answers: list[dict[str, Any]] | None = None
    consents: list[dict[str, Any]] | None = None
    type: str = "SPONSORED"
    campaign: int | None = None
    creative: int | None = None
    submitter: str = ""
    is_test: bool = False
    # Laid over the element: a fault of the record that nothing else can express.
    overlay: dict[str, Any] | None = None
    # Dropped from pages after these were cut, until it is mended.
    is_broken: bool = False
    # Before this instant a direct look-up answers 404.
    readable_at: int = 0
    is_pushed: bool = False
    person: int | None = None


@dataclass
class Subscription:
    """Where pushes of one owner's leads go."""

    id: int
    webhook: str
    owner: dict[str, str]
    type: str
    extra: dict[str, Any] = field(default_factory=dict)
    failures: int = 0
    validated_at: int | None = None

    @property
    def is_blocked(self) -> bool:
        return self.failures >= 3


class Responses:
    """All responses, by id and by (owner, type, instant)."""

    def __init__(self) -> None:
        self.by_id: dict[str, Lead] = {}
        self._times: dict[tuple[tuple[str, int], str], list[tuple[int, str]]] = {}
        # Counts the changes: what was computed from an older one is stale.
        self.version = 0

    def add(self, leads: Iterator[Lead] | list[Lead]) -> int:
        """Add them, or replace those with the same id; returns how many were given."""
        given = list(leads)
        for lead in given:
            if lead.id in self.by_id:
                self.remove(lead.id)
            self.by_id[lead.id] = lead
            times = self._times.setdefault((lead.owner, lead.type), [])
            if len(given) < 100:
                insort(times, (lead.submitted_at, lead.id))
            else:
                times.append((lead.submitted_at, lead.id))
        if len(given) >= 100:
            for times in self._times.values():
                times.sort()
        self.version += 1
        return len(given)

    def remove(self, id: str) -> Lead | None:  # noqa: A002
        """Take one away, as when the member withdraws it."""
        lead = self.by_id.pop(id, None)
        if lead is not None:
            self._times[lead.owner, lead.type].remove((lead.submitted_at, id))
            self.version += 1
        return lead

    def between(self, owner: tuple[str, int], type: str, start: int, end: int) -> list[Lead]:  # noqa: A002
        """Those of an owner submitted from `start` to `end` (milliseconds), both included, oldest first."""
        times = self._times.get((owner, type), [])
        first, last = bisect_left(times, (start, "")), bisect_right(times, (end, "\uffff"))
        return [self.by_id[each] for _, each in times[first:last]]


class Store:
    """Everything of one world."""

    def __init__(self) -> None:
        self.app = App()
        self.member = "urn:li:person:BcLKbjuipL"
        self.accounts: dict[int, Account] = {}
        self.organizations: dict[int, str] = {}
        self.campaigns: dict[int, Campaign] = {}
        self.forms: dict[tuple[int, int], Form] = {}
        self.responses = Responses()
        self.subscriptions: dict[int, Subscription] = {}
        self.active_versions: list[str] = []
        # Calls of a day that a resource allows; absent: any number.
        self.limits: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        # How pages misbehave: see `paging`.
        self.quirks: dict[str, Any] = {}
        # Consents and refresh tokens given before this instant are void.
        self.revoked_before = 0.0

    def latest_form(self, id: int) -> Form | None:  # noqa: A002
        """The newest version of a form."""
        versions = [version for form, version in self.forms if form == id]
        return self.forms[id, max(versions)] if versions else None

    def counts(self) -> dict[str, int]:
        """How much there is, for the answer to whoever arranged it."""
        return {
            "accounts": len(self.accounts), "campaigns": len(self.campaigns), "forms": len(self.forms),
            "leads": len(self.responses.by_id), "subscriptions": len(self.subscriptions),
        }  # fmt: skip
