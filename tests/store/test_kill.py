"""A writer that is killed leaves each transaction whole or absent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from fhir_bridge.store import Store, maintenance

_KILLS = 20
_BATCH = 20

_WRITER = textwrap.dedent(
    """
    import itertools, sys
    from fhir_bridge.fhir import definitions
    from fhir_bridge.search import Registry
    from fhir_bridge.store import open_store

    store = open_store(sys.argv[1], registry=Registry(definitions()))
    for number in itertools.count():
        with store.transaction() as tx:
            tx.put_many(
                [
                    {
                        "resourceType": "Basic",
                        "id": f"{sys.argv[2]}-{number}-{place}",
                        "code": {"text": str(number)},
                        "subject": {"reference": f"Basic/{sys.argv[2]}-{number}-0"},
                    }
                    for place in range(20)
                ]
            )
        print(number, flush=True)
    """
)


def test_a_killed_writer_leaves_whole_transactions(
    opening: Callable[..., Store], database: str
) -> None:
    """What was reported committed is there, nothing is there in part, and the index agrees.

    Each kill comes a little later within a transaction than the one before.
    """
    store = opening()
    for kill in range(_KILLS):
        committed = _run_and_kill(database, kill, after=kill % 4, wait=kill / _KILLS * 0.02)
        found = [
            int(each.split(b'"id":"')[1].split(b'"')[0].split(b"-")[1])
            for each in store.bodies("Basic")
            if each.split(b'"id":"')[1].startswith(f"{kill}-".encode())
        ]
        counts = {number: found.count(number) for number in set(found)}
        assert set(range(committed + 1)) <= set(counts)
        assert set(counts.values()) == {_BATCH}
        assert maintenance.check(store).issues == ()


def _run_and_kill(database: str, kill: int, after: int, wait: float) -> int:
    """The last transaction that the writer reported before it was killed.

    It is killed `wait` seconds after it reported number `after`.
    """
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, database, str(kill)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert writer.stdout
    last = -1
    with writer.stdout as lines:
        for line in lines:
            last = int(line)
            if last >= after:
                break
        time.sleep(wait)
        os.kill(writer.pid, signal.SIGKILL)
        for line in lines:
            last = int(line)
    writer.wait()
    return last
