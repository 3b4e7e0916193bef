"""The review list: contradictions that a person decides on, never the machine.

`fhir_bridge.identity` says what the kinds mean; here items are kept, listed and settled.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import builtins
import json
from dataclasses import dataclass
from typing import Any

from fhir_bridge import clock
from fhir_bridge.database import Row, Session, Storage, instant_of, milliseconds
from fhir_bridge.errors import BridgeError

__all__ = ["ReviewItem", "ReviewRow", "Reviews", "add_review"]

_COLUMNS = "item_id, at, kind, patient_id, other_id, feed, message, detail, settled"


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A contradiction to keep: two Patients (or one and ""), and the message that showed it.

    `detail` is JSON: identifiers with masked values, elements that differ.
    """

    kind: str
    patient_id: str
    other_id: str = ""
    feed: str = ""
    message: str = ""
    detail: str = "{}"


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An item of the list; `at` and `settled` ("" while it is open) are FHIR instants."""

    number: int
    at: str
    kind: str
    patient_id: str
    other_id: str
    feed: str
    message: str
    detail: dict[str, Any]
    settled: str


class Reviews:
    """The list of one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def list(
        self, *, settled: bool = False, patient_id: str = "", limit: int = 50, before: int = 0
    ) -> builtins.list[ReviewItem]:
        """The newest items that are open (`settled`: all), of one Patient where given."""
        tests, parameters = ["1=1" if settled else "settled = 0"], builtins.list[Any]()
        if patient_id:
            tests.append("(patient_id = ? OR other_id = ?)")
            parameters += [patient_id, patient_id]
        if before:
            tests.append("item_id < ?")
            parameters.append(before)
        return self._items(
            f"{' AND '.join(tests)} ORDER BY item_id DESC LIMIT ?", *parameters, limit
        )

    def get(self, number: int) -> ReviewItem:
        """One item.  Raises BridgeError FB-5203."""
        found = self._items("item_id = ?", number)
        if not found:
            raise BridgeError("FB-5203", number=number)
        return found[0]

    def settle(self, number: int, note: str) -> ReviewItem:
        """Takes an item off the list with a note that says why.  Raises BridgeError FB-5203."""
        item = self.get(number)
        detail = json.dumps(item.detail | {"note": note}, ensure_ascii=False)
        with self._storage.writing() as session:
            session.run(
                "UPDATE held SET settled = ?, detail = ? WHERE item_id = ?",
                (milliseconds(clock.now()), detail, number),
            )
        return self.get(number)

    def count(self) -> int:
        """How many items are open."""
        with self._storage.reading() as session:
            row = session.one("SELECT count(*) FROM held WHERE settled = 0")
        return int(row[0]) if row else 0

    def _items(self, where: str, *parameters: Any) -> builtins.list[ReviewItem]:
        with self._storage.reading() as session:
            rows = session.all(f"SELECT {_COLUMNS} FROM held WHERE {where}", parameters)
        return [_item(row) for row in rows]


def add_review(session: Session, row: ReviewRow) -> None:
    """Puts a contradiction on the list, unless it is open there already."""
    known = session.one(
        "SELECT 1 FROM held WHERE patient_id = ? AND other_id = ? AND kind = ? AND settled = 0",
        (row.patient_id, row.other_id, row.kind),
    )
    if known:
        return
    session.run(
        "INSERT INTO held (at, kind, patient_id, other_id, feed, message, detail, settled)"
        " VALUES (?,?,?,?,?,?,?,0)",
        (
            milliseconds(clock.now()), row.kind, row.patient_id, row.other_id, row.feed,
            row.message, row.detail,
        ),
    )  # fmt: skip


def _item(row: Row) -> ReviewItem:
    number, at, kind, patient_id, other_id, feed, message, detail, settled = row
    return ReviewItem(
        number, instant_of(at), kind, patient_id, other_id, feed, message, json.loads(detail),
        instant_of(settled) if settled else "",
    )  # fmt: skip
