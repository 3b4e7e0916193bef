"""One row of a table as a node: column name to cell.

A cell is its text (a ``str``) that can also be asked: ``items`` (the values of a list in
one cell, separated by ``;`` ``；`` ``|`` or ``、``), ``code`` (the text before ``@`` ``:``
or ``：``) and ``detail`` (the text after it).

Promises: a blank cell answers None, as an absent column does; full-width digits, Latin
letters and blanks are folded to half-width, nothing else in a cell is changed; `where`
names the row as a spreadsheet shows it and the column as its sender wrote it.
"""

from __future__ import annotations

import re
from collections.abc import KeysView, Mapping, Sequence
from typing import Any, Self

from fhir_bridge.errors import Issue

__all__ = ["Cell", "Row", "clean_cell"]

_BLANK = frozenset({"", "-", "--", "/", "\\", "\\N", "NULL", "null", "None", "N/A", "#N/A"})
_ITEMS = re.compile(r"\s*[;；|、]\s*")
_DETAIL = re.compile(r"\s*[@:：]\s*")
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ\u3000\u00a0]")
_NARROW = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
_NARROW |= {0x3000: 0x20, 0x00A0: 0x20}
_FORMULA_TEXT = re.compile(r'^="(.*)"$', re.DOTALL)


class Cell(str):
    """The text of one cell, or of one part of it."""

    __slots__ = ("_column", "_row")
    _column: str
    _row: Row

    def __new__(cls, text: str, row: Row, column: str) -> Self:
        """The cell of `row` in `column`."""
        cell = super().__new__(cls, text)
        cell._row = row
        cell._column = column
        return cell

    def get(self, name: str) -> Any:
        """``items``, ``code`` or ``detail``; None for a part that is not there."""
        if name == "items":
            parts = [self._part(text) for text in _ITEMS.split(self) if text.strip()]
            return parts or None
        if name in ("code", "detail"):
            split = _DETAIL.split(self, maxsplit=1)
            text = split[0] if name == "code" else split[1] if len(split) > 1 else ""
            return self._part(text) if text.strip() else None
        return None

    def keys(self) -> KeysView[str]:
        """What can be asked."""
        return dict.fromkeys(("items", "code", "detail")).keys()

    @property
    def where(self) -> str:
        """For example ``row 7, column 身份证号``."""
        return f"{self._row.where}, column {self._column}"

    def _part(self, text: str) -> Cell:
        return Cell(text.strip(), self._row, self._column)


class Row:
    """One row.  `number` counts from 1 as a spreadsheet does, the header included."""

    __slots__ = ("_cells", "_index", "_values", "issues", "number", "source")

    def __init__(
        self,
        index: Mapping[str, int],
        values: Sequence[Any],
        number: int,
        *,
        issues: tuple[Issue, ...] = (),
        source: str = "row",
    ) -> None:
        self._index = index
        self._values = values
        self._cells: dict[str, Cell | list[Row] | None] = {}
        self.number = number
        self.issues = issues
        self.source = source

    def get(self, name: str) -> Cell | list[Row] | None:
        """The cell of column `name`; a JSON row may hold rows under a name.

        A map asks for the same cell many times; it is cleaned at the first.
        """
        if name not in self._cells:
            self._cells[name] = self._read(name)
        return self._cells[name]

    def _read(self, name: str) -> Cell | list[Row] | None:
        position = self._index.get(name)
        if position is None or position >= len(self._values):
            return None
        value = self._values[position]
        if isinstance(value, list):
            return self._nested(name, value)
        text = clean_cell(value)
        return Cell(text, self, name) if text else None

    def keys(self) -> KeysView[str]:
        """The column names in order."""
        return self._index.keys()

    @property
    def where(self) -> str:
        """For example ``row 7``."""
        return f"{self.source} {self.number}"

    def as_dict(self) -> dict[str, Any]:
        """Column names and cleaned texts, blanks left out: the row as one JSON object."""
        found: dict[str, Any] = {}
        for name, position in self._index.items():
            value = self._values[position] if position < len(self._values) else None
            if isinstance(value, list):
                found[name] = value
            elif text := clean_cell(value):
                found[name] = text
        return found

    def _nested(self, name: str, value: list[Any]) -> list[Row] | None:
        rows = [
            Row(
                {str(key): place for place, key in enumerate(one)},
                list(one.values()),
                number,
                source=f"{self.where}, {name}",
            )
            for number, one in enumerate(value, 1)
            if isinstance(one, dict)
        ]
        return rows or None


def clean_cell(value: object) -> str:
    """The text of a raw cell: trimmed, folded to half-width, empty when it means blank."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).strip()
    if _WIDE.search(text):
        text = text.translate(_NARROW).strip()
    if text.startswith("=") and (formula := _FORMULA_TEXT.match(text)):
        text = formula.group(1).strip()
    elif text.startswith("'") and text[1:].isalnum():
        text = text[1:]
    return "" if text in _BLANK else text
