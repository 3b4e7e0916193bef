"""A pipeline in a process of its own that one message ends, for the tests of attempts.

``python -m tests.ingest.poison_site DATABASE HOW [KEPT]`` works through the journal of DATABASE.
A message with the word POISON ends the process: HOW is ``kill`` (SIGKILL) or ``memory``.  KEPT:
the parent starts it again, as a keeper does.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.ingest.conftest import make_site

if __name__ == "__main__":
    site = make_site(Path(sys.argv[1]))
    transform = site.pipeline._transformer.transform

    def poisoned(record, feed):
        """What a fault of a library does."""
        if b"POISON" in record.data:
            if sys.argv[2] == "memory":
                raise MemoryError
            os.kill(os.getpid(), signal.SIGKILL)
        return transform(record, feed)

    site.pipeline._transformer.transform = poisoned
    if "kept" in sys.argv:
        site.pipeline.kept()
    site.pipeline.drain()
