"""Opening the record: which database, its schema brought up to date, its index looked at.

``open_store(url, registry=…)`` answers a `Store`, which is shared by all threads of a process;
several processes may open the same one.
"""

from __future__ import annotations

from logging import WARNING

from fhir_bridge import log
from fhir_bridge.access import Compartment
from fhir_bridge.database import Storage, database_at, migrate
from fhir_bridge.search import Registry
from fhir_bridge.store.maintenance import index_issues
from fhir_bridge.store.store import Store

__all__ = ["open_store"]

_MAX_SNAPSHOT_AGE = 15 * 60 * 1000


def open_store(
    url: str,
    *,
    registry: Registry,
    cursor_key: bytes | None = None,
    keep_snapshots: int = _MAX_SNAPSHOT_AGE,
    query_seconds: float | None = None,
    compartment: Compartment | None = None,
) -> Store:
    """The store at ``sqlite:////path/file.sqlite3`` or ``postgresql+psycopg://…``.

    `cursor_key` seals page links (default: a key kept in the database); `keep_snapshots`
    are the milliseconds for which a page link holds after it was given; `query_seconds` bounds each query of
    `read`, `find`, `history` and `run` (FB-5011; default: no bound); `compartment` says what is
    of a patient (default: what the product ships).  Raises BridgeError
    FB-5006, FB-5009.
    """
    database = database_at(url, query_seconds)
    engine = database.engine()
    try:
        migrate(engine)
        store = Store(
            Storage(database), registry, cursor_key=cursor_key, keep_snapshots=keep_snapshots,
            compartment=compartment,
        )  # fmt: skip
        for issue in index_issues(store):
            named = issue.details["types"]
            log.event("index_outdated", level=WARNING, code=issue.code, resource_type=named)
        return store
    except BaseException:
        database.close()
        raise
    finally:
        engine.dispose()
