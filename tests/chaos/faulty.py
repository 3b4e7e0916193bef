"""``python -m tests.chaos.faulty serve …``: the product with two faults planted.

Its clock is off by the seconds that the file named by ``CHAOS_CLOCK`` holds, and a message with
the word POISON ends the process that works on it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fhir_bridge import clock
from fhir_bridge.cli import main
from fhir_bridge.ingest.transform import Transformer


def plant(clock_file: Path) -> None:
    """Plant both faults in this process and those that it starts by a fork."""
    now, transform = clock.now, Transformer.transform

    def other_now() -> datetime:
        try:
            return now() + timedelta(seconds=float(clock_file.read_text()))
        except (OSError, ValueError):
            return now()

    def poisoned(self: Transformer, record: Any, feed: Any) -> Any:
        if b"POISON" in record.data:
            os.kill(os.getpid(), signal.SIGKILL)
        return transform(self, record, feed)

    replaced: Callable[..., Any] = poisoned
    clock.now = other_now
    Transformer.transform = replaced  # type: ignore[method-assign]


if __name__ == "__main__":
    plant(Path(os.environ["CHAOS_CLOCK"]))
    main()
