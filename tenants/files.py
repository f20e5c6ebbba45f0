"""Files of tenants, kept in the database: under the same isolation, backup and erasure as everything else.

A web process takes them, a worker on another machine reads them, and both survive restarts without a shared folder.
Content is stored in pieces, so that nobody holds a whole file in memory. Every file has an end: `expires_at`.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import IO

from django.utils import timezone

from tenants.housekeeping import chore_of_tenants
from tenants.models import File, FilePiece, Member

PIECE = 1 << 20
# How long a file is kept unless its owner says otherwise.
KEPT = timedelta(days=30)
# Files deleted per transaction.
BATCH = 20


def create(name: str, *, by: Member | None, kept: timedelta = KEPT) -> File:
    """An empty file, to which pieces are appended."""
    return File.objects.create(name=name[-200:], created_by=by, expires_at=timezone.now() + kept)


def store(name: str, content: Iterable[bytes], *, by: Member | None, kept: timedelta = KEPT) -> File:
    """Keep the content under a name; reads it once, a piece at a time."""
    file, digest = create(name, by=by, kept=kept), hashlib.sha256()
    for position, part in enumerate(_even(content)):
        digest.update(part)
        append(file, position, part)
        file.size += len(part)
    file.sha256 = digest.hexdigest()
    file.save(update_fields=["size", "sha256"])
    return file


def append(file: File, position: int, content: bytes) -> None:
    """Keep a piece; raises IntegrityError if there is one at the position already."""
    FilePiece.objects.bulk_create([FilePiece(file=file, position=position, content=content)])


def piece(file_id: int, position: int) -> bytes | None:
    """A piece's content; None if there is none."""
    found = FilePiece.objects.filter(file=file_id, position=position).values_list("content", flat=True).first()
    return None if found is None else bytes(found)


def pieces(file: File) -> Iterator[bytes]:
    """The content from the beginning, a piece per query, within the caller's scope."""
    position = 0
    while (content := piece(file.pk, position)) is not None:
        yield content
        position += 1


def spool(file: File) -> IO[bytes]:
    """The content as a temporary file of this machine, at its beginning: to be read outside of any scope."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    for content in pieces(file):
        copy.write(content)
    copy.seek(0)
    return copy


def empty(file_ids: Iterable[int]) -> None:
    """Delete the content of files, whose names and sizes stay known."""
    FilePiece.objects.filter(file__in=list(file_ids)).delete()


@chore_of_tenants("files", every=timedelta(hours=1))
def expire() -> bool:
    """Delete the files whose time has come. Index: file_to_expire."""
    ids = list(File.objects.filter(expires_at__lt=timezone.now()).values_list("pk", flat=True)[:BATCH])
    empty(ids)
    File.objects.filter(pk__in=ids).delete()
    return len(ids) == BATCH


def _even(content: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of PIECE."""
    held = bytearray()
    for part in content:
        held += part
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)
