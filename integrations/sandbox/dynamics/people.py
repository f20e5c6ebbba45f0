"""The sales organisation that lives in a new environment: its people, customers and what it is working on.

All of it is made up; addresses end in example.com.
"""

from collections.abc import Mapping
from datetime import timedelta

from integrations.sandbox.dynamics import payloads
from integrations.sandbox.dynamics.organisation import Organisation
from integrations.sandbox.dynamics.payloads import Changes
from integrations.sandbox.dynamics.rows import Row
from integrations.sandbox.dynamics.tables import ACCOUNT, CAMPAIGN, CONTACT, CURRENCY, LEAD, OPPORTUNITY, TASK, USER


def _id(number: int) -> str:
    return f"3f6d2c1a-0000-4000-8000-{number:012x}"


# The application user under which a connected system writes, and who acts in Sales if nobody is named.
APPLICATION, MANAGER = _id(0xE0), _id(0xE1)
USERS = (
    (MANAGER, "Nora", "Lindqvist", "Sales Manager"),
    (_id(0xE2), "Jonas", "Weber", "Account Executive"),
    (_id(0xE3), "Priya", "Nair", "Account Executive"),
    (_id(0xE4), "Tomás", "Okafor", "Sales Development"),
    (_id(0xE5), "Elena", "Rossi", "Account Executive"),
)
FORMER = (_id(0xE6), "Viktor", "Hansen", "Account Executive")
CURRENCIES = ((_id(0xF1), "Euro", "EUR", "€"), (_id(0xF2), "US Dollar", "USD", "$"))
CAMPAIGNS = ("Spring trade fair", "Webinar: planning maintenance", "Partner referrals")

ACCOUNTS = (
    ("Nordhafen Logistics", "Hamburg", "Germany", 840, 6),
    ("Bergamo Valves", "Bergamo", "Italy", 210, 5),
    ("Lakeside Dairy", "Madison", "United States", 460, 8),
    ("Okoro Energy", "Lagos", "Nigeria", 1_200, 6),
    ("Fjord Instruments", "Bergen", "Norway", 95, 7),
    ("Castellan Foods", "Valencia", "Spain", 3_100, 8),
)
CONTACTS = (
    ("Maren", "Holt", "Head of Operations", 0),
    ("Luca", "Ferri", "Plant Manager", 1),
    ("Dana", "Whitcomb", "Director of Supply", 2),
    ("Chidi", "Okoro", "Chief Engineer", 3),
    ("Ingrid", "Solberg", "Managing Director", 4),
    ("Paz", "Ortega", "Purchasing", 5),
)
LEADS = (
    ("Replacement of the packing line", "Marta", "Kowalska", "Lubin Ceramics", 7, 2, 1),
    ("Asked for a price list at the fair", "Henrik", "Dahl", "Dahl Marine", 7, 3, 1),
    ("Referred by Fjord Instruments", "Sofie", "Berg", "Tromsø Shipyard", 3, 1, 2),
    ("Callback wanted: service contract", "Ahmed", "Rahimi", "Rahimi Textiles", 8, 2, 2),
)
OPPORTUNITIES = (
    ("Fleet tracking for 120 trucks", 0, 84_000, 40),
    ("Valve test bench", 1, 32_500, 25),
    ("Cold chain monitoring", 2, 61_000, 70),
    ("Second site roll-out", 5, 145_000, 95),
)


def hire(organisation: Organisation) -> None:
    """The users, the application user, one who left, the currencies and the campaigns."""
    for key, first, last, title in (*USERS, FORMER):
        address = f"{first}.{last}@sales.example.com".lower().replace("á", "a")
        values = {"firstname": first, "lastname": last, "title": title, "accessmode": 0}
        values |= {"internalemailaddress": address, "domainname": address}
        organisation.create(USER, Changes(values), MANAGER, key)
    former = organisation.rows.get(USER.name, FORMER[0])
    if former is not None:
        organisation.close(USER, former, Changes({"isdisabled": True}), MANAGER)
    application = {"firstname": "#", "lastname": "Onward", "accessmode": 4, "applicationid": _id(0xC0)}
    organisation.create(USER, Changes(application), MANAGER, APPLICATION)
    for key, name, code, symbol in CURRENCIES:
        values = {"currencyname": name, "isocurrencycode": code, "currencysymbol": symbol}
        organisation.create(CURRENCY, Changes(values), MANAGER, key)
    for number, name in enumerate(CAMPAIGNS):
        organisation.create(CAMPAIGN, Changes({"name": name, "statuscode": 2}), MANAGER, _id(0xD0 + number))


def move_in(organisation: Organisation) -> None:
    """Customers, leads, opportunities and tasks, spread over the people."""
    now = organisation.now
    accounts, contacts = [], []
    for number, (name, city, country, staff, industry) in enumerate(ACCOUNTS):
        values = {"name": name, "address1_city": city, "address1_country": country, "numberofemployees": staff}
        values |= {"industrycode": industry, "websiteurl": f"https://{name.split()[0].lower()}.example.com"}
        accounts.append(organisation.create(ACCOUNT, _owned(values, number), MANAGER))
    for number, (first, last, title, account) in enumerate(CONTACTS):
        domain = ACCOUNTS[account][0].split()[0].lower()
        values = {"firstname": first, "lastname": last, "jobtitle": title}
        values["emailaddress1"] = f"{first}.{last}@{domain}.example.com".lower()
        changes = _led(_owned(values, number), parentcustomerid=accounts[account])
        contacts.append(organisation.create(CONTACT, changes, MANAGER))
    for number, (topic, first, last, company, source, rating, status) in enumerate(LEADS):
        values = {"subject": topic, "firstname": first, "lastname": last, "companyname": company}
        values |= {"leadsourcecode": source, "leadqualitycode": rating, "statuscode": status}
        values["emailaddress1"] = f"{first}.{last}@{company.split()[0]}.example.com".lower().replace("ø", "o")
        organisation.create(LEAD, _owned(values, number), MANAGER)
    for number, (name, account, value, days) in enumerate(OPPORTUNITIES):
        values = {"name": name, "estimatedvalue": float(value)}
        values["estimatedclosedate"] = (now + timedelta(days=days)).date().isoformat()
        changes = _led(
            _owned(values, number), parentaccountid=accounts[account], parentcontactid=contacts[account],
            customerid=accounts[account], transactioncurrencyid=organisation.currency(),
        )  # fmt: skip
        opportunity = organisation.create(OPPORTUNITY, changes, MANAGER)
        task = {
            "subject": f"Send the offer: {name}",
            "scheduledend": payloads.written(now + timedelta(days=number + 1)),
        }
        organisation.create(TASK, _led(_owned(task, number), regardingobjectid=opportunity), MANAGER)


def _owned(values: Mapping[str, object], number: int) -> Changes:
    owner = USERS[number % len(USERS)][0]
    return Changes({**values, "_ownerid_value": owner}, {"_ownerid_value": USER.name})


def _led(changes: Changes, **rows: Row) -> Changes:
    """With look-ups that lead to those records."""
    for name, row in rows.items():
        changes.values[f"_{name}_value"] = row.id
        changes.leads_to[f"_{name}_value"] = row.table
    return changes
