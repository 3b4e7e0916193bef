"""``fhir-bridge serve`` before it serves."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fhir_bridge.cli import main
from fhir_bridge.config import Settings


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


def test_a_taken_port_of_a_feed_is_one_line_that_names_it(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Port, address, feed and the key that chooses another, for serve as for the benchmark."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = settings.overlay[0] / "mappings" / "feeds" / "hospital-his.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("port = 0", f"port = {port}"))
        monkeypatch.setenv("FHIR_BRIDGE_OVERLAY", str(settings.overlay[0]))
        with pytest.raises(SystemExit) as ended:
            main(["serve", "--data", str(settings.data), "--port", str(settings.port)])
    told = capsys.readouterr().err
    assert ended.value.code
    for word in ("FB-9004", "hospital-his", str(port), "127.0.0.1", "listener.port"):
        assert word in told
