"""What is to be done with the rows: how they are matched, what they change, what they agreed to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class MatchBy(TextChoices):
    """What a row must have in common with a contact to be about her."""

    EMAIL = "email", _("E-mail address")
    EXTERNAL_ID = "external_id", _("External id")
    PHONE = "phone", _("Phone")
    LINKEDIN = "linkedin_url", _("LinkedIn profile")
    NAME = "name", _("First name, last name and company")


class Update(TextChoices):
    """What happens to values that are known already."""

    OVERWRITE = "overwrite", _("The file's values replace them (empty cells change nothing)")
    FILL = "fill", _("Only what is empty is filled in")
    LEAVE = "leave", _("Nothing is changed")


class Strangers(TextChoices):
    """What happens to rows with leads whose person is not known."""

    CREATE = "create", _("A contact is made")
    LEAVE = "leave", _("The lead waits under “Needs matching”")


class OnFault(TextChoices):
    """What happens to a row with a value that cannot be read."""

    REFUSE = "refuse", _("The row is refused, and can be downloaded")
    DROP = "drop", _("The value is left out")


@dataclass
class Options:
    """The answers of the wizard's third step, as they are kept in `Import.options`."""

    match_by: str = MatchBy.EMAIL
    update: str = Update.OVERWRITE
    on_fault: str = OnFault.REFUSE
    is_day_first: bool = True
    default_country: str = ""
    source: str = ""
    # Consent: without a purpose none is noted.
    purpose_id: int | None = None
    consent_level: int = 4
    basis: str = ""
    consent_source: str = ""
    consented_on: str = ""
    # Leads: whether rows make them, though nothing of a lead is mapped.
    makes_leads: bool = False
    lead_topic: str = ""
    strangers: str = Strangers.CREATE
    # By line: "skip", or the id of the contact that somebody recognised.
    decided: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Options":
        """The options that were kept; unknown names raise TypeError."""
        known = {each.name for each in fields(cls)}
        if unknown := set(kept) - known:
            raise TypeError(f"an import has no option {', '.join(sorted(unknown))}")
        return cls(**kept)

    def kept(self) -> dict[str, Any]:
        return asdict(self)
