"""What no map reads is counted.

A copy of the schema of that day, so that later changes of `fhir_bridge.database.schema` do
not change what this revision makes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, SmallInteger, Table, Text

metadata = MetaData()

unread = Table(
    "unread",
    metadata,
    Column("feed", Text, primary_key=True, nullable=False),
    Column("map", Text, primary_key=True, nullable=False),
    Column("place", Text, primary_key=True, nullable=False),
    Column("looked", SmallInteger, primary_key=True, autoincrement=False, nullable=False),
    Column("digest", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("example", Text, nullable=False),
    sqlite_with_rowid=False,
)

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Counts can be spared."""
    metadata.drop_all(op.get_bind())
