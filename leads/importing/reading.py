"""Reading files that people bring: CSV of any encoding and delimiter, and Excel workbooks, whatever their names say.

`open_table` looks at the bytes, not at the file's name, and streams rows: memory stays flat however large the file.
"""

import codecs
import csv
import io
import itertools
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any, NamedTuple
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _

MAX_COLUMNS = 1_000
# A cell larger than this is a quotation mark that nobody closed.
MAX_CELL = 1 << 20
MAX_UNPACKED = 4 << 30
_SAMPLE = 256 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_ZIP, _OLE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unusable(ValueError):
    """Nothing can be made of the file; the text says why, and what to do."""


class Row(NamedTuple):
    """A row of the file: the line it begins on (of a sheet: its number), and its cells as text."""

    line: int
    cells: list[str]


@dataclass
class Table:
    """A file as columns and rows; `rows` can be gone through once."""

    headers: list[str]
    rows: Iterator[Row]


def open_table(file: IO[bytes]) -> Table:
    """The table in a file. Raises Unusable, also while its rows are gone through."""
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    if not start:
        raise Unusable(_("The file is empty."))
    if start.startswith(_OLE):
        raise Unusable(_("This is a workbook of an old kind. Save it as .xlsx or as CSV, and import that."))
    if start.startswith(_PDF):
        raise Unusable(_("This is a PDF, not a table. Save the table as CSV or .xlsx, and import that."))
    rows = _sheet(file) if start.startswith(_ZIP) else _delimited(file)
    head = next((row for row in rows if any(row.cells)), None)
    if head is None:
        raise Unusable(_("The file has no line with names of columns."))
    headers = _named(head.cells)
    first = next(_filled(rows), None)
    if first is None:
        raise Unusable(_("The file has names of columns, but no rows."))
    return Table(headers, itertools.chain([first], _filled(rows)))


def _filled(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that have something in them."""
    return (row for row in rows if any(row.cells))


def _named(cells: Sequence[str]) -> list[str]:
    """Names of the columns, each once: an empty one is called by its place, a second of one name gets a number."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > MAX_COLUMNS:
        raise Unusable(_("The file has more than %(count)d columns.") % {"count": MAX_COLUMNS})
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = plain = " ".join(cell.split())[:100] or _("Column %(place)d") % {"place": place}
        number = 2
        while name in names:
            name, number = f"{plain} ({number})", number + 1
        names.append(name)
    return names


# ---- text ----


def _delimited(file: IO[bytes]) -> Iterator[Row]:
    encoding = encoding_of(file)
    file.seek(0)
    # newline="": lines end as they are, within quotation marks too; csv itself puts rows together.
    text = io.TextIOWrapper(_Unclosable(file), encoding=encoding, errors="replace", newline="")
    sample = text.read(_SAMPLE)
    if "\x00" in sample and not sample.replace("\x00", "").isprintable() and sample.count("\x00") > len(sample) // 8:
        raise Unusable(_("This is not a table. Save it as CSV or .xlsx, and import that."))
    delimiter = delimiter_of(sample)
    file.seek(0)
    text = io.TextIOWrapper(_Unclosable(file), encoding=encoding, errors="replace", newline="")
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(_clean_lines(text), delimiter=delimiter)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text_of_error = _("Line %(line)d cannot be read: a quotation mark may be missing (%(error)s).")
            raise Unusable(text_of_error % {"line": line, "error": error}) from error
        yield Row(line, cells)
        line = reader.line_num + 1


def _clean_lines(text: Iterable[str]) -> Iterator[str]:
    """Lines without NUL, which no database takes; `sep=;` in the first one is for spreadsheets only."""
    for number, line in enumerate(text):
        if number == 0 and line.lower().startswith("sep=") and len(line.strip()) == 5:
            yield "\n"
        else:
            yield line.replace("\x00", "") if "\x00" in line else line


class _Unclosable(io.BufferedReader):
    """A file that stays open when the text over it goes."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(_Raw(file), 1 << 18)


class _Raw(io.RawIOBase):
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def encoding_of(file: IO[bytes]) -> str:
    """By the byte order mark; UTF-16 by its zero bytes; UTF-8 if the whole file is; else Windows-1252."""
    file.seek(0)
    start = file.read(4096)
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    if len(start) > 3 and start[1::2].count(0) > len(start) // 3:
        return "utf-16-le"
    if len(start) > 3 and start[0::2].count(0) > len(start) // 3:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while content := file.read(1 << 20):
            decoder.decode(content)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def delimiter_of(sample: str) -> str:
    """What splits the first lines most evenly into most columns; a comma if nothing does."""
    if sample[:4].lower() == "sep=" and sample[5:6] in ("\r", "\n"):
        return sample[4]
    lines = io.StringIO(sample, newline="")
    best = (",", 0.0)
    for delimiter in _DELIMITERS:
        lines.seek(0)
        try:
            widths = [len(cells) for cells in itertools.islice(csv.reader(lines, delimiter=delimiter), 50) if cells]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        evenness = sum(width == widths[0] for width in widths) / len(widths)
        score = evenness * 1_000 + min(widths[0], 999)
        if score > best[1]:
            best = (delimiter, score)
    return best[0]


# ---- workbooks ----


def _sheet(file: IO[bytes]) -> Iterator[Row]:
    """The rows of the first sheet that has any."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(file) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED:
                raise Unusable(_("The workbook is too large. Save the sheet as CSV, and import that."))
        file.seek(0)
        workbook = load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        if isinstance(error, Unusable):
            raise
        raise Unusable(_("This is not an Excel workbook. Save the table as CSV or .xlsx, and import that.")) from error
    try:
        for sheet in workbook.worksheets:
            # Some programs write wrong sizes; the rows themselves know better.
            sheet.reset_dimensions()
            rows = enumerate(sheet.iter_rows(values_only=True), 1)
            first = next(((n, cells) for n, cells in rows if any(cell is not None for cell in cells)), None)
            if first is not None:
                for number, cells in itertools.chain([first], rows):
                    yield Row(number, [_text(cell) for cell in cells])
                return
    except (ParseError, zipfile.BadZipFile, zlib.error, KeyError, ValueError) as error:
        raise Unusable(_("The workbook is damaged. Open and save it again, or save the sheet as CSV.")) from error


def _text(value: Any) -> str:
    """A cell's value as a person would have typed it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value).replace("\x00", "")
