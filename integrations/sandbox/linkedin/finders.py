"""The resources below `/rest/`: who may read what, and what they answer."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from integrations.sandbox.http import Reply
from integrations.sandbox.linkedin import elements, paging, refusals
from integrations.sandbox.linkedin.restli import Malformed, projection
from integrations.sandbox.linkedin.store import LEAD_ROLES, Account, Lead, Store

LEADS, ADS, REPORTS, PAGES = "r_marketing_leadgen_automation", "r_ads", "r_ads_reporting", "r_organization_admin"
DAY = 86_400_000
# The lead types by the kind of owner that has them.
TYPES = {"sponsoredAccount": ("SPONSORED",), "organization": ("COMPANY", "EVENT", "ORGANIZATION_PRODUCT")}


class Finders:
    """Reads of one world. `now` is in milliseconds; `arrive` adds responses as a seed has them."""

    def __init__(self, store: Store, now: Callable[[], int], arrive: Callable[[dict[str, Any]], Any]) -> None:
        self._store, self._now, self._arrive = store, now, arrive
        # The last list that pages were cut from, and what it was made from.
        self._cut: tuple[Any, list[Lead]] = (None, [])

    def accounts(self, asked: dict[str, Any], scopes: list[str]) -> Reply:
        """`GET /rest/adAccounts?q=search`: those where the member has a role."""
        self._needs(scopes, {ADS}, "adAccounts")
        if asked.get("q") != "search":
            raise refusals.invalid("q")
        search = asked.get("search", {})
        if not isinstance(search, dict):
            raise refusals.invalid("search")
        states = search.get("status", {}).get("values", []) if isinstance(search.get("status", {}), dict) else []
        rows = [row for row in self._store.accounts.values() if row.role and (not states or row.status in states)]
        if search.get("test") in ("true", "false"):
            rows = [row for row in rows if row.is_test == (search["test"] == "true")]
        page, around = paging.either(rows, asked)
        wanted = _projection(asked)
        found = [elements.projected(elements.account(self._store, row), wanted) for row in page]
        return Reply.json(200, {**around, "elements": found})

    def campaigns(self, account: int, asked: dict[str, Any], scopes: list[str]) -> Reply:
        """`GET /rest/adAccounts/{id}/adCampaigns?q=search`."""
        self._needs(scopes, {ADS}, "adCampaigns")
        self._account(account, set())
        if asked.get("q") != "search":
            raise refusals.invalid("q")
        rows = [row for row in self._store.campaigns.values() if row.account == account]
        page, around = paging.either(rows, asked)
        wanted = _projection(asked)
        return Reply.json(
            200, {**around, "elements": [elements.projected(elements.campaign(row), wanted) for row in page]}
        )

    def acls(self, asked: dict[str, Any], scopes: list[str]) -> Reply:
        """`GET /rest/organizationAcls?q=roleAssignee`: pages that the member manages; without a total."""
        self._needs(scopes, {PAGES}, "organizationAcls")
        if asked.get("q") != "roleAssignee":
            raise refusals.invalid("q")
        page, around = paging.by_offset(list(self._store.organizations), asked)
        del around["total"]
        found = [
            {
                "roleAssignee": self._store.member, "state": "APPROVED", "role": "ADMINISTRATOR",
                "organization": f"urn:li:organization:{organization}",
            }
            for organization in page
        ]  # fmt: skip
        return Reply.json(200, {"paging": around, "elements": found})

    def forms(self, asked: dict[str, Any], scopes: list[str]) -> Reply:
        """`GET /rest/leadForms?q=owner`: the newest version of each form of an owner."""
        self._needs(scopes, {LEADS, ADS}, "leadForms.FINDER-owner")
        owner = self._owner(asked, set())
        ids = dict.fromkeys(number for (number, _), form in self._store.forms.items() if form.owner == owner)
        rows = [form for each in ids if (form := self._store.latest_form(each)) and form.fault != "deleted"]
        page, around = paging.by_offset(rows, asked)
        wanted = _projection(asked)
        found = [elements.projected(elements.form(row), wanted) for row in page]
        return Reply.json(200, {"paging": around, "elements": found})

    def form(self, id: str, asked: dict[str, Any], scopes: list[str]) -> Reply:  # noqa: A002
        """`GET /rest/leadForms/{id}`: the newest version."""
        self._needs(scopes, {LEADS, ADS}, "leadForms.GET")
        found = self._store.latest_form(int(id)) if id.isdigit() else None
        if found is None or found.fault == "deleted":
            raise refusals.not_found(f"leadForm {id}")
        if found.fault == "forbidden":
            raise refusals.denied("leadForms.GET")
        return Reply.json(200, elements.projected(elements.form(found), _projection(asked)))

    def responses(self, asked: dict[str, Any], scopes: list[str]) -> Reply:
        """`GET /rest/leadFormResponses?q=owner`: a page of what an owner's forms brought."""
        self._needs(scopes, {LEADS}, "leadFormResponses.FINDER-owner")
        owner = self._owner(asked, set(LEAD_ROLES))
        type_ = _member(asked, "leadType", "leadType")
        if type_ not in TYPES[owner[0]]:
            raise refusals.invalid("leadType" if type_ not in sum(TYPES.values(), ()) else "owner")
        rows = self._listed(owner, type_, asked)
        page, around = paging.by_offset(rows, asked)
        quirks = self._store.quirks
        if quirks.get("no_total"):
            del around["total"]
        if quirks.get("links") == "next" and around["start"] + around["count"] < len(rows):
            href = f"/rest/leadFormResponses?q=owner&start={around['start'] + around['count']}&count={around['count']}"
            around["links"] = [{"type": "application/json", "rel": "next", "href": href}]
        write = elements.Writer(self._store, _projection(asked)).write
        written = ", ".join(write(lead) for lead in page if not lead.is_broken)
        self._between_pages()
        body = f'{{"paging": {json.dumps(around)}, "elements": [{written}]}}'.encode()
        return Reply(200, body, [("Content-Type", "application/json; charset=utf-8")])

    def response(self, id: str, asked: dict[str, Any], scopes: list[str]) -> Reply:  # noqa: A002
        """`GET /rest/leadFormResponses/{id}`."""
        self._needs(scopes, {LEADS}, "leadFormResponses.GET")
        lead = self._store.responses.by_id.get(unquote(id))
        if lead is None or lead.is_broken or lead.readable_at > self._now() or self._is_too_old(lead):
            raise refusals.not_found(f"leadFormResponse {id}")
        if lead.owner[0] == "sponsoredAccount":
            self._account(lead.owner[1], set(LEAD_ROLES))
        written = elements.Writer(self._store, _projection(asked)).write(lead)
        return Reply(200, written.encode(), [("Content-Type", "application/json; charset=utf-8")])

    def analytics(self, asked: dict[str, Any], scopes: list[str]) -> Reply:
        """`GET /rest/adAnalytics?q=analytics&pivot=CAMPAIGN`: leads by campaign in whole days of UTC, no test leads."""
        self._needs(scopes, {REPORTS}, "adAnalytics.FINDER-analytics")
        pivot = asked.get("pivot")
        pivot = pivot.get("value") if isinstance(pivot, dict) else pivot
        if asked.get("q") != "analytics" or pivot not in ("CAMPAIGN", "ACCOUNT"):
            raise refusals.invalid("pivot" if asked.get("q") == "analytics" else "q")
        if "pivot" in _projection(asked):
            raise refusals.invalid("fields")
        start, end = _days(asked)
        counted: dict[str, int] = {}
        for urn in asked.get("accounts", []):
            id = _urn(urn, "sponsoredAccount", "accounts")  # noqa: A001
            account = self._account(id, set())
            for lead in self._store.responses.between(("sponsoredAccount", id), "SPONSORED", start, end):
                if not lead.is_test and lead.campaign is not None:
                    key = f"urn:li:sponsoredCampaign:{lead.campaign}" if pivot == "CAMPAIGN" else account.urn
                    counted[key] = counted.get(key, 0) + 1
        found = [
            {"pivotValues": [key], "oneClickLeads": count, "dateRange": _range(start, end)}
            for key, count in sorted(counted.items())
        ]
        return Reply.json(200, {"paging": {"start": 0, "count": 10, "links": []}, "elements": found})

    def _listed(self, owner: tuple[str, int], type_: str, asked: dict[str, Any]) -> list[Lead]:
        """The list that pages are cut from: newest hour first, in no order within an hour; kept until it changes."""
        start, end = _time_range(asked)
        only_tests = _truth(asked, "limitedToTestLeads")
        form = asked.get("versionedLeadGenFormUrn")
        if form is not None and not (isinstance(form, str) and form.startswith("urn:li:versionedLeadGenForm:(")):
            raise refusals.invalid("versionedLeadGenFormUrn")
        key = (owner, type_, start, end, only_tests, form, self._store.responses.version, str(self._store.quirks))
        if self._cut[0] == key:
            return self._cut[1]
        start = max(start, self._now() - 365 * DAY)
        rows = self._store.responses.between(owner, type_, start, end)
        if only_tests:
            rows = [lead for lead in rows if lead.is_test]
        if form is not None:
            rows = [lead for lead in rows if elements.form_urn(lead.form, lead.version) == form.replace(" ", "")]
        rows = sorted(rows, key=lambda lead: (-(lead.submitted_at // 3_600_000), lead.id))
        if every := self._store.quirks.get("repeat_every"):
            rows = [row for at, lead in enumerate(rows, 1) for row in ([lead, lead] if at % every == 0 else [lead])]
        self._cut = (key, rows)
        return rows

    def _between_pages(self) -> None:
        """What happens after a page was read, and before the next is."""
        quirks = self._store.quirks
        if arriving := quirks.get("arrive_between_pages"):
            self._arrive({"leads": [arriving.pop(0)]})
        if leaving := quirks.get("delete_between_pages"):
            self._store.responses.remove(leaving.pop(0))

    def _needs(self, scopes: list[str], any_of: set[str], what: str) -> None:
        if not any_of & set(scopes):
            raise refusals.denied(what)

    def _owner(self, asked: dict[str, Any], roles: set[str]) -> tuple[str, int]:
        """The finder's owner, at whom the member has one of the roles (none given: any)."""
        if asked.get("q") != "owner":
            raise refusals.invalid("q")
        owner = asked.get("owner")
        if not isinstance(owner, dict) or len(owner) != 1 or next(iter(owner)) not in TYPES:
            raise refusals.invalid("owner")
        kind, urn = next(iter(owner.items()))
        id = _urn(urn, kind, "owner")  # noqa: A001
        if kind == "sponsoredAccount":
            self._account(id, roles)
        elif id not in self._store.organizations:
            raise refusals.denied("FINDER-owner")
        return kind, id

    def _account(self, id: int, roles: set[str]) -> Account:  # noqa: A002
        account = self._store.accounts.get(id)
        if account is None or not account.role or (roles and account.role not in roles):
            raise refusals.denied("FINDER-owner")
        return account

    def _is_too_old(self, lead: Lead) -> bool:
        return lead.submitted_at < self._now() - 365 * DAY


def _projection(asked: dict[str, Any]) -> dict[str, Any]:
    if "fields" not in asked:
        return {}
    try:
        return projection(asked["fields"])
    except Malformed as error:
        raise refusals.Refusal(400, str(error)) from None


def _member(asked: dict[str, Any], name: str, inner: str) -> str:
    """The text in a record of one: `leadType=(leadType:SPONSORED)`."""
    found = asked.get(name)
    if not isinstance(found, dict) or set(found) != {inner} or not isinstance(found[inner], str):
        raise refusals.invalid(name)
    return found[inner]


def _truth(asked: dict[str, Any], name: str) -> bool:
    if asked.get(name, "false") not in ("true", "false"):
        raise refusals.invalid(name)
    return asked.get(name) == "true"


def _urn(text: Any, kind: str, parameter: str) -> int:
    """The number in `urn:li:<kind>:<number>`."""
    start = f"urn:li:{kind}:"
    if not isinstance(text, str) or not text.startswith(start) or not text.removeprefix(start).isdigit():
        raise refusals.invalid(parameter)
    return int(text.removeprefix(start))


def _time_range(asked: dict[str, Any]) -> tuple[int, int]:
    """`submittedAtTimeRange`: its start, which it must have, and its end; without it everything."""
    found = asked.get("submittedAtTimeRange")
    if found is None:
        return 0, 1 << 62
    if not isinstance(found, dict) or not set(found) <= {"start", "end"} or "start" not in found:
        raise refusals.invalid("submittedAtTimeRange")
    if not all(isinstance(text, str) and text.isdigit() for text in found.values()):
        raise refusals.invalid("submittedAtTimeRange")
    return int(found["start"]), int(found.get("end", 1 << 62))


def _days(asked: dict[str, Any]) -> tuple[int, int]:
    """The first and the last millisecond of a `dateRange`."""
    found = asked.get("dateRange")
    try:
        start = _day(found["start"])  # type: ignore[index]
        end = _day(found["end"]) if "end" in found else start  # type: ignore[index, operator]
    except (TypeError, KeyError, ValueError):
        raise refusals.invalid("dateRange") from None
    return int(start.timestamp() * 1000), int((end + timedelta(days=1)).timestamp() * 1000) - 1


def _day(given: Any) -> datetime:
    return datetime(int(given["year"]), int(given["month"]), int(given["day"]), tzinfo=UTC)


def _range(start: int, end: int) -> dict[str, Any]:
    days = {"start": datetime.fromtimestamp(start / 1000, UTC), "end": datetime.fromtimestamp(end / 1000, UTC)}
    return {name: {"year": day.year, "month": day.month, "day": day.day} for name, day in days.items()}
