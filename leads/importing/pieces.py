"""Pieces of rows: cut from a file once, so that work can go on at any of them; and made ready for writing."""

import itertools
import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from contacts import targets
from leads.importing import contacts
from leads.importing.cleaning import Cleaner, Refused
from leads.importing.folding import fold
from leads.importing.options import Options
from leads.importing.reading import Row
from leads.importing.writing import Prepared
from leads.models.imports import Import

SIZE = 5_000


def cut(rows: Iterator[Row]) -> Iterator[tuple[int, bytes]]:
    """(how many rows, the packed piece) until the rows end."""
    while part := list(itertools.islice(rows, SIZE)):
        yield len(part), pack(part)


def pack(rows: Sequence[Row]) -> bytes:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8", "replace"), 1)


def unpack(content: bytes) -> list[Row]:
    return [Row(*row) for row in json.loads(zlib.decompress(content))]


def cleaner_of(batch: Import, options: Options) -> Cleaner:
    """What cleans the rows of an import, in the tenant's scope; it needs no database afterwards."""
    offered = targets.of("contact", "account", "lead")
    return Cleaner(batch.entity, batch.headers, [offered.get(key) for key in batch.mapping], options)


def prepare(position: int, content: bytes, cleaner: Cleaner, options: Options) -> Prepared:
    """Clean, fold and spell out a piece; needs no database, so that it can be done while the one before is written."""
    cleaned, refused = [], []
    rows = unpack(content)
    for row in rows:
        try:
            if options.decided.get(str(row.line)) == "skip":
                raise Refused(_("left out by hand"))
            cleaned.append(cleaner.clean(row))
        except Refused as reason:
            refused.append(_refusal(row, str(reason)))
    folded = fold(cleaned, options)
    return Prepared(position, len(rows), folded, contacts.spell(folded.people), refused)


def _refusal(row: Row, why: str) -> list[Any]:
    return [row.line, why, row.cells]
