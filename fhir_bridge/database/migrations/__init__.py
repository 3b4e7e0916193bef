"""Versioned changes of the schema, run by Alembic when a store is opened.

https://alembic.sqlalchemy.org.  A revision is a file in ``versions``; it is never changed
after a release, a new one follows it.  A test holds the migrated schema to
`fhir_bridge.database.schema`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from fhir_bridge.database.schema import REVISION
from fhir_bridge.errors import BridgeError

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import Engine

__all__ = ["migrate"]

_LOCK = 7_246_001
"""Number of the PostgreSQL advisory lock under which one process migrates at a time."""


def migrate(engine: Engine) -> None:
    """Brings the schema to `REVISION`; at once when it is there already.

    Raises BridgeError FB-5009 when a newer release has written it.
    """
    with engine.connect() as connection:
        found = _revision(connection)
    if found == REVISION:
        return
    if found > REVISION:
        raise BridgeError("FB-5009", found=found, known=REVISION)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _revision(connection) != REVISION:
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return str(row[0]) if row else ""
