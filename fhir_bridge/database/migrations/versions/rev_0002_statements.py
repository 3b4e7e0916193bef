"""What each source said is kept apart: statements, containers, and contradictions held.

A copy of the schema of that day, so that later changes of `fhir_bridge.database.schema` do
not change what this revision makes.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
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

_Id = BigInteger().with_variant(Integer, "sqlite")
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

awaited = Table(
    "awaited",
    metadata,
    _number("target", key=True),
    _number("referrer", key=True),
    **_CLUSTERED,
)


def _of_persons() -> tuple[Column[Any], ...]:
    return (
        _number("at", default="0"),
        Column("version", Integer, nullable=False, server_default=text("0")),
        Column("system", Text, nullable=False, server_default=text("''")),
        Column("number", Text, nullable=False, server_default=text("''")),
        Column("times", LargeBinary),
    )


revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, and let a statement of a person say when and under which number."""
    metadata.create_all(op.get_bind())
    for column in _of_persons():
        op.add_column("identity_statement", column)


def downgrade() -> None:
    """What sources said apart cannot be put together again: restore a backup instead."""
    raise NotImplementedError
