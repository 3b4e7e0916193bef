"""The data folder of a site: closed to other users, and held by one server at a time.

https://man7.org/linux/man-pages/man2/flock.2.html: the kernel lets go of the lock when the
process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from fhir_bridge.errors import BridgeError

__all__ = ["DataFolder", "make_private"]

_PRIVATE = 0o700
_LOCK = "serving.lock"


def make_private(folder: Path) -> None:
    """Make `folder` for its owner alone; one that is open to everybody is closed to them.

    A folder that a site has opened to a group (0750, 0770) stays as it is.
    """
    folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o007:
        with contextlib.suppress(PermissionError):  # a mount of somebody else
            folder.chmod(_PRIVATE)


class DataFolder:
    """The right to serve from one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None

    def hold(self) -> None:
        """Hold the folder until `release`.  Raises BridgeError FB-9003 when a server holds it."""
        lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode("ascii", "replace").strip() or "?"
            os.close(lock)
            raise BridgeError("FB-9003", folder=self._folder, process=holder) from None
        except OSError:  # a file system without locks
            os.close(lock)
            return
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock

    def release(self) -> None:
        """Let another server have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
