"""The SQL database below the record: SQLite or PostgreSQL, one schema, one kind of session.

Read in this order: `schema` (the tables and why), `session` (what a statement is given to),
`database` (which one a URL names), `sqlite` and `postgresql` (all that differs between them),
`storage` (what the journal and the store hold: faults have a code), `migrations`.
"""

from fhir_bridge.database.bodies import lower_text, packed, unpacked
from fhir_bridge.database.database import Database, database_at
from fhir_bridge.database.faults import is_storage_fault, repeated_once
from fhir_bridge.database.instants import instant_of, milliseconds, milliseconds_of
from fhir_bridge.database.migrations import migrate
from fhir_bridge.database.schema import binary_columns, columns, key_columns, metadata
from fhir_bridge.database.session import Row, Session, Sql
from fhir_bridge.database.settings import StoredSettings
from fhir_bridge.database.storage import Storage

__all__ = [
    "Database",
    "Row",
    "Session",
    "Sql",
    "Storage",
    "StoredSettings",
    "binary_columns",
    "columns",
    "database_at",
    "instant_of",
    "is_storage_fault",
    "key_columns",
    "lower_text",
    "metadata",
    "migrate",
    "milliseconds",
    "milliseconds_of",
    "packed",
    "repeated_once",
    "unpacked",
]
