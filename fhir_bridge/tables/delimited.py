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

__all__ = ["MAX_CELL", "Dialect", "delimited_records"]

MAX_CELL = 1 << 17
_DELIMITERS = ",\t;|"
_LOOKED_AT = 20


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

    Raises BridgeError FB-1304 when a cell never ends or is larger than MAX_CELL characters.
    """
    start = list(islice(lines, _LOOKED_AT))
    delimiter = dialect.delimiter or _most_likely(start, dialect.quote)
    reader = csv.reader(chain(start, lines), delimiter=delimiter, quotechar=dialect.quote)
    number = 0
    while True:
        number += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise BridgeError("FB-1304", f"row {number}", limit=MAX_CELL) from None
        yield record


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
