"""Sheets of an XLSX workbook (ECMA-376), streamed.

https://ecma-international.org/publications-and-standards/standards/ecma-376/.  openpyxl
reads one row at a time; the unpacked size is bounded before anything is unpacked.

A number cell holds at most 15 digits (ECMA-376 part 1, 18.17.5.2 leaves precision to the
program, and spreadsheets keep 15): a longer one is given in scientific notation, so that it is
never taken for the number that somebody typed.  A formula whose value is not stored is given
as `NO_VALUE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from io import BytesIO
from itertools import repeat
from typing import Any
from zipfile import BadZipFile, ZipFile

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables.sheet import Sheet

__all__ = ["MAX_UNPACKED", "NO_VALUE", "workbook_sheets"]

MAX_UNPACKED = 512 * 1024 * 1024
NO_VALUE = "#FORMULA!"
_LONGEST_EXACT = 10**15
_CHUNK = 1 << 20


@contextmanager
def workbook_sheets(data: bytes) -> Iterator[list[Sheet]]:
    """The sheets of the workbook `data`, in order.

    Dates become ``YYYY-MM-DD`` (with the time when there is one), whole numbers lose the
    ``.0`` of the spreadsheet.  Raises BridgeError FB-1305 when it is no workbook, FB-1003
    when it would unpack to more than MAX_UNPACKED bytes.
    """
    books = _books(data)
    try:
        yield [
            Sheet(sheet.title, _Records(sheet, None if len(books) == 1 else books[1][sheet.title]))
            for sheet in books[0].worksheets
        ]
    finally:
        for book in books:
            book.close()


class _Records:
    """The records of one sheet, which can be read again from the start."""

    def __init__(self, values: Any, formulas: Any) -> None:
        self._values = values
        self._formulas = formulas

    def __iter__(self) -> Iterator[list[str]]:
        width = 0
        formulas = _lines(self._formulas) if self._formulas else repeat(())
        for row, said in zip(_lines(self._values), formulas, strict=False):
            record = [_text(value) for value in row]
            width = max(width, len(record))
            record += [""] * (width - len(record))
            for place, formula in enumerate(said):
                if not record[place] and _is_formula(formula):
                    record[place] = NO_VALUE
            yield record


def _lines(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet; one that states its size as one cell (some writers do) is measured."""
    if (sheet.max_column or 0) < 2:
        sheet.reset_dimensions()
    lines: Iterator[tuple[Any, ...]] = sheet.iter_rows(values_only=True)
    return lines


def _books(data: bytes) -> list[Any]:
    """The workbook with its values; and once more with its formulas, if it has any."""
    import openpyxl  # type: ignore[import-untyped]  # it ships no types

    try:
        with ZipFile(BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise BridgeError("FB-1003", limit=MAX_UNPACKED)
            wanted = (True, False) if _has_formulas(archive) else (True,)
        return [
            openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=values)
            for values in wanted
        ]
    except (BadZipFile, KeyError, ValueError, OSError):
        raise BridgeError("FB-1305", reason="it is not an XLSX workbook") from None


def _has_formulas(archive: ZipFile) -> bool:
    for name in archive.namelist():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            with archive.open(name) as sheet:
                before = b""
                while chunk := sheet.read(_CHUNK):
                    if b"<f>" in (text := before + chunk) or b"<f " in text:
                        return True
                    before = chunk[-2:]
    return False


def _is_formula(value: object) -> bool:
    """A formula's text, or openpyxl's object for an array of them."""
    if isinstance(value, str):
        return value.startswith("=")
    return value is not None and hasattr(value, "ref") and hasattr(value, "text")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    if abs(value) >= _LONGEST_EXACT:
        return f"{value:.14E}"
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.15g}"
