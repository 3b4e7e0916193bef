"""Sheets of an XLSX workbook (ECMA-376), streamed.

https://ecma-international.org/publications-and-standards/standards/ecma-376/.  openpyxl
reads one row at a time; what is to be unpacked is measured before (:mod:`.unpacking`).

A number cell holds at most 15 digits (ECMA-376 part 1, 18.17.5.2 leaves precision to the
program, and spreadsheets keep 15): a longer one is given in scientific notation, so that it is
never taken for the number that somebody typed.  A formula whose value is not stored is given
as `NO_VALUE`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from io import BytesIO
from itertools import repeat
from typing import Any
from zipfile import BadZipFile, ZipFile

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables.delimited import MAX_CELL
from fhir_bridge.tables.sheet import Sheet
from fhir_bridge.tables.unpacking import has_formulas

__all__ = ["NO_VALUE", "workbook_sheets"]

NO_VALUE = "#FORMULA!"
_MAX_EXACT = 10**15
_DAMAGE = (BadZipFile, zlib.error, SyntaxError, RuntimeError, LookupError, ValueError, TypeError,
    OSError, EOFError)  # fmt: skip
"""What reading a damaged one ends in; each XML parser has a SyntaxError of its own."""
_MAX_ROWS = 1 << 20  # ECMA-376 leaves it open, the programs do not


@contextmanager
def workbook_sheets(data: bytes) -> Iterator[list[Sheet]]:
    """The sheets of the workbook `data`, in order.

    Dates become ``YYYY-MM-DD`` (with the time when there is one), whole numbers lose the
    ``.0`` of the spreadsheet.  Raises BridgeError FB-1305 when it is no workbook, FB-1003
    when it, or a part of it, would unpack to too much, FB-1304 for a cell or row that would.
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
        for number, (row, said) in enumerate(zip(_lines(self._values), formulas, strict=False), 1):
            if number > _MAX_ROWS:  # a row may say that it is the thousand-millionth
                raise BridgeError("FB-1305", reason=f"a sheet has more than {_MAX_ROWS} rows")
            record = [_text(value) for value in row]
            width = max(width, len(record))
            record += [""] * (width - len(record))
            for place, formula in enumerate(said):
                if not record[place] and _is_formula(formula):
                    record[place] = NO_VALUE
            if any(len(cell) > MAX_CELL for cell in record):
                raise BridgeError("FB-1304", f"row {number}", limit=MAX_CELL)
            yield record


def _lines(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet, whatever size it states: what lies beyond that would be dropped."""
    sheet.reset_dimensions()
    try:
        yield from sheet.iter_rows(values_only=True)
    except _DAMAGE:
        raise BridgeError("FB-1305", reason="a sheet of the workbook is damaged") from None


def _books(data: bytes) -> list[Any]:
    """The workbook with its values; and once more with its formulas, if it has any."""
    import openpyxl  # type: ignore[import-untyped]  # it ships no types

    try:
        with ZipFile(BytesIO(data)) as archive:
            wanted = (True, False) if has_formulas(archive) else (True,)
        return [
            openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=values)
            for values in wanted
        ]
    except _DAMAGE:
        raise BridgeError("FB-1305", reason="it is not an XLSX workbook") from None


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
    if abs(value) >= _MAX_EXACT:
        return f"{value:.14E}"
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.15g}"
