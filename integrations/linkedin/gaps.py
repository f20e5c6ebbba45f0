"""The gap report: LinkedIn's own number of leads by campaign, beside what has come here.

LinkedIn counts in days of UTC and without test leads; its figures change for some days, so the last ones are asked for
again at each daily rereading.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count
from django.utils import timezone

from integrations.client import Rejected, Unavailable
from integrations.linkedin import oauth
from integrations.models import AdAccount, AdCampaign, Connection, LeadCount, LeadSubmission
from tenants.scope import tenant_scope

if TYPE_CHECKING:
    from integrations.linkedin.pulling import Pull

# How many days are compared, today included.
DAYS = 30
COUNTED_EVERY = timedelta(hours=24)
# Submissions that LinkedIn counts and that we know of, whatever became of them.
_NOT_COUNTED = (LeadSubmission.State.TEST, LeadSubmission.State.ANNOUNCED)


@dataclass(frozen=True)
class Gap:
    """A campaign: how many leads LinkedIn counts on these days, how many are here."""

    campaign: AdCampaign
    first_on: date
    last_on: date
    at_linkedin: int
    here: int

    @property
    def missing(self) -> int:
        return self.at_linkedin - self.here


def refresh(pull: "Pull") -> None:
    """Ask for LinkedIn's figures once a day, if they are to be compared.

    Outside of any scope. The leads have been read by then: a fault of the figures is none of the run.
    """
    if not oauth.compares(pull.connection):
        return
    connection, today = pull.connection, (pull.api.now or timezone.now()).astimezone(UTC).date()
    first_on = today - timedelta(days=DAYS - 1)
    with tenant_scope(connection.tenant_id, read_only=True):
        accounts = list(AdAccount.objects.filter(connection=connection, is_chosen=True, problem="").order_by("pk"))
        latest = LeadCount.objects.filter(campaign__connection=connection).order_by("-counted_at").first()
    if latest is not None and latest.last_on >= today and timezone.now() - latest.counted_at < COUNTED_EVERY:
        return
    for account in accounts:
        try:
            counts = pull.api.lead_counts(account.external_id, first_on, today)
        except (Rejected, Unavailable):
            return  # asked for again by the next run
        with tenant_scope(connection.tenant_id):
            keep(account, counts, first_on, today)


def keep(account: AdAccount, counts: dict[str, int], first_on: date, last_on: date) -> None:
    """Note LinkedIn's figures; a campaign that it does not name had none."""
    campaigns = AdCampaign.objects.filter(account=account)
    rows = [
        LeadCount(
            campaign=campaign,
            first_on=first_on,
            last_on=last_on,
            count=counts.get(campaign.external_id, 0),
            counted_at=timezone.now(),
        )
        for campaign in campaigns
    ]
    LeadCount.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["tenant", "campaign"],
        update_fields=["first_on", "last_on", "count", "counted_at"],
    )


def report(connection: Connection) -> list[Gap]:
    """Every campaign that had leads here or there, those that miss the most first.

    A query for all that were counted over the same days. Index: lead_submission_of_campaign.
    """
    if not oauth.compares(connection):
        return []
    spans: dict[tuple[date, date], list[LeadCount]] = defaultdict(list)
    for row in LeadCount.objects.filter(campaign__connection=connection).select_related("campaign"):
        spans[row.first_on, row.last_on].append(row)
    found = []
    for (first_on, last_on), rows in spans.items():
        here = _here([row.campaign_id for row in rows], first_on, last_on)
        found += [Gap(row.campaign, first_on, last_on, row.count, here.get(row.campaign_id, 0)) for row in rows]
    shown = [gap for gap in found if gap.at_linkedin or gap.here]
    return sorted(shown, key=lambda gap: (-gap.missing, -gap.at_linkedin))


def _here(campaigns: list[int], first_on: date, last_on: date) -> dict[int, int]:
    """How many submissions of each campaign are here, of days of UTC, both included."""
    rows = LeadSubmission.objects.filter(
        campaign__in=campaigns,
        submitted_at__gte=datetime.combine(first_on, datetime.min.time(), UTC),
        submitted_at__lt=datetime.combine(last_on + timedelta(days=1), datetime.min.time(), UTC),
    ).exclude(state__in=_NOT_COUNTED)
    return dict(rows.order_by().values_list("campaign").annotate(Count("pk")))
