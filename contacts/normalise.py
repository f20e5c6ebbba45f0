"""How values are stored, so that equal things compare equal."""

import re
import unicodedata
from functools import cache

import phonenumbers

# Legal forms do not tell two companies apart: they are left out of the name that is compared.
_LEGAL_FORMS = frozenset(
    [
        "ab",
        "ag",
        "aps",
        "as",
        "asa",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "ev",
        "gbr",
        "gmbh",
        "group",
        "holding",
        "inc",
        "incorporated",
        "kg",
        "kgaa",
        "kk",
        "limited",
        "llc",
        "llp",
        "lp",
        "ltd",
        "mbh",
        "nv",
        "ohg",
        "oy",
        "oyj",
        "plc",
        "pte",
        "pty",
        "pvt",
        "sa",
        "sarl",
        "sas",
        "se",
        "sl",
        "spa",
        "srl",
        "ug",
    ]
)
# Domains of mail providers say nothing about a person's company.
FREE_MAIL_DOMAINS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.de",
        "yahoo.co.uk",
        "yahoo.fr",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "gmx.com",
        "gmx.at",
        "gmx.ch",
        "web.de",
        "t-online.de",
        "freenet.de",
        "mail.com",
        "mail.ru",
        "yandex.ru",
        "yandex.com",
        "proton.me",
        "protonmail.com",
        "pm.me",
        "tutanota.com",
        "tuta.io",
        "fastmail.com",
        "zoho.com",
        "orange.fr",
        "free.fr",
        "wanadoo.fr",
        "laposte.net",
        "libero.it",
        "virgilio.it",
        "qq.com",
        "163.com",
        "126.com",
        "naver.com",
        "hey.com",
        "posteo.de",
        "mailbox.org",
        "mail.example.com",
    ]
)


def email(value: str) -> str:
    """An address as it is stored and compared: trimmed, lower case."""
    return value.strip().lower()


def email_domain(value: str) -> str:
    """The domain of an address; empty for a mail provider's, which tells no company."""
    domain = email(value).rpartition("@")[2]
    return "" if domain in FREE_MAIL_DOMAINS else domain


def domain(value: str) -> str:
    """A web domain from whatever people enter: `https://www.Example.com/about` → `example.com`."""
    host = re.sub(r"^[a-z]+://", "", value.strip().lower()).split("/")[0].split(":")[0].split("@")[-1]
    return host.removeprefix("www.")


def phone(value: str, country: str = "") -> str:
    """A phone number in E.164; numbers without a country's prefix are read as the country's. Raises ValueError."""
    text = value.strip()
    if not text or (_E164.fullmatch(text) and _is_kept_as_it_is(text)):
        return text
    try:
        parsed = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException as error:
        raise ValueError(str(error)) from error
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("not a possible phone number")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def _is_kept_as_it_is(text: str) -> bool:
    """Whether the library would keep a number in E.164 as it is; most are, and asking it takes ten times as long."""
    for end in (2, 3, 4):
        if plan := _numbering_plan(int(text[1:end])):
            lengths, trunk_prefix = plan
            national = text[end:]
            return len(national) in lengths and not (trunk_prefix and trunk_prefix.match(national))
    return False


@cache
def _numbering_plan(country_code: int) -> tuple[frozenset[int], re.Pattern[str] | None] | None:
    """How long national numbers can be, and what is dialled before them within the country; None: no such code."""
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return frozenset(metadata.general_desc.possible_length), re.compile(prefix) if prefix else None


def plain(value: str) -> str:
    """Case folded and without accents: for sorting, searching and comparing names."""
    if value.isascii():
        return value.casefold()
    folded = unicodedata.normalize("NFKD", value.replace("ß", "ss").casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def words(value: str) -> list[str]:
    """The words of a text, plain."""
    return re.findall(r"[^\W_]+", plain(value))


def company_key(name: str) -> str:
    """A company's name as it is compared: without case, accents, punctuation and legal form."""
    parts = words(name.replace(".", "").replace("'", ""))
    kept = [part for part in parts if part not in _LEGAL_FORMS]
    return " ".join(kept or parts)[:200]


def person_key(first_name: str, last_name: str, address: str = "") -> str:
    """What a person is sorted by: last name, first name; else the address."""
    return (" ".join(words(f"{last_name} {first_name}")) or plain(address))[:254]
