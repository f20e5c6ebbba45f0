"""What becomes of a submitted form: contact, account, consent, and the fact on the timeline.

The lead is made by `leads.capture`, which reads the fact.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import consent, matching, timeline
from contacts.models import Contact, Purpose
from contacts.registry import Erased, Eraser
from messaging import outbox
from pages import tokens, visits
from pages.models import Form, Page, Submission, Visitor
from tenants.housekeeping import chore
from tenants.links import site_url
from tenants.models import Tenant
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)
# Values of fields that the form does not have are kept, up to this many characters in all.
UNKNOWN_LIMIT = 10_000


@dataclass(frozen=True)
class Entered:
    """What somebody entered into a form, cleaned, and what came along."""

    values: Mapping[str, Any]
    unknown: Mapping[str, str]
    has_consent: bool
    nonce: str


def submit(
    form: Form, page: Page | None, entered: Entered, *, tenant: Tenant, visitor: Visitor | None = None
) -> Submission:
    """Store a submission and do what it asks for, in the current scope; the same form sent twice is done once.

    With double opt-in nothing about the person is used until she confirms: only a mail with the link is ordered. What
    cannot be completed is kept with the reason, to be tried again.
    """
    token = _token(entered)
    try:
        with transaction.atomic():
            submission = Submission.objects.create(
                form=form,
                page=page,
                token=token,
                values=dict(entered.values),
                unknown_values=_within_limit(entered.unknown),
                has_consent=entered.has_consent,
                text_shown=form.consent_text,
                state=Submission.State.UNCONFIRMED if form.has_double_opt_in else Submission.State.DONE,
            )
    except IntegrityError:
        return Submission.objects.get(form=form, token=token)
    if form.has_double_opt_in:
        _ask_to_confirm(submission, tenant)
    else:
        _try(submission, visitor)
    return submission


def confirm(submission: Submission) -> bool:
    """Confirm a double opt-in; False if it had been confirmed before. A second confirmation changes nothing."""
    unconfirmed = Submission.objects.filter(pk=submission.pk, state=Submission.State.UNCONFIRMED)
    if not unconfirmed.update(state=Submission.State.DONE, confirmed_at=Now()):
        return False
    _try(submission)
    return True


def complete(submission: Submission, *, visitor: Visitor | None = None) -> Contact:
    """Match or create the contact and account, write the consent, and record the fact."""
    form, values = submission.form, submission.values
    match = matching.match_contact(_contact_values(values), source=f"form:{form.pk}")
    contact = match.contact
    Submission.objects.filter(pk=submission.pk).update(contact=contact, error="")
    submission.contact = contact
    if submission.has_consent:
        _grant(submission, contact)
    if visitor is not None:
        visits.identify(visitor, contact, by=form.name)
    timeline.record(
        "form.submitted",
        contact=contact,
        object_id=form.pk,
        visitor_id=visitor.pk if visitor else None,
        detail={
            "form": form.name,
            "page": submission.page.name if submission.page else "",
            "page_id": submission.page_id,
            "submission": submission.pk,
            "values": {key: value for key, value in values.items() if value},
        },
    )
    return contact


def retry(submission: Submission) -> bool:
    """Complete a submission that failed; True if it worked now. The error is kept otherwise."""
    if submission.state != Submission.State.FAILED or not _try(submission):
        return False
    Submission.objects.filter(pk=submission.pk).update(state=Submission.State.DONE)
    return True


@chore("unconfirmed submissions", every=timedelta(hours=6))
def expire() -> None:
    """Forget what was entered and never confirmed, once its link has expired, in every tenant."""
    over = {"state": Submission.State.UNCONFIRMED, "at__lt": Now() - timedelta(seconds=tokens.CONFIRMATION_AGE)}
    for tenant_id in Tenant.objects.order_by("pk").values_list("pk", flat=True):
        with tenant_scope(tenant_id):
            Submission.objects.filter(**over).update(
                state=Submission.State.EXPIRED, values={}, unknown_values={}, text_shown=""
            )


def erase(erased: Erased) -> None:
    """Forget what erased people entered, and their browsers; that they sent something stays."""
    theirs = Q(contact__in=erased.ids) | Q(values__email__in=erased.addresses)
    words = {"entered": Cast("values", TextField()), "came_along": Cast("unknown_values", TextField())}
    sent = Submission.objects.alias(**words).filter(theirs | erased.named_in("entered", "came_along"))
    sent.update(values={}, unknown_values={}, text_shown="", error="")
    Visitor.objects.filter(contact__in=erased.ids).delete()


def _try(submission: Submission, visitor: Visitor | None = None) -> bool:
    """Complete a submission; what cannot be done is undone, and kept as failed with the reason."""
    try:
        with transaction.atomic():
            complete(submission, visitor=visitor)
    except Exception as error:
        logger.exception("Submission %s failed", submission.pk)
        why = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        failed = {"state": Submission.State.FAILED, "error": why[:1000]}
        Submission.objects.filter(pk=submission.pk).update(**failed)
        return False
    return True


def _token(entered: Entered) -> str:
    """What makes a second sending the same submission: the form's nonce and what was entered.

    Somebody who goes back, corrects herself and sends again has sent something else.
    """
    said = json.dumps([entered.values, entered.unknown, entered.has_consent], sort_keys=True, default=str)
    return f"{entered.nonce}.{blake2b(said.encode(), digest_size=16).hexdigest()}"


def _contact_values(values: Mapping[str, Any]) -> dict[str, Any]:
    own = {key.removeprefix("custom."): value for key, value in values.items() if key.startswith("custom.")}
    plain = {
        key: value for key, value in values.items() if not key.startswith("custom.") and key != "message" and value
    }
    return plain | ({"custom": own} if own else {})


def _grant(submission: Submission, contact: Contact) -> None:
    purpose = submission.form.purpose or Purpose.objects.filter(is_default=True).first()
    if purpose is None:
        return
    how = "double opt-in" if submission.form.has_double_opt_in else "opt-in"
    consent.grant(contact, purpose, basis=how, source=f"form: {submission.form.name}", text_shown=submission.text_shown)


def _ask_to_confirm(submission: Submission, tenant: Tenant) -> None:
    link = site_url("public_pages:confirm", token=tokens.confirmation_token(tenant.pk, submission.pk))
    text = _(
        "You asked us for something at {company}. Please confirm that it was you:\n\n{link}\n\n"
        "If it was not you, do nothing."
    )
    outbox.order_notice(
        f"optin:{submission.pk}",
        submission.values.get("email", ""),
        _("Please confirm"),
        text.format(company=tenant.name, link=link),
    )


def _within_limit(unknown: Mapping[str, str]) -> dict[str, str]:
    kept, room = {}, UNKNOWN_LIMIT
    for key, value in unknown.items():
        if (room := room - len(key) - len(value)) < 0:
            break
        # Postgres keeps no NUL.
        kept[key.replace("\x00", "")] = value.replace("\x00", "")
    return kept


ERASER = Eraser(
    erase,
    {
        "pages.Submission": gettext_lazy("Forms: what was entered is emptied; that it was sent stays."),
        "pages.Visitor": gettext_lazy("Website: the person's browsers are strangers again."),
    },
)
