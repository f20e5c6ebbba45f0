"""What the pages ask about connections."""

from django.db.models import OuterRef, QuerySet, Subquery

from integrations.models import Connection, SyncRun
from integrations.systems import System, systems


def connections() -> list[tuple[Connection, System]]:
    """Every connection with its system, and `synced_at`, the end of its last complete run."""
    done = SyncRun.objects.filter(connection=OuterRef("pk"), state=SyncRun.State.DONE).order_by("-id")
    rows: QuerySet[Connection] = Connection.objects.annotate(synced_at=Subquery(done.values("finished_at")[:1]))
    return [(row, systems.of(row.system)) for row in rows.order_by("system", "id")]
