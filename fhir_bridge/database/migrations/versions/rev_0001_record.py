"""The record as it began: resources, index, journal, quarantine, identity.

A copy of the schema of that day, so that later changes of `fhir_bridge.database.schema` do
not change what this revision makes.
"""

from __future__ import annotations

from typing import Any

from alembic import op
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
    Index("quarantine_by_feed", "feed", "item_id"),
    Index("quarantine_by_message", "message_id"),
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
    Index("identity_statement_by_patient", "patient_id"),
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

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True, nullable=False),
    Column("value", LargeBinary, nullable=False),
)


revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table; PostgreSQL numbers the changes by a sequence."""
    connection = op.get_bind()
    metadata.create_all(connection)
    if connection.dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE resource_row_id")


def downgrade() -> None:
    """A record is not taken back to nothing: restore a backup instead."""
    raise NotImplementedError
