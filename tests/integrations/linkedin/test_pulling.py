"""Reading LinkedIn's leads, by the wire."""

from tests.integrations.linkedin.world import LinkedInWorld

AMARA = {"EMAIL": "Amara@Firma.example ", "FIRST_NAME": "Amara", "LAST_NAME": "Okafor", "COMPANY_NAME": "Firma GmbH"}


def test_what_people_submit_becomes_contacts_and_leads(linkedin: LinkedInWorld) -> None:
    linkedin.connect()
    (id_,) = linkedin.leads(AMARA | {"Team": "6+"}, consents={"0": True})
    run = linkedin.sync()
    assert (run.state, run.error) == ("done", "")
    row = linkedin.stored()[id_]
    assert (row.state, row.reason) == ("lead_created", "Nobody was found by “E-mail address”: a contact was made.")
    assert (row.contact.email, row.contact.first_name) == ("amara@firma.example", "Amara")
    assert (row.lead.source, row.lead.topic, row.campaign.name) == ("linkedin", "Guide", "Spring")
    linkedin.sync()
    assert linkedin.counts() == (1, 1, 1)
