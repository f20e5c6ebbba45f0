"""How records are put into a stand-in: the short form of `POST …/_ctl/seed`.

    {"app": {"fresh_refusals": 2}, "revoke": true, "limits": {"leadFormResponses": 100}, "quirks": {…},
     "versions": ["202607"], "organizations": {"77": "Acme"},
     "accounts": [{"id": 1, "name": "Acme EMEA", "role": "VIEWER"}],
     "campaigns": [{"id": 5, "account": 1, "name": "Spring"}],
     "forms": [{"id": 9, "account": 1, "name": "Guide", "questions": ["FIRST_NAME", "EMAIL", {"name": "Team",
                "options": ["1-5", "6+"]}], "consents": ["I agree"], "hidden": {"utm_source": "li"}}],
     "leads": [{"form": 9, "at": "2026-03-01T10:00:00+00:00", "campaign": 5, "answers": {"EMAIL": "a@example.com"}}],
     "generate": [{"form": 9, "count": 100000, "from": "…", "to": "…", "campaign": 5}],
     "withdraw": ["id", …], "mend": true}

Questions, answers, and consents may also be given in LinkedIn's own shape, so that a record can be as wrong as it gets.
"""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.sandbox.linkedin.store import Account, Campaign, Form, Lead, Store


def seed(store: Store, given: dict[str, Any], now: int) -> dict[str, Any]:
    """Add what is given; returns the ids of the leads that were listed, and how much there is. `now`: milliseconds."""
    if "app" in given:
        store.app = replace(store.app, **given["app"])
    if given.get("revoke"):
        store.revoked_before = now / 1000 + 0.001
    store.limits.update(given.get("limits", {}))
    store.quirks.update(given.get("quirks", {}))
    store.active_versions = list(given.get("versions", store.active_versions))
    store.organizations.update({int(number): name for number, name in given.get("organizations", {}).items()})
    for row in given.get("accounts", []):
        store.accounts[row["id"]] = Account(**row)
    for row in given.get("campaigns", []):
        store.campaigns[row["id"]] = Campaign(**row)
    for row in given.get("forms", []):
        made = form(row)
        store.forms[made.id, made.version] = made
    leads = [lead(store, row, now) for row in given.get("leads", [])]
    store.responses.add(leads)
    for row in given.get("generate", []):
        store.responses.add(generated(store, row))
    gone = [each for each in given.get("withdraw", []) if store.responses.remove(each)]
    if given.get("mend"):
        for row in store.responses.by_id.values():
            row.is_broken = False
    return {"added": [row.id for row in leads], "withdrawn": gone, **store.counts()}


def form(given: dict[str, Any]) -> Form:
    """A form's version from its short form."""
    rest = {k: v for k, v in given.items() if k not in ("account", "organization", "questions", "consents", "hidden")}
    owner = ("sponsoredAccount", given["account"]) if "account" in given else ("organization", given["organization"])
    rest["locale"] = tuple(given.get("locale", ("en", "US")))
    key = "{}_{}".format(*rest["locale"])
    questions = [
        each if isinstance(each, dict) and "questionId" in each else question(given["id"], place, each, key)
        for place, each in enumerate(given.get("questions", []), 1)
    ]  # fmt: skip
    consents = [
        {"id": at, "checkRequired": False, "consent": {"localized": {key: each}}} if isinstance(each, str) else each
        for at, each in enumerate(given.get("consents", []))
    ]
    hidden = [{"name": name, "value": value} for name, value in given.get("hidden", {}).items()]
    return Form(
        **{"version": 1, "name": "", **rest, "owner": owner, "questions": questions}, consents=consents, hidden=hidden
    )


def question(form_id: int, place: int, given: str | dict[str, Any], key: str) -> dict[str, Any]:
    """A predefined field by its name, or a question of the marketer's own: `{"name", "text"?, "options"?}`."""
    made = {"name": given.replace("_", " ").capitalize(), "predefinedField": given} if isinstance(given, str) else {
        "name": given["name"]
    }  # fmt: skip
    text = given.get("text", given["name"]) if isinstance(given, dict) else made["name"]
    details: dict[str, Any] = {"textQuestionDetails": {"maxResponseLength": 300}}
    if isinstance(given, dict) and "options" in given:
        options = [{"id": at, "text": {"localized": {key: option}}} for at, option in enumerate(given["options"])]
        details = {"multipleChoiceQuestionDetails": {"options": options}}
    return {
        "questionId": int(f"{place}0{form_id}"), **made, "question": {"localized": {key: text}},
        "questionDetails": details, "responseRequired": True, "responseEditable": True,
    }  # fmt: skip


def lead(store: Store, given: dict[str, Any], now: int) -> Lead:
    """A response from its short form; without `answers` and `person` it has none at all."""
    version = given.get("version") or store.latest_form(given["form"]).version  # type: ignore[union-attr]
    asked = store.forms[given["form"], version]
    answers = given.get("answers")
    if isinstance(answers, dict):
        answers = [answer(asked, name, value) for name, value in answers.items()]
    consents = given.get("consents")
    if isinstance(consents, dict):
        consents = [{"consentId": int(number), "accepted": value} for number, value in consents.items()]
    return Lead(
        id=given.get("id") or f"{uuid.uuid4()}-{given['form'] % 10}",
        form=asked.id,
        version=version,
        owner=asked.owner,
        submitted_at=instant(given.get("at", now)),
        answers=answers,
        consents=consents,
        type=given.get("type", "SPONSORED" if asked.owner[0] == "sponsoredAccount" else "COMPANY"),
        campaign=given.get("campaign"),
        creative=given.get("creative"),
        submitter=given.get("submitter", ""),
        is_test=given.get("test", False),
        overlay=given.get("overlay"),
        is_broken=given.get("broken", False),
        readable_at=instant(given.get("readable_at", 0)),
        person=given.get("person"),
    )


def answer(asked: Form, name: str, value: Any) -> dict[str, Any]:
    """An answer by the question's predefined field, its name or its id; an option by its text or its id."""
    found = next(
        (q for q in asked.questions if name in (q.get("predefinedField"), q.get("name"), str(q["questionId"]))), None
    )
    if found is None:
        number = int(name) if name.isdigit() else 0
        return {"questionId": number, "name": name, "answerDetails": {"textQuestionAnswer": {"answer": value}}}
    details = found["questionDetails"]
    if "multipleChoiceQuestionDetails" in details:
        options = {
            next(iter(option["text"]["localized"].values())): option["id"]
            for option in details["multipleChoiceQuestionDetails"]["options"]
        }
        chosen = [options.get(each, each) for each in (value if isinstance(value, list) else [value])]
        return {"questionId": found["questionId"], "answerDetails": {"multipleChoiceAnswer": {"options": chosen}}}
    return {"questionId": found["questionId"], "answerDetails": {"textQuestionAnswer": {"answer": value}}}


def generated(store: Store, given: dict[str, Any]) -> Iterator[Lead]:
    """`count` responses of people numbered from `first` on, evenly over the time; small until asked for."""
    asked = store.latest_form(given["form"])
    if asked is None:
        raise ValueError(f"no form {given['form']}")
    start, end, count = instant(given["from"]), instant(given["to"]), int(given["count"])
    first = given.get("first", 0)
    consents = [{"consentId": each["id"], "accepted": True} for each in asked.consents]
    for at in range(count):
        number = first + at
        yield Lead(
            id=f"{number:08x}-0000-4000-8000-{asked.id:012x}-{asked.id % 10}",
            form=asked.id, version=asked.version, owner=asked.owner, submitted_at=start + (end - start) * at // count,
            consents=consents, campaign=given.get("campaign"), submitter=f"urn:li:person:gen{number}", person=number,
        )  # fmt: skip


def instant(given: int | str) -> int:
    """Milliseconds, or a moment in ISO 8601 as such."""
    return given if isinstance(given, int) else int(datetime.fromisoformat(given).timestamp() * 1000)
