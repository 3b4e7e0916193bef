"""Apps are let at the record: apps, grants, codes, tokens, launches, consents, keys.

A copy of the schema of that day, so that later changes of `fhir_bridge.database` do not change
what this revision makes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()

Table(
    "app",
    metadata,
    Column("client_id", Text, primary_key=True, nullable=False),
    Column("secret", LargeBinary),
    Column("body", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger, nullable=False),
)
Table(
    "app_grant",
    metadata,
    Column("grant_id", Text, primary_key=True, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("encounter", Text, nullable=False),
    Column("session", LargeBinary, nullable=False),
    Column("methods", Text, nullable=False),
    Column("signed_in", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger, nullable=False),
    Column("last_used", BigInteger, nullable=False),
    Index("app_grant_by_account", "account_id"),
    Index("app_grant_by_client", "client_id"),
)
Table(
    "app_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("grant_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
)
Table(
    "app_token",
    metadata,
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("grant_id", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Index("app_token_by_grant", "grant_id"),
    Index("app_token_by_expiry", "expires"),
)
Table(
    "app_assertion",
    metadata,
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("expires", BigInteger, nullable=False),
)
Table(
    "app_launch",
    metadata,
    Column("digest", LargeBinary, primary_key=True, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("encounter", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
)
Table(
    "app_consent",
    metadata,
    Column("account_id", Text, primary_key=True, nullable=False),
    Column("client_id", Text, primary_key=True, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)
Table(
    "signing_key",
    metadata,
    Column("kid", Text, primary_key=True, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("private", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("retired", BigInteger, nullable=False),
)

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Apps are registered again by hand."""
    metadata.drop_all(op.get_bind())
