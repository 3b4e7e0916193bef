"""``fhir-bridge serve`` before it serves."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fhir_bridge.cli import main


def test_a_taken_port_is_one_line_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names port, address and option; no database is opened and no folder made."""
    data = tmp_path / "var"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            main(["serve", "--data", str(data), "--port", str(port)])
    told = capsys.readouterr().err
    assert 2 == ended.value.code
    assert 1 == len(told.strip().splitlines())
    assert all(word in told for word in (str(port), "127.0.0.1", "--port"))
    assert not data.exists()
