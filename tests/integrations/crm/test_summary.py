"""What sales reads first about a lead."""

from typing import Any

import pytest

from contacts import people, timeline
from contacts.models import Interaction
from integrations.crm import summary
from leads import lifecycle
from tenants.scope import tenant_scope


@pytest.mark.django_db
def test_what_somebody_did_is_named_in_plain_text_without_any_of_our_pages(acme: Any) -> None:
    with tenant_scope(acme):
        contact = people.create_contact({"last_name": "Berg"})
        lead = lifecycle.create_lead("Pumps", contact=contact, source="form")
        timeline.record("page.visited", contact=contact, object_id=7, detail={"page": "Pumps & <Valves>"})
        done = Interaction.objects.filter(kind="page.visited")
        text = summary.text(
            lead, dict.fromkeys(("do_not_email", "do_not_bulk_email", "do_not_phone"), False), done, 2000
        )
    assert "Visited Pumps & <Valves>" in text
    assert "href" not in text
