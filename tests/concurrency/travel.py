"""The workers of test_journeys_killed: they do for ever what is due in the journeys and the reactor."""

import os
import random
import time
from multiprocessing.connection import Connection
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from contacts import timeline  # noqa: E402
from journeys import claiming, engine, entering  # noqa: E402
from messaging.models import Link, Message  # noqa: E402
from tenants import wakeups  # noqa: E402
from tenants.models import Wakeup  # noqa: E402
from tenants.scope import tenant_scope  # noqa: E402
from tests.concurrency import points  # noqa: E402
from tests.concurrency.processes import Pause  # noqa: E402

# What these tests are about; mail has its own.
QUEUES = ("journeys", "reactor")


def work(*, guard: str = "", dies_at: str = "", pauses_at: str = "", pause: Connection | None = None) -> None:
    """Do whatever is due, for ever, in small batches; `guard` names the protection to leave out."""
    engine.BATCH, entering.CHUNK = 20, 100
    if guard:
        GUARDS[guard]()
    if dies_at:
        points.act_at(dies_at, points.die)
    if pause is not None:
        points.act_at(pauses_at, lambda: Pause.at(pause))
    while True:
        run_due()
        time.sleep(0.005)


def run_due() -> None:
    """One round of the queues that matter here."""
    for tenant_id, name in wakeups.due():
        if name in QUEUES:
            wakeups.work(tenant_id, name, budget=1)


def click(tenant_id: int, seed: int) -> None:
    """Let everybody click once as soon as there is a mail to click in, in transactions of random length."""
    rng = random.Random(seed)
    clicked: set[int] = set()
    while True:
        with tenant_scope(tenant_id):
            link = Link.objects.all()[:1].get()
            new = Message.objects.exclude(pk__in=clicked).order_by("pk").values_list("pk", "contact_id", "tile")
            for pk, contact_id, tile in new[: rng.randint(1, 3)]:
                timeline.record(
                    "email.clicked",
                    contact=contact_id,
                    object_id=link.email_id,
                    link_id=link.pk,
                    message_id=pk,
                    tile=tile,
                    detail={"email": "Hello", "link": link.label},
                )
                clicked.add(pk)
            time.sleep(rng.choice((0, 0, 0.005, 0.02)))


def without_lock() -> None:
    """Claim people whether or not another worker has them."""
    claiming.LOCK = ""


def without_keeping_wakeups() -> None:
    """Delete the wakeups before the work that they announce."""
    original = wakeups._queues["journeys"]

    def forgetful(tenant_id: int, deadline: float) -> Any:
        Wakeup.objects.filter(tenant_id=tenant_id, queue="journeys").delete()
        return original(tenant_id, deadline)

    wakeups._queues["journeys"] = forgetful


GUARDS = {"without-lock": without_lock, "without-keeping-wakeups": without_keeping_wakeups}
