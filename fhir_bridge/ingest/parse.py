"""Step 1, parse: the bytes of one journal entry become records, each a tree to map.

A message or document is one record; a batch, a table or NDJSON streams many, so that a
large file is never held as trees.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any

from fhir_bridge import cda, hl7v2, tables
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import parse_json, parse_json_lines, parse_xml, render_json

from .feed import Feed

__all__ = ["Record", "message_types", "parse"]


@dataclass
class Record:
    """One thing to map.

    `types` are the keys by which the feed chooses a map, most particular first; `where`
    is the record's place in its entry ("" for the whole, "row 7"); `issues` are warnings
    of the reader; `raw` gives the bytes that quarantine keeps.
    """

    tree: Any
    types: tuple[str, ...]
    raw: Callable[[], bytes]
    where: str = ""
    issues: tuple[Issue, ...] = ()

    @cached_property
    def data(self) -> bytes:
        """The record's own bytes; reading them again gives the same record."""
        return self.raw()

    def let_go(self) -> None:
        """It is mapped: its own bytes are all that is needed of it from now on."""
        data = self.data
        self.tree, self.raw = None, lambda: data

    @cached_property
    def digest(self) -> str:
        """Names the record's content, wherever it stood."""
        return hashlib.sha256(self.data).hexdigest()


def parse(data: bytes, feed: Feed) -> Iterator[Record]:
    """The records in `data`, as `feed` says how to read them.

    Raises BridgeError (FB-10xx to FB-13xx) when the bytes cannot be read (on), which may
    be after some records of a table have been given.
    """
    return _READERS[feed.format](data, feed)


def _messages(data: bytes, feed: Feed) -> Iterator[Record]:
    charset = feed.charset or None
    parts = hl7v2.split_batch(data, charset=charset)
    for number, part in enumerate(parts, 1):
        message = hl7v2.parse(part, charset=charset)
        if not message.message_type[0]:
            raise BridgeError("FB-1110", "MSH-9")
        types = message_types(message)
        where = f"message {number} of the batch" if len(parts) > 1 else ""
        yield Record(message, types, _given(part), where, tuple(message.issues))


def message_types(message: hl7v2.Message) -> tuple[str, ...]:
    """The keys by which a feed chooses the map of an HL7 v2 message, most particular first."""
    code, event, _ = message.message_type
    types = (f"{code}^{event}", message.type_name, code)
    # Whatever its code, a message with a PID speaks of a patient.
    return types if message.get("PID") is None else (*types, "PID")


def _documents(data: bytes, feed: Feed) -> Iterator[Record]:
    # A piece of a document says nothing of whom it is about: only where nothing is recorded.
    document = cda.parse(data, fragments=feed.standard)
    types = (document.kind, *document.template_ids, document.form)
    yield Record(document.tree, types, _given(data), "", document.issues)


def _rows(data: bytes, feed: Feed) -> Iterator[Record]:
    settings = feed.table
    charset = None if tables.is_json(data) else feed.charset or None

    def read() -> Iterator[tables.Row]:
        return tables.read_rows(BytesIO(data), charset=charset, dialect=settings.dialect)

    found: Iterable[tables.Row | tables.Group] = (
        tables.group_rows(read, settings.group_by, settings.whose) if settings.group_by else read()
    )
    for row in found:
        yield Record(row, (), _row_bytes(row), row.where, tuple(row.issues))


def _resources(data: bytes, feed: Feed) -> Iterator[Record]:  # noqa: ARG001
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"<":
        resources = iter([parse_xml(data)])
    elif b"\n{" in text and _many(text):
        resources = iter(parse_json_lines(data))
    else:
        resources = iter([parse_json(data)])
    for number, resource in enumerate(resources, 1):
        kind = str(resource.get("resourceType", ""))
        where = f"line {number}" if number > 1 else ""
        yield Record(resource, (kind,), _json_bytes(resource), where)


def _many(text: bytes) -> bool:
    """Whether the first line is a whole JSON object by itself (NDJSON)."""
    try:
        json.loads(text.partition(b"\n")[0])
    except ValueError:
        return False
    return True


def _given(data: bytes) -> Callable[[], bytes]:
    return lambda: data


_write_row = json.JSONEncoder(ensure_ascii=False).encode


def _row_bytes(row: tables.Row | tables.Group) -> Callable[[], bytes]:
    return lambda: _write_row(row.as_dict()).encode()


def _json_bytes(resource: dict[str, Any]) -> Callable[[], bytes]:
    return lambda: render_json(resource)


_READERS: dict[str, Callable[[bytes, Feed], Iterator[Record]]] = {
    "hl7v2": _messages,
    "cda": _documents,
    "table": _rows,
    "fhir": _resources,
}
