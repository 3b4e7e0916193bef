"""One row of a table as a node: column name to cell.

A cell is its text (a ``str``) that can also be asked: ``items`` (the values of a list in
one cell, see `lists`), ``code`` and ``detail`` (what an item names and says of it), ``doubt``
(true where the sender is not sure of it), ``nothing`` (true where the text says that there is
nothing, or nothing known), ``unknown`` (true for the latter), and what a measured value says
(see `measure`): ``number``, ``comparator``, ``unit``, ``first``, ``second``, ``low``, ``high``.
A cell that clears answers only ``number``, so that it is no value of a list.

Promises: a blank cell answers None, as an absent column does, unless the table says that it
clears; full-width digits, Latin letters and blanks are folded to half-width, nothing else in a
cell is changed; `where` names the row as a spreadsheet shows it and the column as its sender
wrote it.
"""

from __future__ import annotations

import re
from collections.abc import KeysView, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from fhir_bridge.errors import Issue
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.tables.lists import code_and_detail, is_denial, split_items
from fhir_bridge.tables.measure import read_measure
from fhir_bridge.tables.words import is_doubt, is_unknown, says_nothing, without_doubt

__all__ = ["Cell", "Clearing", "Row", "clean_cell", "holds_no_value", "is_rounded"]

_BLANK = frozenset(
    {"", "-", "--", "—", "——", "–", "－", "/", "\\", "\\N", "NULL", "null", "None", "N/A", "#N/A"}
)
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ\u3000\u00a0]")
_NARROW = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()}
_NARROW |= {0x3000: 0x20, 0x00A0: 0x20}
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_MARKED = frozenset("='#")  # what a program wrote before or in place of a value
_FORMULA_TEXT = re.compile(r'^="(.*)"$', re.DOTALL)
_ROUNDED = re.compile(r"[-+＋]?\d(?:[.,．]\d+[eE][+＋]?|[eE][+＋])\d+\Z")
_NO_VALUE = re.compile(r"#(?:[A-Z][A-Z0-9/]*[!?]|N/A|#{2,})\Z")
_MEASURED = ("number", "comparator", "unit", "first", "second", "low", "high")
_UNREAD: Any = object()
_PARTS = dict.fromkeys(("items", "code", "detail", "doubt", "nothing", "unknown", *_MEASURED))


@dataclass(frozen=True, slots=True)
class Clearing:
    """Which cells take back what the source said before: these texts, and empty ones or not."""

    texts: frozenset[str] = frozenset()
    empty: bool = False


def is_rounded(text: str) -> bool:
    """Whether `text` is a number in scientific notation, whose last digits are lost.

    >>> is_rounded("9.90101E+16"), is_rounded("1E+17"), is_rounded("12E45"), is_rounded("2E03")
    (True, True, False, False)
    """
    return ("E" in text or "e" in text) and _ROUNDED.match(text) is not None


def holds_no_value(text: str) -> bool:
    """Whether a spreadsheet shows `text` where a value is missing: an error, or ``####``.

    >>> holds_no_value("#REF!"), holds_no_value("#####"), holds_no_value("#3")
    (True, True, False)
    """
    return _NO_VALUE.match(text.strip()) is not None


class Cell(str):
    """The text of one cell, or of one part of it."""

    __slots__ = ("_column", "_row_name", "answers", "carried")
    type_name = None
    answers: dict[str, Any] | None  # the parts that were asked for, with the answers
    carried: bool  # whether it was put somewhere
    _column: str
    _row_name: tuple[str, int]

    def __new__(cls, text: str, row_name: tuple[str, int], column: str) -> Self:
        """The cell of the row so named (``("row", 7)``) in `column`.

        It knows the row's name alone: cells that knew the row that keeps them would be freed
        only when Python looks for cycles.
        """
        cell = super().__new__(cls, text)
        cell._row_name = row_name
        cell._column = column
        cell.answers = None
        cell.carried = False
        return cell

    def get(self, name: str) -> Any:
        """A part, as the module says; None for one that is not there."""
        answers = self.answers
        if answers is None:
            answers = self.answers = {}
        if name not in answers:
            answers[name] = self._answer(name)
        return answers[name]

    def _answer(self, name: str) -> Any:
        text = str(self)
        if text == NULL:
            return self._part(NULL) if name == "number" else None
        if name == "items":
            return [self._part(item) for item in _items_of(text)] or None
        if name in _MEASURED:
            return self._part(getattr(read_measure(text), name))
        if len(text) > 1 and text.isascii() and text.isdigit():  # a number names itself, no more
            return self._part(text) if name == "code" else None
        said = getattr(_read_item(text), name) if name in _PARTS else None
        return self._part(said) if type(said) is str else said or None

    def keys(self) -> KeysView[str]:
        """What can be asked."""
        return _PARTS.keys()

    @property
    def column(self) -> str:
        """The column that holds it."""
        return self._column

    @property
    def where(self) -> str:
        """For example ``row 7, column 身份证号``."""
        source, number = self._row_name
        return f"{source} {number}, column {self._column}"

    def _part(self, text: str) -> Cell | None:
        return Cell(text, self._row_name, self._column) if text else None


@dataclass(frozen=True, slots=True)
class _Item:
    """One value of a list: what it names, what it says of it, and how sure it is."""

    code: str
    detail: str
    doubt: bool
    nothing: bool
    unknown: bool


@lru_cache(maxsize=4096)
def _items_of(text: str) -> tuple[str, ...]:
    whole = is_denial(text) and says_nothing(text)  # 无高血压、糖尿病: neither of them
    return (text,) if whole else tuple(split_items(text))


@lru_cache(maxsize=4096)
def _read_item(text: str) -> _Item:
    code, detail = code_and_detail(text.strip(_TICKS))
    doubted = without_doubt(code)
    unknown = is_unknown(code) or (detail != "" and is_unknown(text))
    nothing = unknown or says_nothing(code) or (detail != "" and says_nothing(text))
    doubt = doubted is not None or is_doubt(detail)
    return _Item(doubted or code, detail, doubt, nothing, unknown)


_TICKS = "☑☒√✓✔■● "


class Row:
    """One row.  `number` counts from 1 as a spreadsheet does, the header included.

    `rounded` are the cells read so far whose last digits are lost.
    """

    __slots__ = (
        "_cells",
        "_clearing",
        "_index",
        "_name",
        "_values",
        "issues",
        "rounded",
    )

    def __init__(
        self,
        index: Mapping[str, int],
        values: Sequence[Any],
        number: int,
        *,
        issues: tuple[Issue, ...] = (),
        source: str = "row",
        clearing: Clearing | None = None,
    ) -> None:
        self._index = index
        self._values = values
        self._cells: dict[str, Cell | list[Row] | None] = {}
        self._clearing = clearing
        self._name = source, number
        self.issues = issues
        self.rounded: list[Cell] = []

    def get(self, name: str) -> Cell | list[Row] | None:
        """The cell of column `name`; a JSON row may hold rows under a name.

        A map asks for the same cell many times; it is cleaned at the first.
        """
        found: Cell | list[Row] | None = self._cells.get(name, _UNREAD)
        if found is _UNREAD:
            found = self._cells[name] = self._read(name)
        return found

    def _read(self, name: str) -> Cell | list[Row] | None:
        position = self._index.get(name)
        if position is None or position >= len(self._values):
            return None
        value = self._values[position]
        if value == "" and self._clearing is None:
            return None
        if type(value) is not str and isinstance(value, list):
            rows = self._nested(name, value)
            if rows is not None:
                return rows
            value = ";".join(filter(None, map(clean_cell, value)))
        text = clean_cell(value) if self._clearing is None else self._text(value)
        if not text:
            return None
        cell = Cell(text, self._name, name)
        if is_rounded(text):
            self.rounded.append(cell)
        return cell

    def _text(self, value: Any) -> str:
        """The cleaned text of a raw cell, `NULL` where it clears."""
        text = clean_cell(value)
        clearing = self._clearing
        if clearing is not None:
            if not text:
                raw = "" if value is None else str(value).strip()
                return NULL if clearing.empty or raw in clearing.texts else ""
            if text in clearing.texts:
                return NULL
        return text

    @property
    def answers(self) -> dict[str, Cell | list[Row] | None]:
        """The cells that were asked for, with the answers."""
        return self._cells

    def keys(self) -> KeysView[str]:
        """The column names in order."""
        return self._index.keys()

    @property
    def source(self) -> str:
        """What `number` counts."""
        return self._name[0]

    @property
    def number(self) -> int:
        """Its number."""
        return self._name[1]

    @property
    def where(self) -> str:
        """For example ``row 7``."""
        source, number = self._name
        return f"{source} {number}"

    def as_dict(self) -> dict[str, Any]:
        """Column names and cleaned texts, blanks left out: the row as one JSON object."""
        found: dict[str, Any] = {}
        values, cells = self._values, self._cells
        for name, position in self._index.items():
            if position >= len(values):
                continue
            value = values[position]
            if isinstance(value, list):
                found[name] = value
                continue
            read = cells.get(name, _UNREAD)
            if value == "" and self._clearing is None:
                continue
            text = self._text(value) if read is _UNREAD else read
            if text:
                found[name] = str(text)
        return found

    def _nested(self, name: str, value: list[Any]) -> list[Row] | None:
        rows = [
            Row(
                {str(key): place for place, key in enumerate(one)},
                list(one.values()),
                number,
                source=f"{self.where}, {name}",
                clearing=self._clearing,
            )
            for number, one in enumerate(value, 1)
            if isinstance(one, dict)
        ]
        return rows or None


def clean_cell(value: object) -> str:
    """The text of a raw cell: trimmed, folded to half-width, empty when it means blank."""
    if type(value) is not str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        value = str(value)
    text = value.strip()
    if not text.isascii():
        text = text.strip(_INVISIBLE).strip()
        if _WIDE.search(text):
            text = text.translate(_NARROW).strip()
    if text[:1] in _MARKED:
        if text.startswith("=") and (formula := _FORMULA_TEXT.match(text)):
            text = formula.group(1).strip()
        elif text.startswith("'") and text[1:].isalnum():
            text = text[1:]
        if text[:1] == "#" and holds_no_value(text):
            return ""
    return "" if text in _BLANK else text
