"""CSV and TSV records from lines of text (RFC 4180, read with a tolerant eye).

https://www.rfc-editor.org/rfc/rfc4180.  Quoted cells may hold separators, doubled quotes
and line breaks.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from fhir_bridge.errors import BridgeError

__all__ = ["MAX_CELL", "MAX_RECORD", "Dialect", "delimited_records"]

MAX_CELL = 1 << 17
MAX_RECORD = 1 << 20
"""Characters of a record, whose quoted cells may hold line breaks."""

_DELIMITERS = ",\t;|"
_SAMPLE_LINES = 20


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written; empty or None means: find out.

    `header_row` counts from 1 as a spreadsheet does; `sheet` names an XLSX sheet; `required`
    are the columns without which a table is not this one and a row no record; `clear` are the
    cell texts that take back what was said, and `empty` says whether an empty cell does.
    """

    delimiter: str = ""
    quote: str = '"'
    header_row: int | None = None
    sheet: str = ""
    required: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    empty: str = "keep"


def delimited_records(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    """Records of `lines`.

    Raises BridgeError FB-1304 when a cell never ends or is larger than MAX_CELL characters, or
    a record than MAX_RECORD.
    """
    start = list(islice(lines, _SAMPLE_LINES))
    delimiter = dialect.delimiter or _most_likely(start, dialect.quote)
    bounded = _Bounded(chain(start, lines))
    reader = csv.reader(bounded, delimiter=delimiter, quotechar=dialect.quote)
    number = 0
    while True:
        number += 1
        bounded.taken = 0
        try:
            record = next(reader)
        except OverflowError:
            raise BridgeError("FB-1304", f"row {number}", limit=MAX_RECORD) from None
        except StopIteration:
            return
        except csv.Error:
            raise BridgeError("FB-1304", f"row {number}", limit=MAX_CELL) from None
        yield record


class _Bounded:
    """Lines of which one record may take MAX_RECORD characters, else OverflowError."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken += len(line)
        if self.taken > MAX_RECORD:
            raise OverflowError
        return line


def _most_likely(lines: list[str], quote: str) -> str:
    """The separator that the line with most separators outside quotes uses."""
    best, count = ",", 0
    for line in lines:
        outside = "".join(line.split(quote)[::2])
        for delimiter in _DELIMITERS:
            found = outside.count(delimiter)
            if found > count:
                best, count = delimiter, found
    return best
