"""Records of a DBF file (dBASE III to Visual FoxPro), which many Chinese systems still export.

Layout: https://en.wikipedia.org/wiki/.dbf and the FoxPro table-file description.  Character,
number, date and logical fields are text of fixed width; integer, currency, double and
date-time fields are binary.  The text of a memo field is in another file and is not read
(FB-1313).  A number of more than 15 digits is given in scientific notation: the programs that
write it compute with doubles.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables.sheet import Sheet

__all__ = ["dbf_sheet", "is_dbf"]

_VERSIONS = frozenset(b"\x03\x30\x31\x32\x43\x63\x83\x8b\x8e\xcb\xf5\xfb")
_DELETED = 0x2A
_END_OF_FIELDS = 0x0D
_DRIVERS = {0x4D: "gb18030", 0x7A: "gb18030", 0x4F: "cp950", 0x78: "cp950", 0x03: "cp1252"}
_JULIAN = 1721425  # the Julian day of 0001-01-01
_MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    kind: str
    start: int
    width: int


def is_dbf(start: bytes) -> bool:
    """Whether the first 32 bytes or more of a file are the head of a DBF file."""
    if len(start) < 32 or start[0] not in _VERSIONS:
        return False
    _, month, day = start[1:4]
    head, record = struct.unpack_from("<HH", start, 8)
    return month <= 12 and day <= 31 and head >= 33 and record >= 2


def dbf_sheet(data: bytes, charset: str | None = None) -> Sheet:
    """The records of `data`, the line of names first; deleted records are left out.

    Raises BridgeError FB-1301 for text that is not in the charset of the file, FB-1305 for a
    file that ends before its fields do.
    """
    head, width = struct.unpack_from("<HH", data, 8)
    name = charset or _DRIVERS.get(data[29], "gb18030")
    fields = _fields(data[:head], name)
    if not fields:
        raise BridgeError("FB-1305", reason="its head names no fields")
    return Sheet("", _Records(data, head, width, fields, name))


@dataclass(frozen=True, slots=True)
class _Records:
    """The records, which can be read again from the start."""

    data: bytes
    head: int
    width: int
    fields: list[_Field]
    charset: str

    def __iter__(self) -> Iterator[list[str]]:
        yield [field.name for field in self.fields]
        for number, start in enumerate(range(self.head, len(self.data), self.width), 2):
            record = self.data[start : start + self.width]
            if len(record) < self.width or record[0] == 0x1A:
                return
            if record[0] != _DELETED:
                yield [self._cell(field, record, number) for field in self.fields]

    def _cell(self, field: _Field, record: bytes, number: int) -> str:
        raw = record[field.start : field.start + field.width]
        try:
            return _READERS.get(field.kind, _text)(raw, self.charset)
        except UnicodeDecodeError:
            where = f"row {number}, column {field.name}"
            raise BridgeError("FB-1301", where, charset=self.charset) from None
        except (struct.error, ValueError, OverflowError):
            return ""


def _fields(head: bytes, charset: str) -> list[_Field]:
    found, start = [], 1
    for place in range(32, len(head) - 31, 32):
        if head[place] == _END_OF_FIELDS:
            break
        raw = head[place : place + 32]
        name = raw[:11].split(b"\0")[0].decode(charset, "replace").strip()
        found.append(_Field(name, chr(raw[11]), start, raw[16]))
        start += raw[16]
    return found


def _text(raw: bytes, charset: str) -> str:
    return raw.rstrip(b"\0 ").decode(charset)


def _number(raw: bytes, charset: str) -> str:
    text = raw.decode(charset).strip().strip("\0*")
    digits = text.lstrip("+-0").partition(".")[0]
    if len(digits) > _MAX_DIGITS and digits.isdigit():
        return f"{float(text):.14E}"
    whole, point, rest = text.partition(".")
    return whole if point and not rest.strip("0") else text


def _date(raw: bytes, charset: str) -> str:
    text = raw.decode(charset).strip().strip("\0")
    return "" if text in {"", "00000000"} else text


def _date_time(raw: bytes, _: str) -> str:
    day, milliseconds = struct.unpack("<ii", raw[:8])
    if day == 0:
        return ""
    moment = date.fromordinal(1) + timedelta(days=day - _JULIAN - 1)
    seconds = round(milliseconds / 1000)
    return f"{moment} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _logical(raw: bytes, _: str) -> str:
    return {"T": "true", "Y": "true", "F": "false", "N": "false"}.get(chr(raw[0]).upper(), "")


def _memo(raw: bytes, _: str) -> str:
    return "#MEMO!" if raw.strip(b"\0 ") else ""


_READERS: dict[str, Callable[[bytes, str], str]] = {
    "C": _text,
    "N": _number,
    "F": _number,
    "D": _date,
    "T": _date_time,
    "L": _logical,
    "I": lambda raw, _: str(struct.unpack("<i", raw[:4])[0]),
    "B": lambda raw, _: f"{struct.unpack('<d', raw[:8])[0]:.15g}",
    "Y": lambda raw, _: f"{struct.unpack('<q', raw[:8])[0] / 10000:.2f}",
    "M": _memo,
    "G": _memo,
    "P": _memo,
}
