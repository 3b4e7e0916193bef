"""Where data arrive by themselves: MLLP sockets and dropped files.

Read in this order: :mod:`.admission` (may a frame be taken, what is the answer),
:mod:`.connection` (one peer), :mod:`.mllp` (the server), :mod:`.inbox` (one
folder of files), :mod:`.folder` (all of them).
"""

from __future__ import annotations

from .folder import FolderWatcher
from .mllp import MllpServer

__all__ = ["FolderWatcher", "MllpServer"]
