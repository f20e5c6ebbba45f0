"""What of leads goes into files and comes out of them."""

from django.db.models import QuerySet

from contacts import cells
from contacts.resources import Column, RecordResource
from leads.models import Lead


class LeadResource(RecordResource):
    """A lead's own fields; who it is about is its contact's and account's."""

    entity = "lead"
    model = Lead
    topic = Column("topic", cells.Cell(200), "subject", "interest", "lead", "thema", "betreff")
    description = Column("description", cells.Lines(10_000), "notes", "comment", "message", "notiz", "bemerkung")
    source = Column("source", cells.Cell(60), "lead source", "origin", "channel", "quelle")
    person = Column("person", cells.Cell(), is_export_only=True)
    email = Column("reach__email", cells.Cell(), is_export_only=True)
    company = Column("account__name", cells.Cell(), is_export_only=True)
    stage = Column("get_stage_display", cells.Cell(), is_export_only=True)
    score = Column("score", cells.NumberCell(), is_export_only=True)
    grade = Column("grade", cells.Cell(), is_export_only=True)
    owner = Column("owner", cells.Cell(), is_export_only=True)
    created_at = Column("created_at", cells.Cell(), is_export_only=True)

    @staticmethod
    def rows(leads: QuerySet[Lead]) -> QuerySet[Lead]:
        """The leads with all that their lines show, in one query."""
        return leads.select_related("contact", "account", "owner__user")
