"""The Dataverse stand-in by the wire: `$batch`, actions, the limits of service protection."""

import pytest

from integrations.sandbox.dynamics.people import MANAGER, USERS

LEAD = '{"subject":"x","lastname":"Berg"}'


def inner(method, path, body="", content_id=""):
    """A part: its own headers, then the request."""
    head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    head += [f"Content-ID: {content_id}"] if content_id else []
    kind = "Content-Type: application/json; type=entry" if body else "Accept: application/json"
    return "\r\n".join([*head, "", f"{method} /api/data/v9.2/{path} HTTP/1.1", kind, "", body])


def changeset(*parts, boundary="changeset_1"):
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n{body}--{boundary}--\r\n'


def send(sales, *parts, text=None, **headers):
    body = text or "".join(f"--batch_1\r\n{part}\r\n" for part in parts) + "--batch_1--\r\n"
    sent = {
        "Authorization": f"Bearer {sales.token}",
        "Content-Type": 'multipart/mixed; boundary="batch_1"',
        **headers,
    }
    return sales.raw("POST", f"/dynamics/{sales.key}/api/data/v9.2/$batch", body.encode(), sent)


def statuses(seen):
    return [int(line.split()[1]) for line in seen.body.decode().split("\r\n") if line.startswith("HTTP/1.1 ")]


GOES_ON = {"Prefer": "odata.continue-on-error"}


def test_a_change_set_refers_to_what_it_made_and_a_read_follows(sales):
    bound = '{"subject":"x","parentcontactid@odata.bind":"$1"}'
    seen = send(
        sales,
        changeset(inner("POST", "contacts", '{"lastname":"Berg"}', "1"), inner("POST", "leads", bound, "2")),
        inner("GET", "leads?$expand=parentcontactid($select=fullname)"),
    )
    assert (seen.status, statuses(seen)) == (200, [204, 204, 200])
    assert b'"fullname": "Berg"' in seen.body
    assert b"Content-ID: 2\r\n" in seen.body


def test_a_change_set_is_one_transaction(sales):
    parts = inner("PATCH", "leads(new_crmkey='a')", '{"subject":"a"}', "1"), inner("POST", "leads", '{"foo":1}', "2")
    seen = send(sales, changeset(*parts))
    assert (seen.status, statuses(seen)) == (400, [400])
    assert sales.read("leads")["value"] == []
    assert sales.call("PATCH", "leads(new_crmkey='a')", {"subject": "b"}, If_None_Match="*").status == 204


@pytest.mark.parametrize(
    ("headers", "status", "inside", "left"), [({}, 400, [204, 400], 1), (GOES_ON, 200, [204, 400, 204], 2)]
)
def test_a_batch_stops_at_the_first_refusal_unless_it_should_go_on(sales, headers, status, inside, left):
    seen = send(
        sales,
        inner("POST", "leads", LEAD),
        inner("POST", "leads", '{"foo":1}'),
        inner("POST", "leads", LEAD),
        **headers,
    )
    assert (seen.status, statuses(seen)) == (status, inside)
    assert len(sales.read("leads")["value"]) == left


def test_an_unknown_reference_is_named(sales):
    seen = send(sales, changeset(inner("POST", "leads", '{"parentcontactid@odata.bind":"$7"}', "1")))
    assert b"Content-ID Reference: '$7' does not exist in the batch context." in seen.body


def test_conditions_hold_inside_a_batch(sales):
    part = inner("PATCH", "leads(00000000-0000-4000-8000-000000000009)", '{"subject":"x"}')
    part = part.replace("Content-Type: application/json", "If-Match: *\r\nContent-Type: application/json")
    assert statuses(send(sales, part, **GOES_ON)) == [404]


@pytest.mark.parametrize(
    "break_",
    [
        lambda text: text.replace("\r\n", "\n"),
        lambda text: text.replace("--batch_1--", "--batch_2--"),
        lambda text: text.replace("json\r\n\r\n\r\n--batch", "json\r\n--batch"),
        lambda text: text.replace("application/http", "text/plain"),
        lambda text: text.replace("binary", "8bit"),
        lambda text: text.replace("GET", "FETCH"),
    ],
)
def test_a_badly_written_batch_is_refused(sales, break_):
    good = f"--batch_1\r\n{inner('GET', 'leads?$top=1')}\r\n--batch_1--\r\n"
    assert send(sales, text=good).status == 200
    assert send(sales, text=break_(good)).status == 400


def test_a_change_set_has_no_reads_and_a_batch_at_most_a_thousand_parts(sales):
    assert send(sales, changeset(inner("GET", "leads", "", "1"))).status == 400
    assert send(sales, *[inner("GET", "leads?$top=1")] * 1001).status == 400


def qualify(sales, lead, **changed):
    asked = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": -1, **changed}
    return sales.call("POST", f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead", asked)


def test_a_lead_is_qualified_once_to_what_was_asked_for(sales):
    lead = sales.lead(companyname="Acme", emailaddress1="anna@example.org")
    made = {row["@odata.type"].rpartition(".")[2]: row for row in qualify(sales, lead).json["value"]}
    assert set(made) == {"account", "contact", "opportunity"}
    row = sales.read(f"leads({lead})")
    assert (row["statecode"], row["statuscode"]) == (1, 3)
    assert row["_qualifyingopportunityid_value"] == made["opportunity"]["opportunityid"]
    deal = sales.read(f"opportunities({made['opportunity']['opportunityid']})")
    assert (deal["_originatingleadid_value"], deal["_parentaccountid_value"]) == (lead, made["account"]["accountid"])
    assert qualify(sales, lead).code == "0x80040237"


def test_qualifying_reuses_parents_and_leaves_out_what_was_not_asked_for(sales):
    account = sales.call("POST", "accounts", {"name": "Acme"}).id
    lead = sales.lead(companyname="Acme", **{"parentaccountid@odata.bind": f"/accounts({account})"})
    (made,) = qualify(sales, lead, CreateOpportunity=False).json["value"]
    assert made["@odata.type"].endswith("contact")
    assert sales.read(f"contacts({made['contactid']})")["_parentcustomerid_value"] == account


def test_qualifying_needs_its_flags_and_says_if_there_is_a_double_already(sales):
    lead = sales.lead(emailaddress1="anna@example.org")
    assert qualify(sales, lead, CreateContact=None).status == 400
    sales.call("POST", "contacts", {"lastname": "Berg", "emailaddress1": "anna@example.org"})
    asked = {"CreateAccount": False, "CreateContact": True, "CreateOpportunity": True, "Status": 3}
    path = f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead"
    assert sales.call("POST", path, asked, **{"MSCRM.SuppressDuplicateDetection": "false"}).code == "0x80040333"
    assert sales.read(f"leads({lead})")["statecode"] == 0


def test_an_opportunity_is_closed_by_its_actions_alone(sales):
    deal = sales.call("POST", "opportunities", {"name": "Deal"}).id
    assert sales.call("PATCH", f"opportunities({deal})", {"statecode": 1, "statuscode": 3}).status == 400
    closing = {"Status": 3, "OpportunityClose": {"opportunityid@odata.bind": f"/opportunities({deal})"}}
    assert sales.call("POST", "WinOpportunity", closing).status == 204
    assert sales.read(f"opportunities({deal})")["statuscode"] == 3
    assert sales.call("POST", "LoseOpportunity", closing).code == "0x80040237"


def test_too_many_requests_within_five_minutes_wait_longer_the_more_they_push(sales):
    sales.control("admin", {"limits": {"requests": 2}})
    assert sales.call("GET", "leads").headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "1"
    sales.control("clock", {"advance_s": 100})
    sales.call("GET", "leads")
    first, second = sales.call("GET", "leads"), sales.call("GET", "leads")
    assert (first.status, first.code, first.headers["retry-after"]) == (429, "0x80072322", "200")
    assert second.headers["retry-after"] == "202"
    sales.control("clock", {"advance_s": 200})
    assert sales.call("GET", "leads").status == 200


def test_too_many_requests_at_a_time_are_refused(sales):
    sales.control("admin", {"limits": {"concurrent": 0}})
    assert sales.call("GET", "leads").code == "0x80072326"


def test_what_sales_does_is_seen_through_the_api(sales):
    lead = sales.lead(new_crmkey="k1", companyname="Acme")
    sales.control("act", {"do": "accept", "lead": "k1", "by": "priya.nair@sales.example.com"})
    row = sales.call("GET", f"leads({lead})", Prefer='odata.include-annotations="*"').json
    assert row["statuscode"] == 2
    assert row["_ownerid_value@OData.Community.Display.V1.FormattedValue"] == "Priya Nair"
    sales.control("act", {"do": "call", "lead": "k1", "subject": "First call"})
    assert [call["statecode"] for call in sales.read("phonecalls")["value"]] == [1]
    sales.control("act", {"do": "edit", "table": "lead", "id": lead, "values": {"jobtitle": "CTO"}})
    deal = sales.control("act", {"do": "qualify", "lead": "k1", "value": 900})["opportunity"]
    sales.control("act", {"do": "assign", "table": "opportunity", "id": deal, "to": "jonas.weber@sales.example.com"})
    sales.control("act", {"do": "win", "lead": "k1"})
    won = sales.read(f"opportunities({deal})")
    assert (won["actualvalue"], won["_ownerid_value"]) == (900, USERS[1][0])
    other = sales.lead()
    sales.control("act", {"do": "disqualify", "lead": other, "status": 6})
    sales.control("act", {"do": "reopen", "lead": other})
    assert sales.read(f"leads({other})")["_modifiedby_value"] == MANAGER
    sales.control("act", {"do": "delete", "table": "lead", "id": other})
    assert sales.call("GET", f"leads({other})").status == 404


def test_the_page_of_the_sales_side_shows_a_lead_and_acts_on_it(sandbox, sales):
    lead = sales.lead(new_crmkey="k1", subject="<b>Bold</b>", description="Score 62")
    page = f"/dynamics/{sales.key}/"
    seen = sales.raw("GET", page)
    assert b"&lt;b&gt;Bold&lt;/b&gt;" in seen.body
    assert b"from Onward" in seen.body
    assert "default-src 'none'" in seen.headers["content-security-policy"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"do=accept&lead={lead}&by=elena.rossi%40sales.example.com".encode()
    done = sales.raw("POST", f"{page}sales", body, {**form, "Origin": sandbox.url})
    assert (done.status, done.headers["location"]) == (303, f"{sales.world.url}/")
    assert sales.read(f"leads({lead})")["statuscode"] == 2
    form_of = sales.raw("GET", f"{page}main.aspx?etn=lead&pagetype=entityrecord&id={lead}")
    assert form_of.headers["location"] == f"{sales.world.url}/#lead-{lead}"
    refused = sales.raw("POST", f"{page}sales", f"do=win&lead={lead}".encode(), form)
    assert (refused.status, b'role="alert"' in refused.body) == (400, True)


def test_a_new_environment_is_lived_in_and_comes_back_after_a_restart(sandbox):
    world = sandbox.world("dynamics", "lived-in")
    assert {len(world.organisation.rows.all(name)) for name in ("account", "contact", "lead")} == {6, 4}
    again = type(world)("lived-in", world.url)
    again.load(world.dump())
    assert again.dump() == world.dump()
