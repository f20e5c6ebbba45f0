"""Forms and responses as LinkedIn writes them."""

import json
from typing import Any

from integrations.sandbox.linkedin import people
from integrations.sandbox.linkedin.store import Account, Campaign, Form, Lead, Store

# Parts of a response that come only to whoever names them in `fields`.
DECORATIONS = ("ownerInfo", "associatedEntityInfo", "leadMetadataInfo", "form")


def form_urn(number: int, version: int) -> str:
    """How LinkedIn names a form's version."""
    return f"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:{number},{version})"


def form(row: Form) -> dict[str, Any]:
    """A form's version."""
    key = f"{row.locale[0]}_{row.locale[1]}"
    return {
        "id": row.id,
        "versionId": row.version,
        "name": row.name,
        "state": row.state,
        "owner": {row.owner[0]: f"urn:li:{row.owner[0]}:{row.owner[1]}"},
        "created": row.created,
        "lastModified": row.created,
        "creationLocale": {"country": row.locale[1], "language": row.locale[0]},
        "hiddenFields": row.hidden,
        "reviewInfo": {"reviewStatus": "APPROVED", "rejectionReasons": [], "lastUpdated": row.created},
        "content": {
            "headline": {"localized": {key: row.name}},
            "description": {"localized": {key: ""}},
            "questions": row.questions,
            "legalInfo": {
                "legalInfoId": row.id,
                "privacyPolicyUrl": "https://www.example.com/privacy",
                "legalDisclaimer": {"localized": {key: "We use what you send to answer you."}},
                "consents": row.consents,
            },
            "postSubmissionInfo": {
                "message": {"localized": {key: "Thank you."}},
                "callToAction": {
                    "callToActionLabel": "VISIT_COMPANY_WEBSITE",
                    "callToActionTarget": {"landingPageUrl": "https://www.example.com"},
                },
            },
        },
    }


def response(store: Store, lead: Lead, asked: dict[str, Any]) -> dict[str, Any]:
    """A response without its form (see `write`); `asked` is the projection, empty: all but the decorations."""
    found: dict[str, Any] = {
        "id": lead.id,
        "owner": {lead.owner[0]: f"urn:li:{lead.owner[0]}:{lead.owner[1]}"},
        "leadType": lead.type,
        "versionedLeadGenFormUrn": form_urn(lead.form, lead.version),
        "submittedAt": lead.submitted_at,
        "testLead": lead.is_test,
    }  # fmt: skip
    if lead.submitter:
        found["submitter"] = lead.submitter
    if lead.campaign is not None:
        urn = f"urn:li:sponsoredCampaign:{lead.campaign}"
        found["leadMetadata"] = {"sponsoredLeadMetadata": {"campaign": urn}}
        if "leadMetadataInfo" in asked and lead.campaign in store.campaigns:
            campaign = {"name": store.campaigns[lead.campaign].name, "id": urn}
            found["leadMetadataInfo"] = {"sponsoredLeadMetadataInfo": {"campaign": campaign}}
    if lead.creative is not None:
        found["associatedEntity"] = {"associatedCreative": f"urn:li:sponsoredCreative:{lead.creative}"}
    if "ownerInfo" in asked and lead.owner[1] in store.accounts:
        found["ownerInfo"] = {"sponsoredAccountInfo": {"name": store.accounts[lead.owner[1]].name}}
    answers = lead.answers
    if lead.person is not None:
        answers = people.answers(store.forms[lead.form, lead.version].questions, lead.person)
    if answers is not None or lead.consents is not None:
        found["formResponse"] = {}
        if answers is not None:
            found["formResponse"]["answers"] = answers
        if lead.consents is not None:
            found["formResponse"]["consentResponses"] = lead.consents
    if lead.overlay:
        found.update(lead.overlay)
    return {name: value for name, value in found.items() if name in asked} if asked else found


class Writer:
    """Writes responses as JSON; a form's text is made once, for it is far longer than the answers to it."""

    def __init__(self, store: Store, asked: dict[str, Any]) -> None:
        self._store, self._asked = store, asked
        self._forms: dict[tuple[int, int], str] = {}

    def write(self, lead: Lead) -> str:
        """One element."""
        text = json.dumps(response(self._store, lead, self._asked), ensure_ascii=False)
        if "form" not in self._asked:
            return text
        written = self._form(lead.form, lead.version)
        return f'{text[:-1]}{", " if len(text) > 2 else ""}"form": {written}}}' if written else text

    def _form(self, id: int, version: int) -> str:  # noqa: A002
        key = (id, version)
        if key not in self._forms:
            row = self._store.forms.get(key)
            if row is None or row.fault:
                self._forms[key] = ""
            else:
                self._forms[key] = json.dumps(projected(form(row), self._asked["form"]), ensure_ascii=False)
        return self._forms[key]


def account(store: Store, row: Account) -> dict[str, Any]:
    """An ad account."""
    found: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "test": row.is_test,
        "status": row.status,
        "type": "BUSINESS",
    }
    if row.organization:
        name = store.organizations.get(row.organization, "")
        found["reference"] = f"urn:li:organization:{row.organization}"
        found["referenceInfo"] = {
            "organization": {
                "id": row.organization,
                "localizedName": name,
                "name": {"localized": {"en_US": name}, "preferredLocale": {"country": "US", "language": "en"}},
            }
        }
    return found


def campaign(row: Campaign) -> dict[str, Any]:
    """A campaign."""
    return {
        "id": row.id,
        "account": f"urn:li:sponsoredAccount:{row.account}",
        "name": row.name,
        "status": row.status,
        "type": "SPONSORED_UPDATES",
        "objectiveType": "LEAD_GENERATION",
        "test": False,
        "runSchedule": {"start": row.started},
    }


def projected(value: Any, asked: dict[str, Any]) -> Any:
    """Only what was asked for, where anything was."""
    if not asked or not isinstance(value, dict):
        return value
    return {name: projected(value[name], deeper) for name, deeper in asked.items() if name in value}
