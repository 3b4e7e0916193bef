"""Intervals that rights hang on are kept by row.

A copy of the schema of that day, so that later changes of `fhir_bridge.database.schema` do
not change what this revision makes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, Table

metadata = MetaData()

span = Table(
    "span",
    metadata,
    Column("row_id", BigInteger, primary_key=True, autoincrement=False, nullable=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False, nullable=False),
    Column("low", BigInteger, primary_key=True, autoincrement=False, nullable=False),
    Column("high", BigInteger, primary_key=True, autoincrement=False, nullable=False),
    sqlite_with_rowid=False,
)

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table; the next reindex fills it."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """The rows follow from the bodies."""
    metadata.drop_all(op.get_bind())
