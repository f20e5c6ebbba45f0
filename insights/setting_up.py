"""What a company needs before its first lead: the steps on the home page, until all are taken."""

from dataclasses import dataclass, replace

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.access import Right, may
from tenants.models import Member


@dataclass(frozen=True)
class Step:
    """A step, why it is taken, where (a URL name) and with which right, and whether it has been."""

    title: str | Promise
    why: str | Promise
    url_name: str
    right: Right = Right.EDIT_MARKETING
    is_done: bool = False
    # Whether who looks may take it.
    is_open: bool = False


# The query that finds out whether a step has been taken, by the step, in the order they are offered.
STEPS = (
    (
        Step(
            _("Say who sends"),
            _("Names, and the postal address the law asks for."),
            "messaging:content_new",
            Right.MANAGE,
        ),
        "SELECT FROM messaging_contentsettings WHERE postal_address <> ''",
    ),
    (
        Step(_("Ask for something on a page"), _("A form on a page brings the first contacts."), "pages:new"),
        "SELECT FROM pages_page WHERE state = 'live' AND form_id IS NOT NULL",
    ),
    (
        Step(_("Have people to talk to"), _("By a form, or added by hand."), "contacts:new", Right.EDIT_AUDIENCE),
        "SELECT FROM contacts_contact WHERE is_active",
    ),
    (
        Step(_("Group them"), _("A segment follows its rule within seconds."), "segments:new"),
        "SELECT FROM segments_segment WHERE state = 'live'",
    ),
    (
        Step(_("Write an e-mail"), _("Made of blocks, checked before it goes live."), "messaging:new"),
        "SELECT FROM messaging_emailversion WHERE state = 'live'",
    ),
    (
        Step(_("Score leads"), _("Points say who is ready for sales, and why."), "scoring:new"),
        "SELECT FROM scoring_scoringmodel WHERE state = 'live'",
    ),
    (
        Step(_("Send them on a journey"), _("What happens when, for everybody in a segment."), "journeys:new"),
        "SELECT FROM journeys_journey WHERE state IN ('live', 'paused')",
    ),
)


def steps(member: Member) -> list[Step]:
    """All steps, as a member may take them; none once all are. One statement, which stops at each first row."""
    exists = ", ".join(f"EXISTS ({query})" for _step, query in STEPS)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {exists}")
        taken = cursor.fetchone()
    if all(taken):
        return []
    return [
        replace(step, is_done=is_done, is_open=not is_done and may(member, step.right))
        for (step, _query), is_done in zip(STEPS, taken, strict=True)
    ]
