"""Trains the dictionary with which bodies are compressed, from the demo's own records.

``python definitions/train_dictionary.py`` makes three small communities, replaces what only
the demo has (ids, digits), and writes ``fhir_bridge/database/bodies.zdict``.  A dictionary is
never changed, as bodies need it for ever: a better one is a new file with the next number.
https://facebook.github.io/zstd/#small-data
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import zstandard

from fhir_bridge.app import build
from fhir_bridge.config import load_settings
from fhir_bridge.database import unpacked
from fhir_bridge.database.bodies import _DICTIONARY

_TARGET = Path(__file__).parents[1] / "fhir_bridge" / "database" / "bodies.zdict"
_SEEDS = (11, 12, 13)
_RESIDENTS = 200
_BYTES = 65536
_WEIGHT = 40
_GENERAL = [_DICTIONARY[at : at + 200] for at in range(0, len(_DICTIONARY), 150)]
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER = re.compile(rb"(?<=[\"/])[0-9X]{6,}(?=\")")


def main() -> None:
    """Train and write; the figures are printed."""
    chance = random.Random(1)  # noqa: S311 - the same each time, no secret
    samples = [_without_own(body, chance) for body in _bodies()]
    samples += _GENERAL * _WEIGHT  # what other senders say, beside what the demo says
    trained = zstandard.train_dictionary(_BYTES, samples, level=3)
    _TARGET.write_bytes(trained.as_bytes())
    print(f"{len(samples):,} bodies, {_TARGET.stat().st_size:,} bytes")


def _bodies() -> list[bytes]:
    bodies = []
    for seed in _SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "fhir_bridge", "demo", "--seed", str(seed)]
            command += [
                "--residents",
                str(_RESIDENTS),
                "--data",
                folder,
                "--exit",
                "--mllp-port",
                "0",
            ]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed
            store = build(load_settings({}, data=Path(folder))).store
            with store.reading() as session:
                rows = session.all("SELECT compressed, body FROM resource WHERE deleted = 0")
            store.close()
            bodies += [unpacked(how, bytes(body)) for how, body in rows]
    return bodies


def _without_own(body: bytes, chance: random.Random) -> bytes:
    """A body whose ids and long numbers are nobody's."""

    def other(found: re.Match[bytes]) -> bytes:
        return re.sub(rb"[0-9a-f]", lambda _: b"%x" % chance.randrange(16), found[0])

    def number(found: re.Match[bytes]) -> bytes:
        return re.sub(rb"[0-9]", lambda _: b"%d" % chance.randrange(10), found[0])

    return _NUMBER.sub(number, _ID.sub(other, body))


if __name__ == "__main__":
    main()
