"""A believable company: what a LinkedIn holds that nobody has arranged, day by day, the same at every start."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from integrations.sandbox.linkedin import people, seeding
from integrations.sandbox.linkedin.store import Lead, Store

# So much of the past is there at the beginning.
DAYS = 60
MAIN, NORTH = 507_404_993, 507_512_210
GUIDE, WEBINAR, CALL = 7_234_246, 7_301_118, 7_388_402
CONSENT = "Yes, you may send me e-mails about your products. I can withdraw this at any time."
# (form, campaign, how often)
SOURCES = ((GUIDE, 198_356_826, 5), (GUIDE, 198_356_901, 3), (WEBINAR, 201_440_312, 4), (CALL, 203_118_077, 2))


def settle(store: Store, today: date) -> None:
    """Accounts, campaigns and forms, made before the first lead came."""
    opened = int(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp() * 1000) - (DAYS + 30) * 86_400_000
    forms: list[dict[str, Any]] = [
        {
            "id": GUIDE, "account": MAIN, "name": "Buyer's guide", "created": opened, "version": version,
            "questions": [
                "FIRST_NAME", "LAST_NAME", "EMAIL", "COMPANY_NAME", "JOB_TITLE",
                {"name": "Custom question 0", "text": "When do you plan to buy?"} if version == 1 else
                {"name": "Custom question 0", "text": "When do you plan to buy?",
                 "options": ["Within three months", "This year", "Just looking"]},
            ],
            "consents": [CONSENT], "hidden": {"utm_source": "linkedin", "utm_campaign": "buyers-guide"},
        }
        for version in (1, 2)
    ]  # fmt: skip
    forms += [
        {
            "id": WEBINAR, "account": MAIN, "name": "Webinar: less downtime", "created": opened,
            "questions": ["FIRST_NAME", "LAST_NAME", "WORK_EMAIL", "COMPANY_NAME", "COUNTRY", "SENIORITY"],
            "consents": [CONSENT], "hidden": {"utm_source": "linkedin", "utm_campaign": "webinar"},
        },
        {
            "id": CALL, "account": NORTH, "name": "Talk to an engineer", "created": opened,
            "questions": [
                "FIRST_NAME", "LAST_NAME", "EMAIL", "PHONE_NUMBER", "COMPANY_NAME", "COMPANY_SIZE",
                {"name": "Custom question 0", "text": "What should we prepare?"},
            ],
        },
    ]  # fmt: skip
    names = {
        198_356_826: (MAIN, "Buyer's guide, Europe"), 198_356_901: (MAIN, "Buyer's guide, Americas"),
        201_440_312: (MAIN, "Webinar spring"), 203_118_077: (NORTH, "Engineers on call"),
    }  # fmt: skip
    seeding.seed(
        store,
        {
            "organizations": {"11223344": "Sample Works"},
            "accounts": [
                {"id": MAIN, "name": "Sample Works, world", "organization": 11_223_344},
                {"id": NORTH, "name": "Sample Works, north", "role": "CAMPAIGN_MANAGER", "organization": 11_223_344},
                {"id": 507_700_002, "name": "Sample Works, test", "is_test": True},
            ],
            "campaigns": [
                {"id": number, "account": account, "name": name, "started": opened}
                for number, (account, name) in names.items()
            ],
            "forms": forms,
        },
        opened,
    )


def of_day(store: Store, key: str, day: date) -> Iterator[Lead]:
    """The responses of one day, oldest first: fewer at weekends, now and then one that is odd."""
    chance = random.Random(f"{key} {day.isoformat()}")
    number = (day - date(2020, 1, 1)).days * 20 + sum(map(ord, key)) * 100_000
    times = sorted(
        chance.randrange(6 * 3600, 21 * 3600) for _ in range(chance.choice((0, 1) if day.weekday() > 4 else (3, 4, 6)))
    )
    for at, second in enumerate(times):
        form, campaign = chance.choices([row[:2] for row in SOURCES], [row[2] for row in SOURCES])[0]
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
        yield one(store, number + at, form, campaign, moment, chance)


def one(store: Store, number: int, form: int, campaign: int, moment: datetime, chance: random.Random) -> Lead:
    """One response of the person of that number."""
    asked = store.latest_form(form)
    if asked is None:
        raise ValueError(f"no form {form}")
    version = 1 if form == GUIDE and chance.random() < 0.3 else asked.version
    asked = store.forms[form, version]
    made = Lead(
        id=f"{chance.getrandbits(32):08x}-{chance.getrandbits(16):04x}-4{chance.getrandbits(12):03x}-a"
        f"{chance.getrandbits(12):03x}-{chance.getrandbits(48):012x}-{form % 10}",
        form=form,
        version=version,
        owner=asked.owner,
        submitted_at=int(moment.timestamp() * 1000),
        answers=people.answers(asked.questions, number),
        consents=[{"consentId": each["id"], "accepted": chance.random() < 0.7} for each in asked.consents],
        campaign=campaign,
        creative=241_257_736 + campaign % 7,
        submitter=f"urn:li:person:smp{number}",
    )
    _oddity(made, chance.random())
    return made


def _oddity(lead: Lead, turn: float) -> None:
    """Every so often something is wrong with a response, as it is in life."""
    answers = lead.answers or []
    texts = [
        each["answerDetails"]["textQuestionAnswer"] for each in answers if "textQuestionAnswer" in each["answerDetails"]
    ]
    mail = next((each for each in texts if "@" in each["answer"]), None)
    if turn < 0.02:
        lead.is_test = True
    elif turn < 0.04 and mail:
        mail["answer"] = "n/a"
    elif turn < 0.06 and mail:
        mail["answer"] = f"  {mail['answer'].upper()} "
    elif turn < 0.075 and mail:
        mail["answer"] = ""
    elif turn < 0.085:
        answers.append(
            {"questionId": 99, "name": "Retired question", "answerDetails": {"textQuestionAnswer": {"answer": "?"}}}
        )
    elif turn < 0.095:
        lead.answers, lead.consents = None, None
