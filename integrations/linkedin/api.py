"""LinkedIn's API, as much of it as leads need: versioned headers, Rest.li queries, pages as they really come.

    linkedin = LinkedIn(connection)
    for form in linkedin.forms("1234567"): …
    for page in linkedin.responses("1234567", start, end): …

Every method calls out, so none may be used within a transaction; all raise `client.CallFailed`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings

from integrations.client import Answer, Client, Rejected, Unavailable
from integrations.connections.tokens import Tokens
from integrations.linkedin import oauth, parsing, versions
from integrations.linkedin.places import api_url
from integrations.linkedin.responses import FormDocument, Named, Response, milliseconds, objects, part
from integrations.linkedin.restli import Raw, query
from integrations.models import Connection

# Elements asked for per page; LinkedIn may give fewer, and says in `paging.count` by how many to go on.
PAGE = 100
# No list is longer than so many pages; one that is would never end.
MOST_PAGES = 20_000
# What is asked of a response; a form is read once for all its responses.
FIELDS = Raw(
    "id,owner,submitter,submittedAt,testLead,leadType,leadMetadata,leadMetadataInfo,associatedEntity,"
    "versionedLeadGenFormUrn,formResponse"
)
WITH_FORM = Raw(f"{FIELDS},form:(hiddenFields,creationLocale,name,id,versionId,state,content)")
SPONSORED = "SPONSORED"


@dataclass
class Page:
    """A page of responses; `faults` says what of it could not be read at all."""

    responses: list[Response]
    # How many there are in all, if LinkedIn says so: another number than before means that they have shifted.
    total: int | None = None
    faults: list[str] = field(default_factory=list)


class LinkedIn:
    """The API as the member of a connection sees it."""

    def __init__(self, connection: Connection, **client: Any) -> None:
        headers = {"LinkedIn-Version": settings.LINKEDIN_VERSION, "X-Restli-Protocol-Version": "2.0.0"}
        authoriser = Tokens(connection, oauth.refresh)
        self._client = Client("linkedin", api_url(connection), authoriser, headers=headers, **client)
        # LinkedIn's clock as the last answer had it, and what was unreadable in the lists read so far.
        self.now: datetime | None = None
        self.faults: list[str] = []
        self._total: int | None = None

    def accounts(self) -> list[Named]:
        """The ad accounts where the member has a role."""
        return self._named("/adAccounts", parsing.ad_account, q="search")

    def campaigns(self, account_id: str) -> list[Named]:
        """The campaigns of an ad account."""
        return self._named(f"/adAccounts/{quote(account_id, safe='')}/adCampaigns", parsing.campaign, q="search")

    def forms(self, account_id: str) -> Iterator[FormDocument]:
        """The newest version of each form of an ad account."""
        for page in self._by_offset("/leadForms", q="owner", owner=_owner(account_id)):
            yield from self._read(page, parsing.form)

    def form_of(self, response_id: str) -> FormDocument | None:
        """The form as it was when this response was given; None if LinkedIn does not show it any more.

        A list has only the newest version of a form; the older ones come with the responses to them.
        """
        element = self._get(f"/leadFormResponses/{quote(response_id, safe='')}", fields=WITH_FORM)
        ref = parsing.form_ref(part(element, "versionedLeadGenFormUrn"))
        given = part(element, "form")
        if ref is None or not given:
            return None
        return parsing.form({**given, "id": ref.external_id, "versionId": ref.version})

    def responses(self, account_id: str, start: datetime, end: datetime) -> Iterator[Page]:
        """What was submitted to an ad account's forms from `start` to `end`, both included, in no order."""
        pages = self._by_offset(
            "/leadFormResponses",
            q="owner",
            owner=_owner(account_id),
            leadType={"leadType": SPONSORED},
            limitedToTestLeads=False,
            submittedAtTimeRange={"start": milliseconds(start), "end": milliseconds(end)},
            fields=FIELDS,
        )
        for elements in pages:
            self.faults = []
            yield Page(self._read(elements, parsing.response), self._total, self.faults)

    def response(self, response_id: str) -> Response:
        """One response; Rejected with status 404 if LinkedIn has none, or not yet."""
        return parsing.response(self._get(f"/leadFormResponses/{quote(response_id, safe='')}", fields=FIELDS))

    def lead_counts(self, account_id: str, first_on: date, last_on: date) -> dict[str, int]:
        """LinkedIn's own number of leads by campaign on these days (UTC, both included), without test leads."""
        days = {"start": _day(first_on), "end": _day(last_on)}
        answer = self._call(
            "/adAnalytics",
            q="analytics",
            pivot=Raw("CAMPAIGN"),
            timeGranularity=Raw("ALL"),
            dateRange=days,
            accounts=[f"urn:li:sponsoredAccount:{account_id}"],
            fields=Raw("pivotValues,dateRange,oneClickLeads"),
        )
        counts: dict[str, int] = {}
        for element in objects(part(answer.json, "elements")):
            number = element.get("oneClickLeads")
            for urn in element.get("pivotValues") or ():
                if campaign := parsing.tail(urn):
                    counts[campaign] = counts.get(campaign, 0) + (number if isinstance(number, int) else 0)
        return counts

    def subscribe(self, account_id: str, webhook: str) -> str:
        """Let LinkedIn tell the webhook of an account's leads at once; returns the subscription's id.

        LinkedIn takes one per owner and address and refuses a second, so this may be repeated.
        """
        wanted = {"webhook": webhook, "owner": _owner(account_id), "leadType": SPONSORED}
        try:
            answer = self._send("POST", "/leadNotifications", data=wanted, is_safe=True)
        except Rejected as error:
            if error.status != 409:
                raise
            return self._subscription(account_id, webhook)
        return answer.headers.get("x-restli-id", "")

    def _subscription(self, account_id: str, webhook: str) -> str:
        """The id of a subscription that there is already."""
        owner = {"value": _owner(account_id)}
        answer = self._call("/leadNotifications", q="criteria", owner=owner, leadType={"leadType": SPONSORED})
        rows = objects(part(answer.json, "elements"))
        return next((str(row.get("id")) for row in rows if row.get("webhook") == webhook), "")

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription."""
        self._send("DELETE", f"/leadNotifications/{quote(subscription_id, safe='')}")

    def _named(self, path: str, parse: Callable[[Any], Named], **parameters: Any) -> list[Named]:
        """A list that newer versions page by a token, and older ones by an offset."""
        found: list[Named] = []
        token: str | None = None
        for _number in range(MOST_PAGES):
            answer = self._call(path, **parameters, pageSize=PAGE, pageToken=token).json
            found += self._read(objects(part(answer, "elements")), parse)
            token = part(answer, "metadata", "nextPageToken")
            if token is None and part(answer, "paging") is not None:
                return self._named_by_offset(path, parse, **parameters)
            if not token:
                return found
        raise Unavailable(f"LinkedIn's list {path} does not end.")

    def _named_by_offset(self, path: str, parse: Callable[[Any], Named], **parameters: Any) -> list[Named]:
        return [named for page in self._by_offset(path, **parameters) for named in self._read(page, parse)]

    def _by_offset(self, path: str, **parameters: Any) -> Iterator[list[Any]]:
        """Pages of elements, until one is empty.

        A page may be short while others follow: LinkedIn drops broken elements after it has cut the page. So only an
        empty page is the end, and the next one begins `paging.count` further on, however many came. A list that gives
        the same page again has no end.
        """
        start, before = 0, None
        for _number in range(MOST_PAGES):
            answer = self._call(path, **parameters, count=PAGE, start=start).json
            elements = part(answer, "elements")
            if not isinstance(elements, list):
                raise Unavailable(f"LinkedIn's list {path} has no elements.")
            if not elements:
                return
            if elements == before:
                raise Unavailable(f"LinkedIn's list {path} gives the same page again.")
            before = elements
            total = part(answer, "paging", "total")
            self._total = total if isinstance(total, int) else None
            yield elements
            step = part(answer, "paging", "count")
            start += step if isinstance(step, int) and 0 < step <= PAGE else PAGE
        raise Unavailable(f"LinkedIn's list {path} does not end.")

    def _read(self, elements: Any, parse: Callable[[Any], Any]) -> list[Any]:
        found = []
        for element in elements:
            try:
                found.append(parse(element))
            except parsing.Unreadable as error:
                self.faults.append(str(error))
        return found

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._call(path, **parameters).json

    def _call(self, path: str, **parameters: Any) -> Answer:
        answer = self._send("GET", path, query=query(**parameters))
        self.now = _date(answer) or self.now
        return answer

    def _send(self, method: str, path: str, **sent: Any) -> Answer:
        try:
            return self._client.call(method, path, **sent)
        except Rejected as error:
            if error.status != 426:
                raise
            text = versions.ended(error.text)
            raise Rejected(text, status=426, code=error.code, trace=error.trace) from None


def _owner(account_id: str) -> dict[str, str]:
    return {"sponsoredAccount": f"urn:li:sponsoredAccount:{account_id}"}


def _day(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _date(answer: Answer) -> datetime | None:
    """When LinkedIn answered, by its own clock."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return None
