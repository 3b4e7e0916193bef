"""The one logical schema of the record, for SQLite and PostgreSQL.

``resource`` holds every version of every resource and is the change log: `row_id` is the
number of the change.  A version that was replaced, or that says "deleted", has a row in
``superseded``; the others are current.  The index tables hold rows of current versions (and
for a while of replaced ones, so that pages already begun stay as they were):

=============== ================================================================
posting         exact values: parameter and value hash, sort date, row
string_value    folded strings, by prefix and for sorting
date_value      intervals
span            those of them that rights hang on, by row
quantity_value  numbers and quantities, as given
term            dictionary of URIs, codes, display texts and units, pointing to postings
reference       whom a row points to; `member`: whose compartment it is in
=============== ================================================================

Beside them: ``journal``, ``quarantine``, ``identity_*``, ``link_log``, ``held``, ``symbol``
(numbers of types and parameters) and ``setting``; and what each source said of a resource:

=============== ================================================================
statement       one source's statement of a resource: when, in which container, and its
                body where it is not the stored resource itself
container       a document, row or export whose newest version says all of its parts
awaited         who refers by a number to what has not come yet
at_work         which journal messages a process has begun, and how often that was ended
=============== ================================================================

Who signs in is in `schema_accounts`, which apps they let at the record in `schema_smart`, who looked in
`schema_audit`.

  Why this layout: docs/decisions/adr-2611-store-layout.md.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

from fhir_bridge.database.schema_accounts import add_account_tables
from fhir_bridge.database.schema_audit import add_audit_tables
from fhir_bridge.database.schema_smart import add_smart_tables

__all__ = ["INDEX_TABLES", "REVISION", "binary_columns", "columns", "key_columns", "metadata"]

REVISION = "0010"
"""The migration that this release expects (fhir_bridge/database/migrations)."""

metadata = MetaData()

# SQLite counts a primary key up by itself only when it is spelled INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")
# Text is compared by code point, so that a prefix is a range.
_Folded = Text().with_variant(Text(collation="C"), "postgresql")
_CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}


def _number(name: str, *, key: bool = False, default: str | None = None) -> Column[int]:
    return Column(
        name,
        BigInteger,
        primary_key=key,
        autoincrement=False,
        nullable=False,
        server_default=text(default) if default else None,
    )


symbol = Table(
    "symbol",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
)

resource = Table(
    "resource",
    metadata,
    Column("row_id", _Id, primary_key=True, autoincrement=False),
    _number("key"),
    Column("type", Integer, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    _number("last_updated"),
    Column("deleted", SmallInteger, nullable=False),
    _number("sort_date"),
    _number("written_in"),
    Column("compressed", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("resource_by_key", "key", "version", unique=True),
    Index("resource_by_time", "type", "last_updated", "row_id"),
)

superseded = Table(
    "superseded",
    metadata,
    Column("row_id", _Id, primary_key=True, autoincrement=False),
    _number("replaced_by"),
    _number("written_in"),
    Column("collected", SmallInteger, nullable=False),
    Index(
        "superseded_to_collect",
        "replaced_by",
        sqlite_where=text("collected = 0"),
        postgresql_where=text("collected = 0"),
    ),
)

posting = Table(
    "posting",
    metadata,
    _number("hash", key=True),
    _number("date", key=True),
    _number("row_id", key=True),
    **_CLUSTERED,
)

string_value = Table(
    "string_value",
    metadata,
    _number("key", key=True),
    Column("value", _Folded, primary_key=True, nullable=False),
    _number("row_id", key=True),
    Column("derived", SmallInteger, nullable=False),
    **_CLUSTERED,
)

date_value = Table(
    "date_value",
    metadata,
    _number("key", key=True),
    _number("low", key=True),
    _number("high", key=True),
    _number("row_id", key=True),
    **_CLUSTERED,
)

span = Table(
    "span",
    metadata,
    _number("row_id", key=True),
    _number("key", key=True),
    _number("low", key=True),
    _number("high", key=True),
    **_CLUSTERED,
)

quantity_value = Table(
    "quantity_value",
    metadata,
    _number("key", key=True),
    Column("low", Double, primary_key=True, nullable=False),
    Column("high", Double, primary_key=True, nullable=False),
    _number("row_id", key=True),
    _number("system", key=True),
    _number("code", key=True),
    _number("unit", key=True),
    **_CLUSTERED,
)

term = Table(
    "term",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("value", _Folded, primary_key=True, nullable=False),
    _number("hash"),
    **_CLUSTERED,
)

reference = Table(
    "reference",
    metadata,
    _number("row_id", key=True),
    _number("target", key=True),
    Column("member", SmallInteger, nullable=False),
    **_CLUSTERED,
)

INDEX_TABLES = ("posting", "string_value", "date_value", "span", "quantity_value")
"""Tables whose rows come from bodies and go when a replaced version is collected."""

journal = Table(
    "journal",
    metadata,
    Column("message_id", _Id, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("control_id", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _number("received"),
    Column("content_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("detail", Text, nullable=False),
    _number("done"),
    Column("data", LargeBinary, nullable=False),
    Index("journal_once", "feed", "control_id", "digest", unique=True),
    Index(
        "journal_pending",
        "message_id",
        sqlite_where=text("status = 0"),
        postgresql_where=text("status = 0"),
    ),
    Index("journal_by_feed", "feed", "status", "message_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("item_id", _Id, primary_key=True),
    Column("message_id", _Id),
    Column("feed", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("issues", Text, nullable=False),
    _number("received"),
    _number("added"),
    Column("content_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("control_id", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    _number("count", default="1"),
    _number("last_seen", default="0"),
    Index("quarantine_by_feed", "feed", "item_id"),
    Index("quarantine_by_message", "message_id"),
)

at_work = Table(
    "at_work",
    metadata,
    Column("holder", Text, primary_key=True, nullable=False),
    _number("since"),
    Column("entries", Text, nullable=False),
    **_CLUSTERED,
)

identity_key = Table(
    "identity_key",
    metadata,
    Column("key", LargeBinary, primary_key=True, nullable=False),
    Column("patient_id", Text, nullable=False),
    **_CLUSTERED,
)

identity_statement = Table(
    "identity_statement",
    metadata,
    Column("feed", Text, primary_key=True, nullable=False),
    Column("key", Text, primary_key=True, nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _number("at", default="0"),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("system", Text, nullable=False, server_default=text("''")),
    Column("number", Text, nullable=False, server_default=text("''")),
    Column("times", LargeBinary),
    Index("identity_statement_by_patient", "patient_id"),
)

held = Table(
    "held",
    metadata,
    Column("item_id", _Id, primary_key=True),
    _number("at"),
    Column("kind", Text, nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("other_id", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("detail", Text, nullable=False),
    _number("settled", default="0"),
    Index("held_open", "settled", "item_id"),
    Index("held_by_patient", "patient_id"),
)

statement = Table(
    "statement",
    metadata,
    _number("key", key=True),
    Column("source", Text, primary_key=True, nullable=False),
    Column("level", SmallInteger, primary_key=True, autoincrement=False, nullable=False),
    _number("since"),
    _number("at"),
    Column("version", Integer, nullable=False),
    _number("container"),
    _number("person"),
    Column("withdrawn", SmallInteger, nullable=False),
    Column("times", LargeBinary),
    Column("body", LargeBinary),
    Index(
        "statement_by_container",
        "container",
        sqlite_where=text("container <> 0"),
        postgresql_where=text("container <> 0"),
    ),
    **_CLUSTERED,
)

container = Table(
    "container",
    metadata,
    _number("key", key=True),
    Column("source", Text, nullable=False),
    _number("parent"),
    _number("version"),
    _number("at"),
    _number("message"),
    Column("withdrawn", SmallInteger, nullable=False),
    Index(
        "container_by_parent",
        "parent",
        "message",
        sqlite_where=text("parent <> 0"),
        postgresql_where=text("parent <> 0"),
    ),
    **_CLUSTERED,
)

link_log = Table(
    "link_log",
    metadata,
    Column("entry_id", _Id, primary_key=True),
    _number("at"),
    Column("patient_id", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("link_log_by_patient", "patient_id"),
)

awaited = Table(
    "awaited",
    metadata,
    _number("target", key=True),
    _number("referrer", key=True),
    **_CLUSTERED,
)

unread = Table(
    "unread",
    metadata,
    Column("feed", Text, primary_key=True, nullable=False),
    Column("map", Text, primary_key=True, nullable=False),
    Column("place", Text, primary_key=True, nullable=False),
    Column("looked", SmallInteger, primary_key=True, autoincrement=False, nullable=False),
    Column("digest", Text, nullable=False),
    _number("count"),
    _number("first_seen"),
    _number("last_seen"),
    Column("example", Text, nullable=False),
    **_CLUSTERED,
)

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

add_account_tables(metadata)
add_audit_tables(metadata)
add_smart_tables(metadata)


def columns(table: str) -> list[str]:
    """The names of the columns of a table, in their order."""
    return [each.name for each in metadata.tables[table].columns]


def key_columns(table: str) -> list[str]:
    """The names of the columns of its primary key."""
    return [each.name for each in metadata.tables[table].primary_key.columns]


def binary_columns(table: str) -> frozenset[str]:
    """The names of its columns that hold bytes."""
    return frozenset(
        each.name for each in metadata.tables[table].columns if isinstance(each.type, LargeBinary)
    )
