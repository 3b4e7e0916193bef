"""The tables of the authorization server; part of the one logical schema (`schema`).

=============== ================================================================
app             a client application as registered; `secret` is the digest of its secret
app_grant       what one person (or nobody: a system) let one app do; its codes and tokens die with it
app_code        authorization codes, by digest
app_token       access (kind 0) and refresh tokens (kind 1), by digest
app_assertion   client assertions that were seen, until they expire
app_launch      handles of launches from within another system, by digest
app_consent     which scopes a person has let an app have, so that it is not asked again
signing_key     keys of identity tokens, sealed
=============== ================================================================
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, SmallInteger, Table, Text

__all__ = ["add_smart_tables"]


def add_smart_tables(metadata: MetaData) -> None:
    """Adds the tables to the schema."""
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
