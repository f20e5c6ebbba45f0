"""LinkedIn's JSON as plain values. Optional parts are left out by LinkedIn, and now and then one is null, of another
type or unknown: what cannot be read is a fault that the submission names; it never stops the others."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from integrations.linkedin.responses import (
    LONGEST,
    FormDocument,
    FormRef,
    Named,
    Response,
    localized,
    moment,
    objects,
    part,
    text_of,
)

# urn:li:versionedLeadGenForm:(urn:li:leadGenForm:7234246,1), at times with a blank after the comma.
_VERSIONED_FORM = re.compile(r"urn:li:leadGenForm:(\d+)\s*,\s*(\d+)")


class Unreadable(ValueError):
    """An element without what every submission has; the text says what is missing."""


def tail(urn: Any) -> str:
    """The last part of a URN: the id. Old and new ids of a submission share it."""
    return text_of(urn, 300).rpartition(":")[2]


def form_ref(urn: Any) -> FormRef | None:
    """The form and version that a versioned URN names."""
    found = _VERSIONED_FORM.search(text_of(urn, 300))
    return FormRef(found[1], int(found[2])) if found and len(found[2]) < 10 else None


def response(element: Any) -> Response:
    """An element of leadFormResponses. Raises Unreadable if it has no id or moment."""
    external_id = tail(part(element, "id"))
    submitted_at = moment(part(element, "submittedAt"))
    if not external_id or submitted_at is None:
        raise Unreadable(_("a lead without id or moment"))
    found = Response(external_id[:200], submitted_at, is_test=part(element, "testLead") is True)
    found.form = form_ref(part(element, "versionedLeadGenFormUrn"))
    found.submitter = text_of(part(element, "submitter"), 100)
    found.account_id = tail(part(element, "owner", "sponsoredAccount"))[:40]
    metadata = part(element, "leadMetadataInfo", "sponsoredLeadMetadataInfo", "campaign")
    urn = part(element, "leadMetadata", "sponsoredLeadMetadata", "campaign") or part(metadata, "id")
    found.campaign_id, found.campaign_name = tail(urn)[:100], text_of(part(metadata, "name"), 200)
    found.hidden_fields = hidden(part(element, "form", "hiddenFields"))
    if found.form is None:
        found.faults.append(_("no form is named"))
    _read_answers(part(element, "formResponse"), found)
    return found


def _read_answers(given: Any, found: Response) -> None:
    answers = part(given, "answers")
    if not isinstance(answers, list):
        found.faults.append(_("no answers came"))
    for answer in objects(answers):
        question, details = text_of(answer.get("questionId"), 100), answer.get("answerDetails")
        read: dict[str, Any] = {"question": question}
        if "name" in answer and (name := text_of(answer["name"], 300)):
            read["name"] = name
        text = part(details, "textQuestionAnswer", "answer")
        options = part(details, "multipleChoiceAnswer", "options")
        if isinstance(options, list):
            read["options"] = [text_of(_option(option), 300) for option in options][:200]
        elif text is not None and not isinstance(text, dict | list):
            read["text"] = text_of(text)
            if len(text if isinstance(text, str) else str(text)) > LONGEST:
                found.faults.append(_("an answer was longer than %(count)d characters") % {"count": LONGEST})
        else:
            found.faults.append(_("question %(id)s has no answer that can be read") % {"id": question or "?"})
        found.answers.append(read)
    found.consents = [
        {"id": text_of(consent.get("consentId"), 40), "accepted": consent.get("accepted") is True}
        for consent in objects(part(given, "consentResponses"))
    ]


def _option(option: Any) -> Any:
    """An option's id; older shapes have an object around it."""
    return option.get("index", option.get("id")) if isinstance(option, Mapping) else option


def hidden(given: Any) -> dict[str, str]:
    """Hidden fields by name."""
    named = ((text_of(each.get("name"), 100), text_of(each.get("value"))) for each in objects(given))
    return {name: value for name, value in named if name}


def form(element: Any) -> FormDocument:
    """An element of leadForms. Raises Unreadable if it has no id."""
    external_id = tail(part(element, "id"))
    if not external_id:
        raise Unreadable(_("a form without id"))
    version = part(element, "versionId")
    legal = part(element, "content", "legalInfo")
    return FormDocument(
        external_id=external_id[:200],
        version=version if isinstance(version, int) and 0 <= version < 2**31 else 1,
        name=text_of(part(element, "name"), 300),
        state=text_of(part(element, "state"), 40),
        questions=[_question(each) for each in objects(part(element, "content", "questions"))],
        consents=[
            {
                "id": text_of(each.get("id"), 40),
                "text": localized(each.get("consent")),
                "is_required": each.get("checkRequired") is True,
            }
            for each in objects(part(legal, "consents"))
        ],
        hidden_fields=hidden(part(element, "hiddenFields")),
        disclaimer=localized(part(legal, "legalDisclaimer")),
        privacy_url=text_of(part(legal, "privacyPolicyUrl"), 2000),
    )


def _question(given: Mapping[str, Any]) -> dict[str, Any]:
    """A question with the key that mappings name: LinkedIn's own for predefined fields, whatever they are."""
    pk = text_of(given.get("questionId"), 100)
    options = part(given, "questionDetails", "multipleChoiceQuestionDetails", "options")
    return {
        "id": pk,
        "key": text_of(given.get("predefinedField"), 60) or f"question:{pk}",
        "name": text_of(given.get("name"), 300),
        "label": localized(given.get("question")) or text_of(given.get("name"), 300),
        "options": {text_of(each.get("id"), 40): localized(each.get("text")) for each in objects(options)},
    }


def ad_account(element: Any) -> Named:
    """An element of adAccounts. Raises Unreadable if it has no id."""
    if not (external_id := tail(part(element, "id"))):
        raise Unreadable(_("an ad account without id"))
    name, state = text_of(part(element, "name"), 200), text_of(part(element, "status"), 40)
    return Named(external_id[:40], name, state, part(element, "test") is True)


def campaign(element: Any) -> Named:
    """An element of adCampaigns. Raises Unreadable if it has no id."""
    if not (external_id := tail(part(element, "id"))):
        raise Unreadable(_("a campaign without id"))
    return Named(external_id[:100], text_of(part(element, "name"), 200), text_of(part(element, "status"), 40))
