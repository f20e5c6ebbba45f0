"""People and companies that do not exist: seeded, so that every installation meets the same ones.

Addresses end in example.com, .org or .net, which never deliver.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

SEED = 2026


@dataclass(frozen=True)
class Country:
    """Where a part of the sample lives."""

    code: str
    zone: str
    cities: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    legal_forms: tuple[str, ...]
    phone_prefix: str


COUNTRIES = (
    Country(
        "DE",
        "Europe/Berlin",
        ("Berlin", "Hamburg", "München", "Leipzig", "Köln"),
        ("Anna", "Jonas", "Lena", "Felix", "Miriam", "Tobias", "Klara", "Nils", "Sabine", "Jürgen", "Zeynep", "Emil"),
        ("Schäfer", "Brandt", "Vogel", "Krüger", "Hoffmann", "Yilmaz", "Lindner", "Weiß", "Baumann", "Otto"),
        ("GmbH", "AG", "KG"),
        "+4930901820",
    ),
    Country(
        "GB",
        "Europe/London",
        ("London", "Leeds", "Bristol", "Glasgow"),
        ("Amara", "Oliver", "Freya", "Callum", "Priya", "Harriet", "Idris", "Nadia", "George", "Isla"),
        ("Okafor", "Whitfield", "Patel", "MacLeod", "Ashworth", "Bello", "Hughes", "Sinclair", "Rahman"),
        ("Ltd", "plc"),
        "+442079460",
    ),
    Country(
        "US",
        "America/Chicago",
        ("Chicago", "Austin", "Portland", "Boston", "Denver"),
        ("Maya", "Ethan", "Sofia", "Marcus", "Grace", "Diego", "Hannah", "Tyrone", "Olivia", "Wei"),
        ("Alvarez", "Thompson", "Nguyen", "Carter", "Rosenberg", "Washington", "Kim", "Delgado", "Brooks"),
        ("Inc.", "LLC", "Corp."),
        "+13125550",
    ),
    Country(
        "FR",
        "Europe/Paris",
        ("Paris", "Lyon", "Nantes", "Toulouse"),
        ("Camille", "Mathéo", "Inès", "Hugo", "Chloé", "Youssef", "Élodie", "Antoine"),
        ("Lefèvre", "Moreau", "Benali", "Garnier", "Roussel", "Fontaine", "Dubois"),
        ("SAS", "SARL"),
        "+33199001",
    ),
    Country(
        "SE",
        "Europe/Stockholm",
        ("Stockholm", "Göteborg", "Malmö"),
        ("Ingrid", "Elsa", "Lars", "Axel", "Sanna", "Björn", "Freja"),
        ("Lindqvist", "Åkesson", "Dahl", "Nyström", "Bergman", "Holm"),
        ("AB",),
        "+46812345",
    ),
    Country(
        "IN",
        "Asia/Kolkata",
        ("Bengaluru", "Pune", "Mumbai", "Chennai"),
        ("Ananya", "Rohan", "Kavya", "Arjun", "Meera", "Vikram", "Divya"),
        ("Raman", "Iyer", "Deshmukh", "Kapoor", "Nair", "Banerjee"),
        ("Pvt Ltd",),
        "+912240004",
    ),
)
COMPANY_WORDS = (
    *("Alder", "Beacon", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Iris", "Juniper", "Kestrel"),
    *("Lumen", "Meridian", "Nimbus", "Orchard", "Pioneer", "Quartz", "Ridge", "Summit", "Tidal", "Umbra", "Vertex"),
    *("Willow", "Xenon", "Yarrow", "Zephyr"),
)
COMPANY_KINDS = ("Logistics", "Health", "Energy", "Foods", "Robotics", "Textiles", "Optics", "Rail", "Water", "Media")
JOB_TITLES = (
    ("Head of Operations", 10),
    ("Head of IT", 9),
    ("Head of Procurement", 7),
    ("CEO", 4),
    ("CFO", 4),
    ("Operations Manager", 14),
    ("IT Manager", 12),
    ("Buyer", 10),
    ("Data Engineer", 8),
    ("Plant Manager", 8),
    ("Marketing Manager", 7),
    ("Assistant", 7),
)
SIZES = (12, 35, 80, 140, 260, 520, 1100, 4300)


@dataclass(frozen=True)
class Company:
    """A made-up company."""

    name: str
    domain: str
    country: Country
    city: str
    industry: str
    employees: int


@dataclass(frozen=True)
class Person:
    """A made-up person, at a company or on her own."""

    first_name: str
    last_name: str
    email: str
    phone: str
    job_title: str
    country: Country
    city: str
    company: Company | None


def companies(count: int, rng: random.Random) -> list[Company]:
    """`count` companies of different names."""
    found: dict[str, Company] = {}
    while len(found) < count:
        country = rng.choices(COUNTRIES, (6, 4, 5, 3, 2, 2))[0]
        word, kind = rng.choice(COMPANY_WORDS), rng.choice(COMPANY_KINDS)
        domain = f"{word}-{kind}.example.{rng.choice(('com', 'org', 'net'))}".lower()
        name = f"{word} {kind} {rng.choice(country.legal_forms)}"
        found.setdefault(
            f"{word} {kind}",
            Company(name, domain, country, rng.choice(country.cities), kind, rng.choice(SIZES)),
        )
    return list(found.values())


def people(count: int, at: list[Company], rng: random.Random) -> Iterator[Person]:
    """`count` people; about one in ten belongs to no company."""
    seen: set[str] = set()
    titles, weights = zip(*JOB_TITLES, strict=True)
    while len(seen) < count:
        company = rng.choice(at) if rng.random() < 0.9 else None
        country = company.country if company else rng.choice(COUNTRIES)
        first, last = rng.choice(country.first_names), rng.choice(country.last_names)
        email = f"{_plain(first)}.{_plain(last)}@{company.domain if company else 'mail.example.com'}"
        if email in seen:
            continue
        seen.add(email)
        yield Person(
            first,
            last,
            email,
            f"{country.phone_prefix}{rng.randrange(100, 1000)}" if rng.random() < 0.7 else "",
            rng.choices(titles, weights)[0],
            country,
            company.city if company else rng.choice(country.cities),
            company,
        )


def _plain(name: str) -> str:
    """ASCII letters only, for an address."""
    pairs = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "a", "é": "e", "è": "e", "É": "e", "ê": "e"}
    return "".join(pairs.get(letter, letter) for letter in name.lower()).encode("ascii", "ignore").decode()
