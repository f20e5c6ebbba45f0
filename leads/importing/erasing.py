"""What imports forget about erased people: the files that they were in, and what was known of them before."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from contacts.registry import Erased, Eraser
from leads.importing import pieces
from leads.models.imports import Import, ImportPiece
from tenants import files
from tenants.housekeeping import chore_of_tenants


def erase(erased: Erased) -> None:
    """Empty the files with rows about the people, and leave them out of what an undo would restore.

    An import of whose file nothing is left can still be undone for everybody else. Goes through the rows of all files
    that are still kept (30 days), since whoever was refused has no contact that leads to her row.
    """
    about = set(ImportPiece.objects.filter(contact_ids__overlap=erased.ids).values_list("batch", flat=True))
    kept = Import.objects.exclude(rows=None).exclude(pk__in=about).select_related("rows")
    about |= {batch.pk for batch in kept if _is_in(batch, erased)}
    for piece in ImportPiece.objects.filter(batch__in=about, is_trial=False).select_for_update().order_by("pk"):
        _forget(piece, erased)
    found = Import.objects.filter(pk__in=about)
    files.empty(pk for pair in found.values_list("file", "rows") for pk in pair if pk)
    ImportPiece.objects.filter(batch__in=about, is_trial=True).delete()
    found.update(samples=[])


@chore_of_tenants("imports", every=timedelta(hours=6))
def forget() -> bool:
    """Of imports whose files have gone by age, forget the rows as well that were shown or refused."""
    gone = Import.objects.filter(rows=None, file=None)
    old = ImportPiece.objects.filter(batch__in=gone)
    old.filter(is_trial=True).delete()
    old.exclude(refused=[]).update(refused=[])
    gone.exclude(samples=[]).update(samples=[])
    return False


def _is_in(batch: Import, erased: Erased) -> bool:
    texts = [text.lower() for text in (*erased.addresses, *erased.names)]
    for content in files.pieces(batch.rows) if batch.rows and texts else ():
        rows = (" ".join(row.cells).lower() for row in pieces.unpack(content))
        if any(text in row for row in rows for text in texts):
            return True
    return False


def _forget(piece: ImportPiece, erased: Erased) -> None:
    ids = set(erased.ids)
    changed = piece.changed.get("contact", {})
    piece.changed = {**piece.changed, "contact": {id_: c for id_, c in changed.items() if int(id_) not in ids}}
    piece.contact_ids = [id_ for id_ in piece.contact_ids if id_ not in ids]
    piece.kept = [row for row in piece.kept if not (row[0] == "contact" and row[1] in ids)]
    piece.refused = []
    piece.save(update_fields=["changed", "contact_ids", "kept", "refused"])


ERASER = Eraser(
    erase,
    {
        "leads.Import": _("The values shown of a file that she was in are deleted."),
        "leads.ImportPiece": _("Her rows and what was known of her before are deleted; that there was a row, stays."),
        "tenants.File": _("The name of the file stays."),
        "tenants.FilePiece": _("A file that she was in is emptied."),
    },
)
