"""The Dataverse stand-in by the wire: signing in, records, keys, conditions, and what it refuses as the vendor does."""

import pytest

from integrations.sandbox.dynamics.people import APPLICATION, CURRENCIES, FORMER, MANAGER, USERS

NOBODY = "00000000-0000-4000-8000-000000000009"
WITH_ROW = {"Prefer": "return=representation"}


def test_a_token_lasts_3599_seconds_and_then_the_api_says_401_with_an_empty_body(sales):
    assert sales.sign_in().json["expires_in"] == 3599
    sales.control("clock", {"advance_s": 3598})
    assert sales.read("WhoAmI")["UserId"] == APPLICATION
    sales.control("clock", {"advance_s": 1})
    refused = sales.call("GET", "leads")
    assert (refused.status, refused.body) == (401, b"")
    assert refused.headers["www-authenticate"].startswith("Bearer authorization_uri=")
    sales.token = sales.sign_in().json["access_token"]
    assert sales.call("GET", "leads").status == 200


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": NOBODY}, 400, 700016),
        ({"tenant": NOBODY}, 400, 90002),
        ({"scope": "https://elsewhere.crm4.dynamics.com/.default"}, 400, 500011),
        ({"scope": "user.read"}, 400, 70011),
        ({"grant_type": "password"}, 400, 70003),
    ],
)
def test_entra_names_what_is_wrong_with_the_credentials(sales, changed, status, code):
    refused = sales.sign_in(**changed)
    assert (refused.status, refused.json["error_codes"]) == (status, [code])
    assert refused.json["error_description"].startswith(f"AADSTS{code}: ")


def test_an_expired_secret_a_missing_application_user_and_a_revoked_token_are_told_apart(sales):
    sales.control("admin", {"secret_expired": True})
    assert sales.sign_in().json["error_codes"] == [7000222]
    sales.control("admin", {"application_user": False})
    assert sales.call("GET", "leads").message == "The user is not a member of the organization."
    sales.control("admin", {"application_user": True, "revoke": True})
    assert sales.call("GET", "leads").status == 401


def test_a_withdrawn_privilege_is_named(sales):
    lead = sales.lead()
    sales.control("admin", {"withdraw": ["prvWriteLead", "prvAppendToContact"]})
    refused = sales.call("PATCH", f"leads({lead})", {"subject": "New"})
    assert (refused.status, refused.code) == (403, "0x80040220")
    assert "is missing prvWriteLead privilege" in refused.message
    names = {each["PrivilegeName"] for each in sales.read(
        f"systemusers({APPLICATION})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges"
    )["RolePrivileges"]}  # fmt: skip
    assert {"prvReadLead", "prvCreateActivity"} <= names
    assert "prvWriteLead" not in names
    sales.control("admin", {"grant": ["*"]})
    assert sales.call("PATCH", f"leads({lead})", {"subject": "New"}).status == 204


def test_a_record_is_created_without_content_or_shown_if_that_is_preferred(sales):
    made = sales.call("POST", "leads", {"subject": "x", "firstname": "Anna", "lastname": "Berg"})
    assert (made.status, made.body) == (204, b"")
    assert made.headers["odata-entityid"] == f"{sales.world.url}/api/data/v9.2/leads({made.id})"
    shown = sales.call("POST", "leads", {"subject": "x", "lastname": "Berg"}, **WITH_ROW)
    assert (shown.status, shown.headers["preference-applied"]) == (201, "return=representation")
    assert {"statecode": 0, "statuscode": 1, "_ownerid_value": APPLICATION}.items() <= shown.json.items()
    assert sales.read(f"leads({made.id})?$select=fullname")["fullname"] == "Anna Berg"


def test_every_write_raises_the_version(sales):
    lead = sales.lead()
    first = sales.read(f"leads({lead})")
    sales.call("PATCH", f"leads({lead})", {"subject": "New"})
    second = sales.read(f"leads({lead})")
    assert second["@odata.etag"] == f'W/"{second["versionnumber"]}"'
    assert second["versionnumber"] > first["versionnumber"]
    assert sales.call("GET", f"leads({lead})", If_None_Match=second["@odata.etag"]).status == 304
    assert sales.call("GET", f"leads({lead})", If_None_Match="null").status == 200


def test_the_five_kinds_of_patch(sales):
    body = {"subject": "New"}
    missing = sales.call("PATCH", f"leads({NOBODY})", body, If_Match="*")
    assert (missing.status, missing.message) == (404, f"lead With Id = {NOBODY} Does Not Exist")
    assert sales.call("PATCH", f"leads({NOBODY})", body, **WITH_ROW).status == 201
    assert sales.call("PATCH", f"leads({NOBODY})", body, **WITH_ROW).status == 200
    taken = sales.call("PATCH", f"leads({NOBODY})", body, If_None_Match="*")
    assert (taken.status, taken.message) == (412, "A record with matching key values already exists.")
    assert sales.call("POST", "leads", {**body, "leadid": NOBODY}).status == 412
    etag = sales.read(f"leads({NOBODY})")["@odata.etag"]
    assert sales.call("PATCH", f"leads({NOBODY})", body, If_Match=etag).status == 204
    stale = sales.call("PATCH", f"leads({NOBODY})", body, If_Match=etag)
    assert (stale.status, stale.code) == (412, "0x80060882")


def test_an_upsert_by_alternate_key_makes_one_record_however_often_it_is_sent(sales):
    for subject in ("One", "Two"):
        assert sales.call("PATCH", "leads(new_crmkey='a''b')", {"subject": subject}).status == 204
    (row,) = sales.read("leads?$select=subject,new_crmkey")["value"]
    assert (row["subject"], row["new_crmkey"]) == ("Two", "a'b")
    assert sales.read("leads(new_crmkey='A''B')?$select=subject")["subject"] == "Two"
    assert sales.call("PATCH", "leads(new_crmkey='a''b')", {"new_crmkey": "a'b"}).status == 400
    assert sales.call("POST", "leads", {"subject": "x", "new_crmkey": "a'b"}).code == "0x80060892"
    assert sales.call("PATCH", "leads(new_crmkey='zzz')", {"subject": "x"}, If_Match="*").status == 404
    assert sales.call("GET", "leads(emailaddress1='a@b.example')").code == "0x80060890"


def test_without_the_admins_key_column_its_address_is_refused(sales):
    sales.control("admin", {"keyless": ["lead"]})
    assert sales.call("PATCH", "leads(new_crmkey='a')", {"subject": "x"}).code == "0x80060890"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"subject": "x" * 301}, "exceeded the maximum allowed length of '300'"),
        ({"firstname": "😀" * 26}, "exceeded the maximum allowed length of '50'"),
        ({"foo": "x"}, "Invalid property 'foo' was found in entity 'Microsoft.Dynamics.CRM.lead'"),
        ({"subject": 5}, "Cannot convert the literal '5' to the expected type 'Edm.String'"),
        ({"numberofemployees": "many"}, "to the expected type 'Edm.Int32'"),
        ({"numberofemployees": -1}, "is outside the valid range"),
        ({"leadqualitycode": 4}, "Accepted Values: 1,2,3"),
        ({"donotemail": "yes"}, "to the expected type 'Edm.Boolean'"),
        ({"overriddencreatedon": "2026-03-01"}, "to the expected type 'Edm.DateTimeOffset'"),
        ({"estimatedamount": 10}, "The currency cannot be null."),
        ({"ParentContactId@odata.bind": f"/contacts({NOBODY})"}, "An undeclared property 'ParentContactId'"),
        ({"parentcontactid@odata.bind": f"/contacts({NOBODY})"}, "contact With Id"),
        ({"parentcontactid@odata.bind": f"/systemusers({MANAGER})"}, "cannot be bound"),
        ({"parentcontactid": NOBODY}, "A node of type 'PrimitiveValue' was read"),
        ({"_parentcontactid_value": NOBODY}, "Use Navigation properties instead"),
        ({"ownerid@odata.bind": f"/systemusers({FORMER[0]})"}, "is disabled"),
        ({"statecode": 2}, "cannot be set on create"),
        ({"statuscode": 4}, "is not a valid status code for state code LeadState.Open"),
        (["x"], "must be a JSON object"),
    ],
)
def test_a_body_is_refused_for_what_the_vendor_refuses_and_changes_nothing(sales, body, text):
    refused = sales.call("POST", "leads", body)
    assert refused.status in (400, 404)
    assert text in refused.message
    assert sales.read("leads")["value"] == []


def test_a_body_must_be_json_and_say_so(sales):
    assert sales.call("POST", "leads", {}, Content_Type="text/plain").status == 415
    target = f"/dynamics/{sales.key}/api/data/v9.2/leads"
    headers = {"Authorization": f"Bearer {sales.token}", "Content-Type": "application/json"}
    assert sales.raw("POST", target, b"{", headers).status == 400


def test_references_are_written_as_bindings_and_read_as_values(sales):
    contact = sales.call("PATCH", "contacts(new_crmkey='c1')", {"lastname": "Berg"}).id
    lead = sales.lead(**{
        "parentcontactid@odata.bind": "/contacts(new_crmkey='c1')",
        "transactioncurrencyid@odata.bind": f"{sales.world.api.root}transactioncurrencies({CURRENCIES[0][0]})",
        "estimatedamount": 12.5,
        "fullname": "read only, passed over",
    })  # fmt: skip
    row = sales.call("GET", f"leads({lead})?$expand=parentcontactid($select=fullname)",
                     Prefer='odata.include-annotations="*"').json  # fmt: skip
    assert row["_parentcontactid_value"] == contact
    assert "parentcontactid" in row
    assert row["_parentcontactid_value@OData.Community.Display.V1.FormattedValue"] == "Berg"
    assert row["statuscode@OData.Community.Display.V1.FormattedValue"] == "New"
    assert (row["fullname"], row["parentcontactid"]["fullname"]) == ("Berg", "Berg")
    assert sales.call("DELETE", f"leads({lead})/parentcontactid/$ref").status == 204
    assert sales.read(f"leads({lead})")["_parentcontactid_value"] is None


def test_a_single_property_is_read_written_and_emptied(sales):
    lead = sales.lead()
    assert sales.call("PUT", f"leads({lead})/subject", {"value": "New"}).status == 204
    assert sales.read(f"leads({lead})/subject")["value"] == "New"
    sales.call("DELETE", f"leads({lead})/subject")
    assert sales.read(f"leads({lead})/subject")["value"] is None


def test_a_closed_lead_is_read_only_until_it_is_reopened(sales):
    lead = sales.lead()
    assert sales.call("PATCH", f"leads({lead})", {"statecode": 2, "statuscode": 6}).status == 204
    assert sales.call("PATCH", f"leads({lead})", {"subject": "New"}).code == "0x80040237"
    assert sales.call("PATCH", f"leads({lead})", {"statecode": 0, "statuscode": 1}).status == 204
    assert sales.call("PATCH", f"leads({lead})", {"subject": "New"}).status == 204


def test_doubles_are_detected_only_if_the_caller_asks(sales):
    sales.lead(emailaddress1="anna@example.org")
    sales.lead(emailaddress1="anna@example.org")
    body = {"subject": "x", "emailaddress1": "ANNA@example.org"}
    refused = sales.call("POST", "leads", body, **{"MSCRM.SuppressDuplicateDetection": "false"})
    assert (refused.status, refused.code) == (412, "0x80040333")


def test_what_is_deleted_takes_its_tasks_along_and_empties_references(sales):
    account = sales.call("POST", "accounts", {"name": "Acme"}).id
    lead = sales.lead(**{"parentaccountid@odata.bind": f"/accounts({account})"})
    task = sales.call("PATCH", f"tasks({NOBODY})", {
        "subject": "Call", "regardingobjectid_lead_task@odata.bind": f"/leads({lead})",
        "ownerid@odata.bind": f"/systemusers({USERS[1][0]})",
    })  # fmt: skip
    assert task.status == 204
    assert sales.call("DELETE", f"accounts({account})").status == 204
    assert sales.read(f"leads({lead})")["_parentaccountid_value"] is None
    assert sales.call("DELETE", f"leads({lead})").status == 204
    assert sales.call("DELETE", f"leads({lead})").status == 404
    assert sales.read("tasks")["value"] == []


def test_unknown_addresses_are_refused(sales):
    assert sales.call("GET", "prospects").message == "Resource not found for the segment 'prospects'."
    assert sales.call("GET", "leads(5)").status == 400
    assert sales.call("PUT", "leads", {}).status == 405
    assert sales.raw("GET", f"/dynamics/{sales.key}/api/data/v8.0/leads").status == 404
