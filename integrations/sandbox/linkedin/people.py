"""Made-up people: who the n-th one is, and what she answers. All addresses end in `example.com`, which nobody has."""

import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

FIRST = (
    "Anna", "Jonas", "Mei", "Liam", "Sofia", "Kwame", "Elena", "Tomás", "Priya", "Noah", "Ingrid", "Omar", "Chloé",
    "Mateus", "Yuki", "Hanna", "Pavel", "Amara", "Søren", "Lucía", "David", "Fatima", "Björn",
)  # fmt: skip
LAST = (
    "Berg", "Novak", "Chen", "Murphy", "Rossi", "Mensah", "Petrova", "García", "Sharma", "Andersson", "Haddad",
    "Lefèvre", "Silva", "Tanaka", "Keller", "Dvořák", "Okafor", "Nielsen", "Moreno",
)  # fmt: skip
COMPANIES = (
    "Fjordline Pumps", "Baker & Hill", "Quantia Labs", "Grünwald Maschinenbau", "Tidewater Foods", "Norte Energía",
    "Brightloom Textiles", "Kestrel Avionics", "Olive & Oak", "Polar Logistics", "Sunda Plastics", "Vega Dental",
    "Helix Instruments", "Marais Packaging", "Cobalt Rail", "Amberlight Solar", "Ostrava Steel",
)  # fmt: skip
JOBS = (
    "Head of Procurement", "Plant Manager", "Marketing Director", "CTO", "Operations Lead", "Sales Engineer",
    "Chief Financial Officer", "Quality Manager", "IT Manager", "Managing Director",
)  # fmt: skip
COUNTRIES = ("Germany", "Sweden", "United States", "Spain", "Japan", "Brazil", "France", "Ireland", "India")
INDUSTRIES = ("Machinery Manufacturing", "Food and Beverage", "Renewable Energy", "Logistics", "Medical Equipment")


class Person(NamedTuple):
    """Who somebody is."""

    first: str
    last: str
    company: str
    domain: str
    email: str
    job: str
    number: int


@lru_cache(4_096)
def person(number: int) -> Person:
    """The person of that number; every number has an address of its own."""
    first, last = FIRST[number % len(FIRST)], LAST[number // 7 % len(LAST)]
    company = COMPANIES[number // 3 % len(COMPANIES)]
    domain = f"{_plain(company.split()[0])}.example.com"
    email = f"{_plain(first)}.{_plain(last)}{number}@{domain}"
    return Person(first, last, company, domain, email, JOBS[number % len(JOBS)], number)


def answers(questions: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """What the person answers to a form's questions, in the order in which LinkedIn happens to send it."""
    somebody = person(number)
    found = [_answer(question, somebody) for question in questions]
    turn = number % (len(found) or 1)
    return found[turn:] + found[:turn]


def _answer(question: dict[str, Any], somebody: Person) -> dict[str, Any]:
    details = question["questionDetails"]
    if "multipleChoiceQuestionDetails" in details:
        options = details["multipleChoiceQuestionDetails"]["options"]
        chosen = options[somebody.number % len(options)]["id"]
        return {"questionId": question["questionId"], "answerDetails": {"multipleChoiceAnswer": {"options": [chosen]}}}
    text = _text(question.get("predefinedField", ""), somebody)
    return {"questionId": question["questionId"], "answerDetails": {"textQuestionAnswer": {"answer": text}}}


def _text(predefined: str, somebody: Person) -> str:
    number = somebody.number
    known = {
        "FIRST_NAME": somebody.first,
        "LAST_NAME": somebody.last,
        "EMAIL": somebody.email,
        "WORK_EMAIL": somebody.email,
        "COMPANY_NAME": somebody.company,
        "JOB_TITLE": somebody.job,
        "PHONE_NUMBER": f"+4930{23125000 + number % 1000}",
        "WORK_PHONE_NUMBER": f"+4930{23125000 + number % 1000}",
        "COUNTRY": COUNTRIES[number % len(COUNTRIES)],
        "INDUSTRY": INDUSTRIES[number % len(INDUSTRIES)],
        "COMPANY_SIZE": ("11-50", "51-200", "201-500", "501-1000")[number % 4],
        "SENIORITY": ("Senior", "Manager", "Director", "VP")[number % 4],
        "LINKEDIN_PROFILE_LINK": f"https://www.linkedin.com/in/onward-sample-{number}",
    }
    return known.get(
        predefined, ("Within three months", "We compare offers", "Please call me", "Next year")[number % 4]
    )


def _plain(text: str) -> str:
    """The ASCII letters of a name, for an address."""
    text = text.lower().replace("ø", "o")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if c.isascii() and c.isalnum())
