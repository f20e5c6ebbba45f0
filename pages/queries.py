"""Figures about pages and forms."""

from django.db.models import Count, F, Q, QuerySet

from contacts.models import Interaction
from pages.models import Form, Page, Submission


def page_results(page: Page) -> dict[str, int]:
    """Visits, the people behind them, and submissions of a page."""
    seen = Interaction.objects.filter(kind="page.visited", object_id=page.pk).aggregate(
        visits=Count("id"), people=Count("contact_id", distinct=True)
    )
    return {**seen, "submissions": Submission.objects.filter(page=page).count()}


def pages() -> QuerySet[Page]:
    """All pages with their number of submissions, those that changed last first."""
    return (
        Page.objects.exclude(state=Page.State.ARCHIVED)
        .select_related("form")
        .annotate(submission_count=Count("submissions"))
        .order_by(F("went_live_at").desc(nulls_last=True), "-pk")
    )


def forms() -> QuerySet[Form]:
    """All forms with their number of submissions and of failed ones."""
    return Form.objects.annotate(
        submission_count=Count("submissions"),
        failed_count=Count("submissions", filter=Q(submissions__state=Submission.State.FAILED)),
    ).order_by("name")


def visitors(page: Page) -> QuerySet[Interaction]:
    """Visits of a page by known contacts, latest first."""
    return Interaction.objects.filter(kind="page.visited", object_id=page.pk, contact_id__isnull=False).order_by(
        "-occurred_at", "-id"
    )
