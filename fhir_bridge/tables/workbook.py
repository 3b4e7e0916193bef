"""Rows of an XLSX sheet (ECMA-376), streamed.

https://ecma-international.org/publications-and-standards/standards/ecma-376/.  openpyxl
reads one row at a time; the unpacked size is bounded before anything is unpacked.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables.delimited import Dialect

__all__ = ["MAX_UNPACKED", "workbook_records"]

MAX_UNPACKED = 512 * 1024 * 1024


def workbook_records(data: bytes, dialect: Dialect) -> Iterator[list[str]]:
    """Records of the sheet that `dialect` names, else of the first one.

    Dates become ``YYYY-MM-DD`` (with the time when there is one), whole numbers lose the
    ``.0`` of the spreadsheet.  Raises BridgeError FB-1305 when it is no workbook, FB-1003
    when it would unpack to more than MAX_UNPACKED bytes.
    """
    import openpyxl  # type: ignore[import-untyped]  # it ships no types

    try:
        with ZipFile(BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise BridgeError("FB-1003", limit=MAX_UNPACKED)
        book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError):
        raise BridgeError("FB-1305", reason="it is not an XLSX workbook") from None
    try:
        if dialect.sheet and dialect.sheet not in book.sheetnames:
            raise BridgeError("FB-1305", reason=f"it has no sheet {dialect.sheet}")
        sheet = book[dialect.sheet] if dialect.sheet else book.worksheets[0]
        for row in sheet.iter_rows(values_only=True):
            yield [_text(value) for value in row]
    finally:
        book.close()


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
