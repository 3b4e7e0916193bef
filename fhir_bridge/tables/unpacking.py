"""How large the parts of a workbook are, looked at before anything of them is kept.

A workbook is a ZIP archive of XML (ECMA-376 part 2): a hundred kilobytes may unpack to a cell of
hundreds of megabytes.  The parts that hold data are unpacked once, a piece at a time, and
measured: the text between two tags, and what is between the beginnings of two rows or of
two shared strings.  The others must be small, because they are read whole.
"""

from __future__ import annotations

from zipfile import ZipFile, ZipInfo

from fhir_bridge.errors import BridgeError

__all__ = ["MAX_PART", "MAX_RECORD", "MAX_SHARED", "MAX_TEXT", "MAX_UNPACKED", "has_formulas"]

MAX_UNPACKED = 512 * 1024 * 1024
MAX_SHARED = 128 * 1024 * 1024
"""Bytes of the texts that all sheets share, which are held in memory together."""

MAX_PART = 32 * 1024 * 1024
"""Bytes of each other part that is read whole: styles, names, relations."""

MAX_TEXT = 512 * 1024
"""Bytes of one text or tag: four for each character that a cell may have."""

MAX_RECORD = 8 * 1024 * 1024
"""Bytes of one row, or of one shared text with its runs."""

_CHUNK = 1 << 20
_SHEETS = "xl/worksheets/"
_SHARED = "xl/sharedstrings.xml"
_UNREAD = (
    "customxml/", "xl/charts/", "xl/drawings/", "xl/embeddings/", "xl/media/", "xl/pivotcache/",
)  # fmt: skip


def has_formulas(archive: ZipFile) -> bool:
    """Whether a sheet holds formulas, once every part was found to be of a size to be read.

    Raises BridgeError FB-1003 for a part that is too large, FB-1304 for a cell, a row or a
    text that is, and what `ZipFile` raises for a damaged archive.
    """
    parts = archive.infolist()
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise BridgeError("FB-1003", limit=MAX_UNPACKED)
    found = False
    for part in parts:
        name = part.filename.lower()
        if name.startswith(_SHEETS) and name.endswith(".xml"):
            found |= _measured(archive, part, b"row")
        elif name == _SHARED:
            _bound(part, MAX_SHARED)
            _measured(archive, part, b"si")
        elif not name.startswith(_UNREAD):
            _bound(part, MAX_PART)
    return found


def _bound(part: ZipInfo, limit: int) -> None:
    if part.file_size > limit:
        raise BridgeError("FB-1003", part.filename, limit=limit)


def _measured(archive: ZipFile, part: ZipInfo, element: bytes) -> bool:
    """Whether a part that is made of `element` holds formulas; raises when a piece is too long."""
    marks = (b"<" + element, b":" + element)
    text = record = 0
    formulas = False
    before = b""
    with archive.open(part) as unpacked:
        while chunk := unpacked.read(_CHUNK):
            text = _carried(chunk, (b"<",), MAX_TEXT, text, part)
            record = _carried(chunk, marks, MAX_RECORD, record, part)
            if not formulas:
                joined = before + chunk
                formulas = b"<f>" in joined or b"<f " in joined
                before = chunk[-2:]
    return formulas


def _carried(
    chunk: bytes, marks: tuple[bytes, ...], limit: int, carried: int, part: ZipInfo
) -> int:
    """How long the run since the last mark is at the end of `chunk`; it began `carried` before."""
    start = -carried
    while True:
        places = (chunk.rfind(mark, max(start, 0), max(start + limit, 0)) for mark in marks)
        found = max(places)
        if found < 0:
            if len(chunk) - start > limit:
                raise BridgeError("FB-1304", part.filename, limit=limit)
            return len(chunk) - start
        start = found + 1
