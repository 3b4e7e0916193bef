"""One database as its users see it: what goes wrong with it has a code, and lasting trouble is known."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fhir_bridge.database.database import Database
from fhir_bridge.database.faults import LOCKED, is_storage_fault
from fhir_bridge.database.session import Session
from fhir_bridge.database.settings import StoredSettings
from fhir_bridge.errors import BridgeError, Issue

__all__ = ["Storage"]

_NO_TROUBLE: tuple[float, Issue | None] = (0.0, None)
"""When (monotonic) and why the last write could not be stored."""
_TRIAL_SECONDS, _TRIAL_BYTES = 5.0, 1 << 18
"""How often storing is tried while it fails; enough bytes that a full disk shows."""


class Storage:
    """A database that is shared by all threads of a process, with its settings and its trouble."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settings = StoredSettings(database)
        self._trouble = _NO_TROUBLE

    @contextmanager
    def reading(self, *, snapshot: bool = False, limited: bool = False) -> Iterator[Session]:
        """A connection for queries.  Raises BridgeError FB-5011 when a `limited` one is late."""
        with self.database.reading(snapshot=snapshot, limited=limited) as session:
            yield session

    @contextmanager
    def writing(self, *, limited: bool = False) -> Iterator[Session]:
        """A connection in a write transaction.  Raises BridgeError FB-5003 on a collision."""
        try:
            with self.database.writing(limited=limited) as session:
                yield session
            self._trouble = _NO_TROUBLE
        except BridgeError as error:
            if is_storage_fault(error):
                self._trouble = time.monotonic(), error.issues[0]
            raise
        except Exception as error:
            if self.database.is_conflict(error):
                raise BridgeError("FB-5003") from error
            raise

    def suspect(self) -> None:
        """Another process could not write: `trouble` tries it here."""
        if self._trouble[1] is None:
            self._trouble = -math.inf, Issue("FB-6006")

    def trouble(self) -> Issue | None:
        """Why nothing can be stored now (FB-5013 to FB-5017), as far as is known; None if it can.

        After a write that failed another one is tried here, so that trouble ends by itself;
        a lock is not waited for, it counts as gone after a while.
        """
        since, trouble = self._trouble
        if trouble is None or time.monotonic() - since < _TRIAL_SECONDS:
            return trouble
        try:
            if trouble.code != LOCKED:
                self.settings.write("trial", os.urandom(_TRIAL_BYTES))
                self.settings.forget("trial")
            trouble = None
        except BridgeError as error:
            trouble = error.issues[0]
        self._trouble = time.monotonic(), trouble
        return trouble
