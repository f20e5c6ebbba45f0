"""Reading LinkedIn: accounts, campaigns and forms, then the submissions of each chosen account, window by window.

The next windows are read and stored while those before them are processed. Nothing is lost and nothing doubled,
whatever happens between two statements: a chunk of pages is stored under the submissions' own ids, and an account is
noted as read only after the whole window was stored. What arrives late or was broken is found by the overlap, and by
reading the last week once more each day.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Account, Contact
from integrations.ahead import ahead
from integrations.client import Rejected
from integrations.connections import runs
from integrations.linkedin import processing, storing
from integrations.linkedin.api import LinkedIn
from integrations.linkedin.responses import Response
from integrations.models import AdAccount, Connection, LeadFormVersion, LeadSubmission, SyncRun
from leads.models import Lead
from tenants.postgres.statistics import Statistics
from tenants.scope import tenant_scope

# How far back LinkedIn keeps leads, and how much of that is read at once.
KEPT, WINDOW = timedelta(days=365), timedelta(days=14)
# Each run reads so much again; once in REREAD_EVERY so much more.
OVERLAP, REREAD, REREAD_EVERY = timedelta(hours=24), timedelta(days=7), timedelta(hours=24)
# Submissions may lie in our future, by the clock of a phone.
AHEAD = timedelta(minutes=5)
# Submissions that are stored in one transaction.
CHUNK = 2_000
# Batches, and windows without one, that are read and prepared while those before them are written.
BATCHES_AHEAD = 3
# How often a window is read again whose pages have shifted meanwhile.
READINGS = 3


class Interrupted(Exception):
    """The time is up, or the connection does not run any more; what was read is kept, the next run goes on."""


@dataclass
class Pull:
    """One run. `deadline` is in `time.monotonic()` seconds; None: until everything was read."""

    connection: Connection
    run: SyncRun
    deadline: float | None = None
    api: LinkedIn = field(init=False)
    statistics: Statistics = field(init=False)
    # Accounts that LinkedIn does not let us read, with the reason.
    problems: dict[str, str] = field(default_factory=dict)
    # How many submissions were stored to be processed.
    _stored: int = 0

    def __post_init__(self) -> None:
        self.api = LinkedIn(self.connection)
        self.statistics = Statistics(self.connection.tenant_id, Contact, Account, Lead, LeadSubmission)

    def everything(self) -> None:
        """Read what there is to be read. Raises Interrupted or client.CallFailed; outside of any scope."""
        self.places()
        with tenant_scope(self.connection.tenant_id, read_only=True):
            chosen = list(AdAccount.objects.filter(connection=self.connection, is_chosen=True).order_by("pk"))
        for account in chosen:
            try:
                self._read(account)
            except Rejected as error:
                if error.status not in (403, 404):
                    raise
                self._note_problem(account, error)
            else:
                self._note_problem(account, None)

    def places(self) -> None:
        """Read the ad accounts that the member may see, and once a day the campaigns and forms of the chosen ones.

        Newer forms and campaigns are read, or named, by the submissions that name them.
        """
        accounts = self.api.accounts()
        with tenant_scope(self.connection.tenant_id):
            storing.keep_accounts(self.connection, accounts)
            chosen = list(AdAccount.objects.filter(connection=self.connection, is_chosen=True).order_by("pk"))
        for account in filter(self._is_rereading, chosen):
            try:
                campaigns = self.api.campaigns(account.external_id)
                forms = list(self.api.forms(account.external_id))
            except Rejected as error:
                if error.status not in (403, 404):
                    raise
                continue  # reading its submissions says what is wrong
            with tenant_scope(self.connection.tenant_id):
                storing.keep_campaigns(account, campaigns)
                for document in forms:
                    storing.keep_form(self.connection, document, account)

    def _read(self, account: AdAccount) -> None:
        """Read an account's submissions, oldest first."""
        now, is_rereading = self._now(), self._is_rereading(account)
        for batch in ahead(self._batches(account, self._windows(account, now, is_rereading)), BATCHES_AHEAD):
            if batch is not None:
                self._process(partial(processing.write, self.connection, batch))
            self._check_time()
        if is_rereading:
            self._ask_for_forms_again()
        self.settle()
        with tenant_scope(self.connection.tenant_id):
            done = {"is_backfilled": True, **({"reread_at": now} if is_rereading else {})}
            AdAccount.objects.filter(pk=account.pk).update(**done)

    def _batches(
        self, account: AdAccount, windows: Iterable[tuple[datetime, datetime]]
    ) -> Iterator[processing.Prepared | None]:
        """Read the windows; what they bring, in whole batches as soon as there are some, and None after each window.

        LinkedIn lists in no order, and what somebody said last has to hold: so a window is read before it is processed.
        """
        given, last = 0, None
        for start, end in windows:
            self._window(account, start, end)
            if self._stored - given >= processing.BATCH:
                self.forms()
            while self._stored - given >= processing.BATCH:
                with tenant_scope(self.connection.tenant_id):
                    batch = processing.next_batch(self.connection, before=end, after=last)
                if batch is None:
                    break
                yield batch
                given, last = given + len(batch.submissions), batch.submissions[-1]
            yield None

    def _now(self) -> datetime:
        """By LinkedIn's clock."""
        return self.api.now or timezone.now()

    def _is_rereading(self, account: AdAccount) -> bool:
        """Whether more than what is new is to be read today."""
        return account.reread_at is None or self._now() - account.reread_at >= REREAD_EVERY

    def _windows(self, account: AdAccount, now: datetime, is_rereading: bool) -> Iterator[tuple[datetime, datetime]]:
        """What is to be read, by LinkedIn's clock and data: from where the last run has come to, to now."""
        if account.is_backfilled:
            start = (account.newest_at or account.read_until or now) - OVERLAP
            start = min(start, now - REREAD) if is_rereading else start
        else:
            start = account.read_until or now - KEPT
        start, last = max(start, now - KEPT), now + AHEAD
        while start < last:
            end = min(start + WINDOW, last)
            yield start, end
            start = end

    def _window(self, account: AdAccount, start: datetime, end: datetime) -> None:
        """Read a window until its pages have not shifted, then note that it was read."""
        for _reading in range(READINGS):
            newest, has_shifted = self._pages(account, start, end)
            if not has_shifted:
                break
        with tenant_scope(self.connection.tenant_id):
            here = AdAccount.objects.select_for_update().get(pk=account.pk)
            if newest and (here.newest_at is None or newest > here.newest_at):
                here.newest_at = newest
            here.read_until = max(filter(None, (here.read_until, min(end, self.api.now or end))))
            here.save(update_fields=["newest_at", "read_until"])

    def _pages(self, account: AdAccount, start: datetime, end: datetime) -> tuple[datetime | None, bool]:
        """Store a window's submissions; the newest moment among them, and whether rows have shifted meanwhile."""
        totals: set[int] = set()
        waiting: list[Response] = []
        newest: datetime | None = None
        for page in self.api.responses(account.external_id, start, end):
            waiting += page.responses
            totals |= {page.total} if page.total else set()
            newest = max(filter(None, [newest, *(response.submitted_at for response in page.responses)]), default=None)
            if page.faults:
                self._count({"unreadable": len(page.faults)})
            if len(waiting) >= CHUNK:
                self._keep(waiting)
                waiting = []
        self._keep(waiting)
        return newest, len(totals) > 1

    def _keep(self, responses: list[Response]) -> None:
        """Store a chunk."""
        if not responses:
            return
        with tenant_scope(self.connection.tenant_id):
            commit_without_waiting()
            stored = storing.store(self.connection, responses, LeadSubmission.Channel.API)
            counted = {"new": stored.new, "changed": stored.changed, "known": stored.known}
            runs.count(self.run, counted)
        self._stored += stored.new + stored.changed

    def settle(self) -> None:
        """Process all that is stored, the oldest first."""
        self.forms()
        while self._process(partial(processing.process, self.connection)) >= processing.BATCH:
            pass

    def forms(self) -> None:
        """Read the versions of forms that submissions name and that no list has."""
        with tenant_scope(self.connection.tenant_id, read_only=True):
            unread = LeadFormVersion.objects.filter(
                form__connection=self.connection, problem=storing.UNREAD
            ).select_related("form")
            missing = [(version, _sample(version)) for version in unread]
        for version, response_id in missing:
            if response_id:
                self._read_form(version, response_id)

    def _ask_for_forms_again(self) -> None:
        """What LinkedIn has not shown of a form it may show another day: submissions wait for it."""
        with tenant_scope(self.connection.tenant_id):
            held = LeadSubmission.objects.filter(connection=self.connection, state=LeadSubmission.State.HELD)
            versions = LeadFormVersion.objects.filter(pk__in=held.values("version"))
            versions.update(problem=storing.UNREAD)

    def _read_form(self, version: LeadFormVersion, response_id: str) -> None:
        try:
            document, problem = self.api.form_of(response_id), ""
        except Rejected as error:
            document, problem = None, error.text
        with tenant_scope(self.connection.tenant_id):
            if document is not None:
                storing.keep_form(self.connection, document)
            else:
                why = problem or _("LinkedIn does not show this version of the form.")
                LeadFormVersion.objects.filter(pk=version.pk).update(problem=why[:300])

    def _process(self, work: Callable[[], processing.Processed]) -> int:
        """Process a batch; returns how many there were."""
        self.statistics.keep_up()
        with tenant_scope(self.connection.tenant_id):
            commit_without_waiting()
            done = work()
            runs.count(self.run, {**done.counts, **done.states})
        return done.total

    def _note_problem(self, account: AdAccount, error: Rejected | None) -> None:
        """Roles are withdrawn in the course of things: the account says so, the others go on."""
        problem = _("LinkedIn does not let us read it: %(text)s") % {"text": error.text} if error else ""
        if problem:
            self.problems[str(account)] = problem
        if problem != account.problem:
            with tenant_scope(self.connection.tenant_id):
                AdAccount.objects.filter(pk=account.pk).update(problem=problem[:300])

    def _count(self, counts: dict[str, int] | Counter[str]) -> None:
        with tenant_scope(self.connection.tenant_id):
            runs.count(self.run, counts)

    def _check_time(self) -> None:
        """Whether to go on. What is stored by then is processed before the next run, when no window is half read."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise Interrupted
        with tenant_scope(self.connection.tenant_id, read_only=True):
            state = Connection.objects.filter(pk=self.connection.pk).values_list("state", flat=True).first()
        if state != Connection.State.ACTIVE:
            raise Interrupted


def commit_without_waiting() -> None:
    """Let this transaction's commit not wait for the disk: what a power cut takes away is read again, since the note
    of how far the account was read is written, and lost, after it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _sample(version: LeadFormVersion) -> str:
    """A submission to a version of a form, whichever; "" if none is left. Index: lead_submission_of_form."""
    theirs = LeadSubmission.objects.filter(form=version.form_id, version=version).exclude(
        state__in=(LeadSubmission.State.WITHDRAWN, LeadSubmission.State.ERASED)
    )
    return theirs.order_by("-submitted_at", "-pk").values_list("external_id", flat=True).first() or ""
