"""The tables of those who sign in; part of the one logical schema (`schema`).

=============== ================================================================
account         a person who signs in: name, password hash, sealed second factor
account_binding what an account stands for in the record: a role, whose Patient, whose office
account_session who is signed in now, by the digest of the session's secret
sign_in_delay   wrong tries of an account, an address or an app, and until when it must wait
one_time_code   set-up links and binding codes, by their digests
=============== ================================================================
"""

from __future__ import annotations

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
)

__all__ = ["add_account_tables"]

_Id = BigInteger().with_variant(Integer, "sqlite")


def add_account_tables(metadata: MetaData) -> None:
    """Adds the tables to the schema."""
    Table(
        "account",
        metadata,
        Column("account_id", Text, primary_key=True, nullable=False),
        Column("name", Text, nullable=False, unique=True),
        Column("display", Text, nullable=False),
        Column("password", Text, nullable=False),
        Column("totp", LargeBinary),
        Column("totp_step", BigInteger, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("locked", SmallInteger, nullable=False),
    )
    Table(
        "account_binding",
        metadata,
        Column("binding_id", _Id, primary_key=True),
        Column("account_id", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("patient", Text, nullable=False),
        Column("practitioner", Text, nullable=False),
        Column("organization", Text, nullable=False),
        Column("proof", Text, nullable=False),
        Column("since", BigInteger, nullable=False),
        Index("account_binding_by_account", "account_id"),
    )
    Table(
        "account_session",
        metadata,
        Column("digest", LargeBinary, primary_key=True, nullable=False),
        Column("account_id", Text, nullable=False),
        Column("began", BigInteger, nullable=False),
        Column("last_seen", BigInteger, nullable=False),
        Column("whole", SmallInteger, nullable=False),
        Column("methods", Text, nullable=False),
        Index("account_session_by_account", "account_id"),
    )
    Table(
        "sign_in_delay",
        metadata,
        Column("key", Text, primary_key=True, nullable=False),
        Column("count", BigInteger, nullable=False),
        Column("last", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
    )
    Table(
        "one_time_code",
        metadata,
        Column("digest", LargeBinary, primary_key=True, nullable=False),
        Column("kind", Text, nullable=False),
        Column("account_id", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("patient", Text, nullable=False),
        Column("practitioner", Text, nullable=False),
        Column("organization", Text, nullable=False),
        Column("expires", BigInteger, nullable=False),
        Column("used", BigInteger, nullable=False),
    )
