"""Who looked: the chain over audit events, and broken glass that waits for its review.

A copy of the schema of that day, so that later changes of `fhir_bridge.database` do not change
what this revision makes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")

Table(
    "audit_link",
    metadata,
    Column("number", _Id, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("row_id", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Index("audit_link_by_row", "row_id", unique=True),
    Index("audit_link_by_time", "at"),
)
Table(
    "emergency",
    metadata,
    Column("number", _Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("practitioner", Text, nullable=False),
    Column("organization", Text, nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("closed", BigInteger, nullable=False, server_default=text("0")),
    Column("closed_by", Text, nullable=False, server_default=text("''")),
    Column("note", Text, nullable=False, server_default=text("''")),
    Index("emergency_by_account", "account", "patient_id", "until"),
    Index("emergency_open", "closed", "number"),
)

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables; events of before are chained by the next start."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """The chain follows from the events; open reviews are lost."""
    metadata.drop_all(op.get_bind())
