"""What the pages ask about LinkedIn: submissions, forms, and the figures of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from contacts.models import Contact
from integrations.linkedin import mapping
from integrations.models import (
    AdAccount,
    AdCampaign,
    Connection,
    LeadForm,
    LeadFormMapping,
    LeadSubmission,
    SyncRun,
)
from leads.models import Lead
from tenants.days import begin_of
from tenants.paging import count_up_to

SYSTEM = "linkedin"
WEEKS = 12
# Bars of a chart; its file has what comes behind them.
MOST = 8
State = LeadSubmission.State
# What the tabs above the list of submissions show: the key of the address, and the states it stands for.
TABS: dict[str, tuple[str, ...]] = {
    "leads": (State.LEAD_CREATED, State.LEAD_UPDATED, State.LEAD_MATCHED),
    "waiting": (State.ANNOUNCED, State.RECEIVED, State.HELD),
    "failed": (State.FAILED,),
    "tests": (State.TEST,),
    "gone": (State.WITHDRAWN, State.ERASED),
}
TAB_LABELS = {
    "leads": gettext_lazy("Became leads"),
    "waiting": gettext_lazy("Waiting"),
    "failed": gettext_lazy("Failed"),
    "tests": gettext_lazy("Test leads"),
    "gone": gettext_lazy("Withdrawn or erased"),
}
# What is shown of what a run has counted, and how it is called.
RUN_COUNTS = {
    "new": gettext_lazy("new"),
    "changed": gettext_lazy("changed"),
    "known": gettext_lazy("known already"),
    "unreadable": gettext_lazy("unreadable"),
    "leads_new": gettext_lazy("new leads"),
    "contacts_new": gettext_lazy("new contacts"),
    "accounts_new": gettext_lazy("new accounts"),
    "agreed": gettext_lazy("consents"),
    State.FAILED.value: gettext_lazy("failed"),
    State.TEST.value: gettext_lazy("test leads"),
}


@dataclass(frozen=True, slots=True)
class Week:
    """Submissions of the week that begins on `monday`, in the viewer's zone."""

    monday: date
    count: int

    @property
    def last(self) -> date:
        return self.monday + timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Share:
    """A form or campaign: how many submissions it brought, and how many new leads came of them."""

    pk: int
    name: str
    submissions: int
    leads: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of submissions is narrowed to; what the address says wrongly counts as nothing."""

    tab: str = ""
    form: int = 0
    campaign: int = 0
    connection: int = 0
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filters":
        numbers = {
            name: int(text) if (text := given.get(name, "")).isdecimal() and len(text) < 18 else 0
            for name in ("form", "campaign", "connection")
        }
        tab = given.get("tab", "")
        return cls(tab if tab in TABS else "", **numbers, since=_day(given, "since"), until=_day(given, "until"))


def connections() -> QuerySet[Connection]:
    """The tenant's connections to LinkedIn."""
    return Connection.objects.filter(system=SYSTEM).order_by("pk")


def submissions(filters: Filters, *, with_tab: bool = True) -> QuerySet[LeadSubmission]:
    """Submissions with what a line shows; the order of an index is given by the caller."""
    rows = LeadSubmission.objects.select_related("form", "campaign", "contact", "lead", "lead__contact")
    if with_tab and filters.tab:
        rows = rows.filter(state__in=TABS[filters.tab])
    for name in ("form", "campaign", "connection"):
        if number := getattr(filters, name):
            rows = rows.filter(**{name: number})
    if filters.since:
        rows = rows.filter(submitted_at__gte=begin_of(filters.since))
    if filters.until:
        rows = rows.filter(submitted_at__lt=begin_of(filters.until + timedelta(days=1)))
    return rows


def tabs(filters: Filters) -> list[tuple[str, str, int, bool]]:
    """(key, in words, how many, is that exact) of each tab; the first one, with an empty key, shows all."""
    rows = submissions(filters, with_tab=False)
    found = [("", gettext("All"), *count_up_to(rows))]
    return found + [
        (key, str(label), *count_up_to(rows.filter(state__in=TABS[key]))) for key, label in TAB_LABELS.items()
    ]


def choices() -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Forms and campaigns to narrow a list to, by name."""
    forms = LeadForm.objects.order_by("name", "pk").only("pk", "name", "external_id")[:200]
    campaigns = AdCampaign.objects.order_by("name", "pk").only("pk", "name", "external_id")[:200]
    return [(row.pk, str(row)) for row in forms], [(row.pk, str(row)) for row in campaigns]


def begin() -> datetime:
    """The first moment of the chart's weeks: a Monday's midnight in the viewer's zone."""
    today = timezone.localdate()
    return begin_of(today - timedelta(days=today.weekday(), weeks=WEEKS - 1))


def per_week() -> list[Week]:
    """Submissions of the last weeks, oldest first, test leads left out. Reads lead_submission_latest."""
    since = begin()
    rows = _counted(since).values_list(TruncWeek("submitted_at")).annotate(Count("pk"))
    counts = {moment.date(): count for moment, count in rows}
    first = timezone.localtime(since).date()
    mondays = [first + timedelta(weeks=week) for week in range(WEEKS)]
    return [Week(day, counts.get(day, 0)) for day in mondays]


def by_form(most: int | None = MOST) -> list[Share]:
    """The forms that brought most in the chart's weeks; None: all that brought any."""
    return _shares("form", LeadForm, most)


def by_campaign(most: int | None = MOST) -> list[Share]:
    """The campaigns that brought most in the chart's weeks; None: all that brought any."""
    return _shares("campaign", AdCampaign, most)


def _shares(name: str, model: type[LeadForm] | type[AdCampaign], most: int | None) -> list[Share]:
    rows = _counted(begin()).exclude(**{name: None}).values_list(name)
    counted = rows.annotate(submissions=Count("pk"), leads=Count("pk", filter=Q(state=State.LEAD_CREATED))).order_by(
        "-submissions", name
    )[:most]
    found = list(counted)
    named = model.objects.in_bulk([pk for pk, _submissions, _leads in found])  # type: ignore[attr-defined]
    return [Share(pk, str(named[pk]), submissions, leads) for pk, submissions, leads in found]


def _counted(since: datetime) -> QuerySet[LeadSubmission]:
    return LeadSubmission.objects.filter(submitted_at__gte=since, is_test=False).exclude(state=State.ERASED).order_by()


def forms_of(connection: Connection) -> QuerySet[LeadForm]:
    """A connection's forms with `submission_count`, `last_at`, and whether they have a mapping of their own."""
    own = LeadFormMapping.objects.filter(form=OuterRef("pk"))
    return (
        LeadForm.objects.filter(connection=connection)
        .select_related("account")
        .annotate(submission_count=Count("submissions"), last_at=Max("submissions__submitted_at"), is_own=Exists(own))
        .order_by("name", "pk")
    )


def accounts_of(connection: Connection) -> QuerySet[AdAccount]:
    """The ad accounts that the connection may see, by name."""
    return AdAccount.objects.filter(connection=connection).order_by("is_test", "name", "pk")


def running(connection: Connection) -> SyncRun | None:
    """The run that is under way; what a killed worker has left open of a connection that is held is not."""
    if not connection.is_running:
        return None
    return SyncRun.objects.filter(connection=connection, state=SyncRun.State.RUNNING).order_by("-pk").first()


def counted(run: SyncRun) -> list[tuple[str, int]]:
    """What a run did, in words."""
    return [(str(label), run.counts[name]) for name, label in RUN_COUNTS.items() if run.counts.get(name)]


def latest_runs(connection: Connection) -> list[tuple[SyncRun, list[tuple[str, int]]]]:
    """The last runs of a connection, each with what it did."""
    rows = SyncRun.objects.filter(connection=connection).select_related("started_by__user").order_by("-pk")
    return [(run, counted(run)) for run in rows[:10]]


def state_counts(connection: Connection) -> dict[str, int]:
    """How many submissions of a connection stand in each state."""
    rows = LeadSubmission.objects.filter(connection=connection).order_by()
    return dict(rows.values_list("state").annotate(Count("pk")))


def is_due(connection: Connection) -> bool:
    """Whether a run should begin at any moment."""
    return connection.is_running and connection.next_sync_at is not None and connection.next_sync_at <= timezone.now()


def counts_in_words(connection: Connection) -> list[tuple[str, str, int]]:
    """(tab, in words, how many) of a connection's submissions by what became of them."""
    by_state = state_counts(connection)
    return [(key, str(label), sum(by_state.get(state, 0) for state in TABS[key])) for key, label in TAB_LABELS.items()]


def others_of(submission: LeadSubmission) -> list[Contact]:
    """Other contacts that would have answered to a submission too."""
    return list(Contact.objects.filter(pk__in=submission.other_contacts).order_by("pk"))


def has_submissions(connection: Connection, form: LeadForm | None) -> bool:
    """Whether anything has come by a form, or by any form of the connection."""
    rows = LeadSubmission.objects.filter(connection=connection)
    return (rows.filter(form=form) if form else rows).exists()


def mapping_of(connection: Connection, form: LeadForm | None) -> LeadFormMapping:
    """What holds for a form, or for all forms without their own; nothing is written for looking at it."""
    rows = LeadFormMapping.objects.filter(connection=connection)
    found = (rows.filter(form=form).first() if form else None) or rows.filter(form=None).first()
    return found or LeadFormMapping(connection=connection, targets=mapping.DEFAULT_TARGETS)


def copy_of(kept: LeadFormMapping, form: LeadForm | None) -> LeadFormMapping:
    """A mapping like this one that is saved nowhere."""
    values = {field.attname: getattr(kept, field.attname) for field in LeadFormMapping._meta.concrete_fields}
    del values["id"]
    return LeadFormMapping(**{**values, "form_id": form.pk if form else None})


def of_lead(lead: Lead) -> list[LeadSubmission]:
    """The submissions that a lead came from, the latest first. Reads lead_submission_of_lead."""
    return list(
        LeadSubmission.objects.filter(lead=lead).select_related("form", "campaign").order_by("-submitted_at")[:5]
    )


def of_contact(contact: Any) -> list[LeadSubmission]:
    """A contact's submissions, the latest first. Reads lead_submission_of_contact."""
    rows = LeadSubmission.objects.filter(contact=contact).select_related("form", "campaign")
    return list(rows.order_by("-submitted_at")[:5])


def _day(given: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(given.get(name, ""))
    except ValueError:
        return None
