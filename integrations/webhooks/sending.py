"""The sender: carries out one tenant's deliveries over a few lines.

    claim (scope) → commit → call, in a thread and outside of any transaction → record (scope)

The database is used by the calling thread alone. Killed anywhere, the lease ends and the delivery is sent again under
the same id: everything arrives at least once, and a receiver that knows ids again takes it once.
"""

import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from uuid import uuid4

from django.utils import timezone

from integrations import addresses, calling
from integrations.addresses import Refused
from integrations.calling import Unreachable
from integrations.webhooks import bodies, claiming, endpoints, outcomes, signing, verdicts
from integrations.webhooks.claiming import Claimed
from integrations.webhooks.outbox import QUEUE
from integrations.webhooks.verdicts import Attempted
from tenants.scope import tenant_scope
from tenants.secrets import Unreadable
from tenants.wakeups import Outcome, queue

# Calls at once of one sender, and to one endpoint.
LINES, LINES_PER_ENDPOINT = 8, 4
# Seconds after which a sender that waits for slow receivers looks for other work.
LOOK_AGAIN = 0.5
AGENT = "Onward-Webhooks/1"


@queue(QUEUE, is_exclusive=False, calls_out=True)
def work(tenant_id: int, deadline: float) -> Outcome:
    """Carry out what is due until none is left or the deadline has come; calls that have begun are finished."""
    with tenant_scope(tenant_id):
        claiming.settle()
    is_done = Run(tenant_id, deadline).go()
    with tenant_scope(tenant_id, read_only=True):
        next_due = claiming.next_due()
    return Outcome(next_due=next_due, has_more=not is_done)


class Run:
    """One drain of a tenant's deliveries."""

    def __init__(self, tenant_id: int, deadline: float) -> None:
        self._tenant_id = tenant_id
        self._deadline = deadline
        self._lease = uuid4()
        self._calls: dict[Future[Attempted], Claimed] = {}

    def go(self) -> bool:
        """Send; True if nothing is left that is due, False if the time was over first."""
        is_drained = False
        with ThreadPoolExecutor(LINES, thread_name_prefix="webhook") as lines:
            while True:
                is_over = time.monotonic() >= self._deadline
                if not is_over and not is_drained:
                    is_drained = not self._claim(lines)
                if not self._calls:
                    return is_drained
                finished, _others = wait(self._calls, timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
                for call in finished:
                    self._record(self._calls.pop(call), call.result())
                # What has been finished may let others go: those behind it. And new ones may have come.
                is_drained = False

    def _claim(self, lines: ThreadPoolExecutor) -> bool:
        """Claim for the free lines and call; False if nothing was due."""
        busy = Counter(claimed.endpoint.pk if claimed.endpoint else None for claimed in self._calls.values())
        if (room := LINES - len(self._calls)) <= 0:
            return True
        with tenant_scope(self._tenant_id):
            found = claiming.claim(self._lease, room, busy, LINES_PER_ENDPOINT)
        for claimed in found:
            self._calls[lines.submit(call, claimed)] = claimed
        return bool(found)

    def _record(self, claimed: Claimed, attempted: Attempted) -> None:
        with tenant_scope(self._tenant_id):
            outcomes.record(self._lease, claimed, attempted)


def call(claimed: Claimed) -> Attempted:
    """Make one call; whatever happens, what it came to is the answer. Uses no database."""
    began = time.monotonic()
    try:
        body = bodies.as_bytes(claimed.body)
        keys = [secret.reveal() for secret in endpoints.secrets_of(claimed.endpoint)] if claimed.endpoint else []
        headers = signing.headers(claimed.message_id, int(timezone.now().timestamp()), body, keys)
        address = addresses.parse(claimed.url)
        answer = calling.post(address, body, {"Content-Type": "application/json", "User-Agent": AGENT, **headers})
    except Refused as error:
        return verdicts.of_failure(Unreachable("refused", str(error)), 0)
    except Unreadable as error:
        return Attempted(verdicts.Verdict.LATER, 0, error=str(error))
    except Unreachable as failure:
        return verdicts.of_failure(failure, _milliseconds(began))
    return verdicts.of_answer(answer, _milliseconds(began))


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
