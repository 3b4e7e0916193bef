"""What is being worked on is known, and equal refusals are counted.

A copy of the schema of that day, so that later changes of `fhir_bridge.database.schema` do
not change what this revision makes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, text

metadata = MetaData()

at_work = Table(
    "at_work",
    metadata,
    Column("holder", Text, primary_key=True, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("entries", Text, nullable=False),
    sqlite_with_rowid=False,
)

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table and the columns; what rests already stands for one refusal each."""
    for name, default in (("count", "1"), ("last_seen", "0")):
        op.add_column(
            "quarantine", Column(name, BigInteger, nullable=False, server_default=text(default))
        )
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Counts can be spared."""
    metadata.drop_all(op.get_bind())
    for name in ("count", "last_seen"):
        op.drop_column("quarantine", name)
