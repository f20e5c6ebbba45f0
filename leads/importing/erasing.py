"""What erasing a person takes out of imports: the files that she was in, and what was known of her before."""

from django.db.models import Q

from contacts import registry
from leads.importing.models import Import, ImportPiece
from tenants import files


def erase(contact_ids: list[int], addresses: list[str]) -> None:
    """Empty the files whose rows were about the contacts, and leave them out of what an undo would restore.

    An import of whose file nothing is left can still be undone for everybody else.
    """
    found = ImportPiece.objects.filter(contact_ids__overlap=contact_ids, is_trial=False)
    batches = set()
    for piece in found.select_for_update():
        batches.add(piece.batch_id)
        for id_ in contact_ids:
            piece.changed.get("contact", {}).pop(str(id_), None)
        piece.contact_ids = [id_ for id_ in piece.contact_ids if id_ not in contact_ids]
        piece.refused = [row for row in piece.refused if not _names(row, addresses)]
        piece.kept = [row for row in piece.kept if not (row[0] == "contact" and row[1] in contact_ids)]
        piece.save(update_fields=["changed", "contact_ids", "refused", "kept"])
    emptied = Import.objects.filter(Q(pk__in=batches))
    files.empty(id_ for pair in emptied.values_list("file", "rows") for id_ in pair if id_)
    ImportPiece.objects.filter(batch__in=batches, is_trial=True).delete()
    emptied.update(samples=[])


def _names(row: list, addresses: list[str]) -> bool:
    text = " ".join(map(str, row[2])).lower()
    return any(address in text for address in addresses)


registry.erasers.append(erase)
