"""Journeys to begin with: shapes that are filled in, by hand or by the sample company."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys import tree

BLANK, NURTURE = "blank", "nurture"
CHOICES = [
    (NURTURE, gettext_lazy("Nurture by interest: an e-mail, who clicks becomes a lead, who does not is reminded")),
    (BLANK, gettext_lazy("Blank: an audience and nothing else")),
]


def build(key: str) -> tree.Tree:
    """The shape of a template, with what only its user can know left open."""
    return nurture() if key == NURTURE else tree.new()


def nurture(
    *,
    segment_id: int | None = None,
    email_id: int | None = None,
    interests: Mapping[int, str] | None = None,
    reminder_id: int | None = None,
    topic: str = "",
    days: int = 3,
) -> tree.Tree:
    """An e-mail; who clicks within `days` becomes a lead and is called, who does not gets the reminder.

    `interests` ({link id: topic}) makes a way for each link of the e-mail; without, any click counts.
    """
    shape = tree.new()
    root = shape["root"]
    if segment_id:
        included = {"source": "segments", "include": [segment_id], "match": "any", "exclude": []}
        shape["tiles"][root]["settings"] = included
    email = tree.insert(shape, "email", root, "next", _email(email_id))
    within = {"email_tile": email, "amount": days, "unit": "days"}
    if interests:
        asked = tree.insert(shape, "which_of", email, "next", {**within, "links": list(interests)})
        for link, about in interests.items():
            _qualify(shape, asked, f"link-{link}", about)
        otherwise = "none"
    else:
        asked = tree.insert(shape, "if_then", email, "next", {**within, "event": "email.clicked"})
        _qualify(shape, asked, "yes", topic)
        otherwise = "no"
    tree.insert(shape, "email", asked, otherwise, _email(reminder_id))
    return shape


def _email(email_id: int | None) -> dict[str, Any] | None:
    return {"email": email_id, "expires_at": None} if email_id else None


def _qualify(shape: tree.Tree, parent: str, branch: str, topic: str) -> None:
    """A lead and a call to make, behind a branch."""
    about = {"topic": topic or _("Interested"), "source": "journey", "match": "match", "assign": "auto"}
    lead = tree.insert(shape, "create_lead", parent, branch, about)
    call = {"kind": "call", "subject": _("Call about: %(topic)s") % {"topic": about["topic"]}, "notes": ""}
    tree.insert(shape, "activity", lead, "next", {**call, "owner": "lead", "amount": 1, "unit": "days"})
