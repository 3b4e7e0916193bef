"""A whole receiving side in a process of its own, for tests that kill it.

``python -m tests.listeners.crash_site DATABASE`` prints the port it listens on and then
runs until it is killed.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

from fhir_bridge.ingest import Listener
from fhir_bridge.listeners import MllpServer
from tests.ingest.conftest import make_site

if __name__ == "__main__":
    site = make_site(Path(sys.argv[1]))
    feed = replace(site.feeds["his"], listener=Listener(kind="mllp", port=0))
    server = MllpServer([feed], site.journal)
    site.pipeline.start()
    server.start()
    print(server.addresses["his"][1], flush=True)
    threading.Event().wait()
