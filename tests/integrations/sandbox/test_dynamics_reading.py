"""The Dataverse stand-in by the wire: queries, pages, and changes since a token."""

import pytest

TRACKED = {"Prefer": "odata.track-changes, odata.maxpagesize=2"}


def by_two(sales, path, **headers):
    """All pages of two records each, by the links as they are."""
    seen = [sales.call("GET", path, **({"Prefer": "odata.maxpagesize=2"} | headers)).json]
    while link := seen[-1].get("@odata.nextLink"):
        seen.append(sales.call("GET", link, Prefer="odata.maxpagesize=2").json)
    return seen


def subjects(pages):
    return [[row.get("subject", "gone") for row in page["value"]] for page in pages]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("emailaddress1 eq 'ANNA@example.org' and statecode eq 0", "A"),
        ("not (subject eq 'A') and numberofemployees ge 10", "BC"),
        ("emailaddress1 eq null", "C"),
        ("emailaddress1 ne null", "AB"),
        ("numberofemployees gt 20 or startswith(subject,'a')", "AC"),
        ("contains(subject,'b') or endswith(lastname,'zz')", "B"),
        ("Microsoft.Dynamics.CRM.In(PropertyName='subject',PropertyValues=['a','c'])", "AC"),
        ("modifiedon ge 2026-03-01T12:00:00Z", "ABC"),
        ("_parentcontactid_value eq 00000000-0000-4000-8000-000000000009", ""),
        ("donotemail eq true", "B"),
    ],
)
def test_a_filter_finds_what_it_says(sales, condition, found):
    sales.lead(subject="A", emailaddress1="anna@example.org", numberofemployees=5)
    sales.lead(subject="B", emailaddress1="ben@example.org", numberofemployees=20, donotemail=True)
    sales.lead(subject="C", numberofemployees=30)
    assert "".join(sorted(row["subject"] for row in sales.read(f"leads?$filter={condition}")["value"])) == found


@pytest.mark.parametrize(
    "query",
    [
        "$skip=2", "$search=x", "$select=foo", "$select=parentcontactid", "$orderby=foo", "$filter=foo eq 1",
        "$filter=subject eq", "$filter=subject eq 'a' and", "$filter=(subject eq 'a'", "$filter=subject like 'a'",
        "$expand=foo", "$skiptoken=rubbish",
    ],
)  # fmt: skip
def test_a_query_is_refused_for_what_the_vendor_does_not_know(sales, query):
    assert sales.call("GET", f"leads?{query}").status == 400


def test_pages_end_with_a_full_page_without_a_link(sales):
    for subject in "DBAC":
        sales.lead(subject=subject)
    pages = by_two(sales, "leads?$select=subject&$orderby=subject desc&$count=true")
    assert subjects(pages) == [["D", "C"], ["B", "A"]]
    assert pages[0]["@odata.count"] == 4
    assert set(pages[0]["value"][0]) == {"@odata.etag", "subject", "leadid"}
    assert [row["subject"] for row in sales.read("leads?$orderby=subject&$top=1")["value"]] == ["A"]
    assert sales.call("GET", "leads/$count").body == b"4"


def test_what_is_inserted_between_two_pages_shifts_nothing_that_comes_behind(sales):
    for subject in "ACE":
        sales.lead(subject=subject)
    first = sales.call("GET", "leads?$orderby=subject", Prefer="odata.maxpagesize=2").json
    sales.lead(subject="B")
    sales.lead(subject="D")
    second = sales.call("GET", first["@odata.nextLink"], Prefer="odata.maxpagesize=5").json
    assert subjects([first, second]) == [["A", "C"], ["D", "E"]]


def test_a_tracked_read_ends_with_a_link_to_what_changed_since_it_began(sales):
    for subject in "ABC":
        sales.lead(subject=subject)
    pages = [sales.call("GET", "leads?$select=subject", **TRACKED).json]
    missed = sales.lead(subject="during")
    pages.append(sales.call("GET", pages[0]["@odata.nextLink"], Prefer="odata.maxpagesize=2").json)
    while "@odata.nextLink" in pages[-1]:
        pages.append(sales.call("GET", pages[-1]["@odata.nextLink"], Prefer="odata.maxpagesize=2").json)
    seen = {row["subject"] for page in pages for row in page["value"]}
    assert {"A", "B", "C"} <= seen
    changed = sales.call("GET", pages[-1]["@odata.deltaLink"]).json
    assert [row["leadid"] for row in changed["value"]] == [missed]
    assert sales.call("GET", changed["@odata.deltaLink"]).json["value"] == []


def test_a_delta_has_what_is_there_before_what_was_deleted_and_each_once(sales):
    kept, gone = sales.lead(subject="kept"), sales.lead(subject="gone")
    link = sales.call("GET", "leads?$select=subject", Prefer="odata.track-changes").json["@odata.deltaLink"]
    unseen = sales.lead(subject="unseen")
    for lead in (kept, gone):
        sales.call("PATCH", f"leads({lead})", {"subject": "changed"})
    for lead in (unseen, gone):
        sales.call("DELETE", f"leads({lead})")
    delta = sales.call("GET", link).json
    assert subjects([delta]) == [["changed", "gone", "gone"]]
    assert [row["id"] for row in delta["value"][1:]] == [unseen, gone]
    assert delta["value"][1]["reason"] == "deleted"
    assert delta["value"][1]["@odata.context"].endswith("$metadata#leads/$deletedEntity")


def test_a_delta_comes_in_pages_too(sales):
    link = sales.call("GET", "leads", Prefer="odata.track-changes").json["@odata.deltaLink"]
    made = [sales.lead(subject=subject) for subject in "ABCDE"]
    sales.call("DELETE", f"leads({made[0]})")
    pages = by_two(sales, link)
    assert subjects(pages) == [["B", "C"], ["D", "E", "gone"]]


def test_a_record_made_again_under_its_id_is_not_told_as_deleted(sales):
    lead = sales.lead()
    link = sales.call("GET", "leads", Prefer="odata.track-changes").json["@odata.deltaLink"]
    sales.call("DELETE", f"leads({lead})")
    sales.call("PATCH", f"leads({lead})", {"subject": "again"})
    assert subjects([sales.call("GET", link).json]) == [["again"]]


def test_a_delta_link_expires_after_seven_days(sales):
    link = sales.call("GET", "leads", Prefer="odata.track-changes").json["@odata.deltaLink"]
    assert "%21" in link
    sales.control("clock", {"advance_s": 7 * 86_400 + 1})
    sales.token = sales.sign_in().json["access_token"]
    refused = sales.call("GET", link)
    assert (refused.status, refused.code) == (400, "0x80044352")


@pytest.mark.parametrize("query", ["$filter=statecode eq 0", "$orderby=subject", "$top=1", "$expand=parentcontactid"])
def test_changes_cannot_be_tracked_of_a_part(sales, query):
    assert sales.call("GET", f"leads?{query}", Prefer="odata.track-changes").status == 400


def test_changes_are_tracked_only_where_the_admin_switched_it_on(sales):
    sales.control("admin", {"untracked": ["lead"]})
    refused = sales.call("GET", "leads", Prefer="odata.track-changes")
    assert refused.message == "Change tracking is not enabled for entity lead."
    assert sales.read("EntityDefinitions(LogicalName='lead')?$select=ChangeTrackingEnabled") == {
        "@odata.context": f"{sales.world.api.root}$metadata#EntityDefinitions/$entity",
        "ChangeTrackingEnabled": False,
        "MetadataId": sales.read("EntityDefinitions(LogicalName='lead')")["MetadataId"],
    }


def test_metadata_say_lengths_types_option_sets_keys_and_navigation_properties(sales):
    lead = "EntityDefinitions(LogicalName='lead')"
    crm = "Microsoft.Dynamics.CRM"
    texts = sales.read(f"{lead}/Attributes/{crm}.StringAttributeMetadata?$select=LogicalName,MaxLength")["value"]
    assert {row["LogicalName"]: row["MaxLength"] for row in texts}["subject"] == 300
    path = (
        f"{lead}/Attributes(LogicalName='statuscode')/{crm}.StatusAttributeMetadata?$expand=OptionSet($select=Options)"
    )
    options = sales.read(path)["OptionSet"]["Options"]
    assert (options[0]["Value"], options[0]["Label"]["UserLocalizedLabel"]["Label"], options[-1]["State"]) == (
        1,
        "New",
        2,
    )
    assert "OptionSet" not in sales.read(f"{lead}/Attributes(LogicalName='statuscode')")
    (key,) = sales.read(f"{lead}/Keys")["value"]
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["new_crmkey"], "Active")
    wanted = "$filter=ReferencingAttribute eq 'parentcontactid'"
    (relation,) = sales.read(f"{lead}/ManyToOneRelationships?{wanted}")["value"]
    assert relation["ReferencingEntityNavigationPropertyName"] == "parentcontactid"
    shown = sales.read(
        f"{lead}?$select=EntitySetName&$expand=Keys($select=LogicalName),Attributes($select=LogicalName)"
    )
    assert shown["EntitySetName"] == "leads"
    assert "createdbyname" in {row["LogicalName"] for row in shown["Attributes"]}
    sales.control("admin", {"keyless": ["lead"]})
    assert sales.read(f"{lead}/Keys")["value"] == []
    assert sales.call("GET", "EntityDefinitions(LogicalName='prospect')").status == 404
