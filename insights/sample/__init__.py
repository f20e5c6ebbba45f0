"""The sample companies: Acme, with months behind it, and Rival beside it."""

import random
from datetime import UTC, datetime, timedelta
from itertools import islice

from insights.sample import cast, content, people, plan
from insights.sample.cast import SignIn
from insights.sample.story import Story
from tenants import clock
from tenants.models import Tenant
from tenants.postgres import partitions
from tenants.scope import tenant_scope

COMPANIES = (
    # slug, name, zone, country, currency, companies, contacts, weeks lived, new people a week
    ("acme", "Acme", "Europe/Berlin", "DE", "EUR", 60, 260, 11, 16),
    ("rival", "Rival", "America/Chicago", "US", "USD", 8, 24, 2, 4),
)


def load(*, is_fresh: bool = False) -> list[SignIn]:
    """Make the sample companies and let them live through their months; returns how to sign in.

    `is_fresh` leaves the months out: everything is set up and live, and nothing has happened yet.
    """
    partitions.ensure_back_to(datetime.now(UTC) - timedelta(weeks=16))
    found: list[SignIn] = []
    for slug, name, zone, country, currency, *sizes in COMPANIES:
        tenant = Tenant.objects.create(
            slug=slug, name=name, time_zone=zone, country=country, currency=currency, is_sample=True
        )
        found += live(tenant, *sizes, is_fresh=is_fresh)
    return found


def remove(tenant: Tenant) -> None:
    """Delete a sample company with everything it has; raises NotASample for a real one."""
    if not tenant.is_sample:
        raise clock.NotASample(tenant.slug)
    with tenant_scope(tenant):
        tenant.delete()


def live(tenant: Tenant, companies: int, contacts: int, weeks: int, per_week: int, *, is_fresh: bool) -> list[SignIn]:
    """Let one company live through `weeks`, with `per_week` new people each; returns how to sign in."""
    rng = random.Random(f"{people.SEED}:{tenant.slug}")
    with tenant_scope(tenant):
        members = cast.assemble(tenant)
        texts = content.publish(members)
    story = Story(members, texts, rng)
    firms = people.companies(companies, rng)
    weekly = [_growing(per_week, week / max(weeks, 1), rng) for week in range(weeks + 1)]
    everybody = list(people.people(contacts + sum(weekly), firms, rng))
    visitors = iter(everybody[contacts:])
    story.import_people(everybody[:contacts], firms)
    with tenant_scope(tenant):
        plan.prepare(members, texts)
    story.work()
    if is_fresh:
        return members.sign_ins
    for count in weekly[:-1]:
        story.ask_for_guide(islice(visitors, count))
        story.week()
    _finish(story, list(visitors))
    return members.sign_ins


def _growing(per_week: int, part: float, rng: random.Random) -> int:
    """How many new people come in a week, `part` of the months being over: more each month, no week like the other."""
    return max(2, round(per_week * (0.6 + 0.7 * part) * rng.uniform(0.75, 1.25)))


def _finish(story: Story, new: list[people.Person]) -> None:
    """Yesterday and today: somebody is on every tile, and sales has not yet answered those who crossed the line."""
    half = len(new) // 2
    story.ask_for_guide(new[:half])
    story.deliver()
    story.pass_days(1)
    story.react()
    story.come_back(half)
    story.ask_for_guide(new[half:])
    story.deliver()
