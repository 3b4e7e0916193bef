"""Runs commands as the command line does."""

import io
import json
import sys
from dataclasses import dataclass

import pytest

from fhir_bridge.cli import main


@dataclass
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list:
        """Standard output as NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(capfd, monkeypatch, tmp_path):
    """Run one command line in a data folder of its own; the text given stands in for standard input."""
    monkeypatch.setenv("FHIR_BRIDGE_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("FHIR_BRIDGE_LOG_LEVEL", "ERROR")

    def run_command(*arguments: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(ended.value.code, captured.out, captured.err)

    return run_command
