"""Faults of the storage itself, named: what the database or its disk says becomes a code.

https://www.sqlite.org/rescode.html,
https://www.postgresql.org/docs/15/errcodes-appendix.html

Every fault that a sender or an operator can do something about has its own entry of the
catalogue; an error that is none of them (a statement of ours that is wrong) stays as it is.
"""

from __future__ import annotations

import errno
import logging
import shutil
import sqlite3
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from fhir_bridge import log
from fhir_bridge.errors import BridgeError

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")

__all__ = [
    "AWAY",
    "DAMAGED",
    "DISK_FULL",
    "LOCKED",
    "READ_ONLY",
    "is_storage_fault",
    "of_postgresql",
    "of_sqlite",
    "repeated_once",
]

DISK_FULL, READ_ONLY, LOCKED, AWAY, DAMAGED = (
    "FB-5013",
    "FB-5014",
    "FB-5015",
    "FB-5016",
    "FB-5017",
)
_CODES = frozenset({DISK_FULL, READ_ONLY, LOCKED, AWAY, DAMAGED})

_MIN_FREE_BYTES = 64 * 1024
"""Bytes below which a failed write is a matter of room, whatever the database calls it."""

_SQLITE = {
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_CANTOPEN: AWAY,
    sqlite3.SQLITE_PERM: AWAY,
    sqlite3.SQLITE_IOERR: DAMAGED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}
_FILES = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EROFS: READ_ONLY,
    errno.ENOENT: AWAY,
    errno.ENOTDIR: AWAY,
    errno.EACCES: AWAY,
    errno.EIO: DAMAGED,
}
_POSTGRESQL = {
    "53100": DISK_FULL,
    "25006": READ_ONLY,
    "55P03": LOCKED,
    "53300": AWAY,
    "57P01": AWAY,
    "57P02": AWAY,
    "57P03": AWAY,
    "57P05": AWAY,
    "58030": DAMAGED,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}


def is_storage_fault(error: BaseException) -> bool:
    """Whether `error` says that the storage, not what was to be stored, is in trouble."""
    return isinstance(error, BridgeError) and error.code in _CODES


def of_sqlite(error: BaseException, path: Path) -> BridgeError | None:
    """What an error of SQLite, or of a look at its file `path`, is called; None for no fault."""
    if isinstance(error, OSError):
        code = _FILES.get(error.errno or 0)
    elif isinstance(error, sqlite3.Error):
        # The low byte is the kind, the rest says more of it.
        code = _SQLITE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
        if code in {DAMAGED, AWAY} and _has_no_room(path):
            code = DISK_FULL
    else:
        return None
    return _coded(code, error)


def of_postgresql(error: BaseException) -> BridgeError | None:
    """What an error of psycopg is called; None for no fault."""
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate or ""
    lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not state
    return _coded(AWAY if lost or state.startswith("08") else _POSTGRESQL.get(state), error)


def _coded(code: str | None, error: BaseException) -> BridgeError | None:
    """The coded error; what the database said names files and hosts and is only logged by kind."""
    if code is None:
        return None
    state = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    kind = f"{type(error).__name__} {state or ''}".strip()
    log.event("storage_fault", level=logging.ERROR, code=code, kind=kind)
    return BridgeError(code)


def _has_no_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _MIN_FREE_BYTES
    except OSError:
        return False


def repeated_once(read: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """`read`, once more when the connection broke under it: it changes nothing."""

    @wraps(read)
    def repeated(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        try:
            return read(*arguments, **options)
        except BridgeError as error:
            if error.code != AWAY:
                raise
        return read(*arguments, **options)

    return repeated
