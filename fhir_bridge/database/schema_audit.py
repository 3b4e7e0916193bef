"""The tables of the audit trail; part of the one logical schema (`schema`).

=============== ================================================================
audit_link      the chain over AuditEvents: each link's digest is over the one before and the event
emergency       who broke the glass, for whom, why, until when, and who reviewed it
=============== ================================================================
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

__all__ = ["add_audit_tables"]

_Id = BigInteger().with_variant(Integer, "sqlite")


def add_audit_tables(metadata: MetaData) -> None:
    """Adds the tables to the schema."""
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
