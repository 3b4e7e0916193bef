"""One neighbour never stops another, and what is wrong is said: the product as a whole."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.api import Board
from fhir_bridge.app import Product, build, web_application
from fhir_bridge.config import Settings
from fhir_bridge.demo.file_drop import drop_table
from fhir_bridge.demo.public_health import health_files
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.store import maintenance
from tests.app.conftest import free_port

HERE = "http://127.0.0.1:8080"
FILES = "public-health-files"


@pytest.fixture
def share(settings: Settings, tmp_path: Path) -> Path:
    """A folder outside the data folder that a feed's files come to, as a mounted share is."""
    path = settings.overlay[0] / "mappings" / "feeds" / f"{FILES}.toml"
    folder = tmp_path / "share"
    text = path.read_text(encoding="utf-8")
    named = text.replace('kind = "folder"', f'kind = "folder"\nfolder = "{folder}"')
    path.write_text(named, encoding="utf-8")
    return folder


@pytest.fixture
def product(settings: Settings, share: Path) -> Iterator[Product]:
    """The running product, stopped at the end."""
    running = Product(build(settings))
    running.start()
    yield running
    running.stop()


def _health(product: Product) -> dict[str, Any]:
    url = f"http://127.0.0.1:{product.services.settings.port}/health"
    with urllib.request.urlopen(url, timeout=30) as answer:
        found = json.load(answer)
    assert isinstance(found, dict)
    return found


def _lines(health: dict[str, Any]) -> dict[str, list[str]]:
    return {
        line["feed"]: [issue["code"] for issue in line.get("issues", [])]
        for line in health["feeds"]
    }


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_each_feed_has_a_line_and_a_folder_that_is_gone_is_in_it(
    product: Product, share: Path
) -> None:
    """In words of both languages, on the health page and on the first page; then all is well."""
    feeds = product.services.feeds.values()
    receiving = {each.name for each in feeds if each.listener.kind in {"mllp", "folder", "rest"}}
    health = _health(product)
    assert receiving == set(_lines(health))
    assert health["status"] == "ok"

    share.rename(share.with_name("away"))
    _until(lambda: _health(product)["status"] == "degraded")
    health = _health(product)
    assert {name for name, codes in _lines(health).items() if codes} == {FILES}
    (line,) = [each for each in health["feeds"] if each["feed"] == FILES]
    (issue,) = line["issues"]
    assert (line["status"], issue["code"]) == ("failing", "FB-6111")
    assert FILES in issue["text"]
    assert "文件夹" in issue["text_zh"]
    assert issue["hint_zh"]
    with urllib.request.urlopen(product.page_url + "?lang=zh-CN", timeout=30) as page:
        assert issue["text_zh"] in page.read().decode()

    share.with_name("away").rename(share)
    _until(lambda: _health(product)["status"] == "ok")


def test_a_full_record_is_said_and_ends(product: Product) -> None:
    """507 with its code and no advice to repeat; health says it until a write does again."""
    store = product.services.store
    store.run(lambda tx: tx.put({"resourceType": "Basic", "id": "b", "code": {"text": "x"}}))
    writer: sqlite3.Connection = store.storage.database._writer.connection  # type: ignore[attr-defined]
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count={pages}")

    client = web_application(product.services, told=product.conditions).test_client()
    body = {"resourceType": "Basic", "code": {"text": os.urandom(400_000).hex()}}
    answer = client.post("/fhir/Basic", json=body, base_url=HERE)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (507, None)
    assert "FB-5013" in answer.text
    health = client.get("/health", base_url=HERE).json
    assert (health["status"], health["issues"][0]["code"]) == ("degraded", "FB-5013")
    stranger = {"environ_base": {"REMOTE_ADDR": "10.0.0.7"}}
    assert client.get("/health", base_url=HERE, **stranger).json == {"status": "degraded"}

    writer.execute("PRAGMA max_page_count=1000000")
    assert client.post("/fhir/Basic", json=body, base_url=HERE).status_code == 201
    assert client.get("/health", base_url=HERE).json["status"] == "ok"


def test_what_passes_by_itself_says_when_to_come_again(product: Product) -> None:
    """503 with Retry-After; an acknowledgement over MLLP names the same code."""
    store = product.services.store
    store.run(lambda tx: tx.put({"resourceType": "Basic", "id": "b", "code": {"text": "x"}}))
    path = product.services.settings.data / "record.sqlite3"
    path.rename(path.with_name("away"))
    client = web_application(product.services).test_client()
    answer = client.post(
        "/fhir/Basic", json={"resourceType": "Basic", "code": {"text": "x"}}, base_url=HERE
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    with socket.create_connection(product.mllp.addresses["hospital-his"], 20) as sender:
        message = (
            b"MSH|^~\\&|HIS|A|B|C|20260101000000||ADT^A04|1|P|2.5.1\r"
            b"PID|1||1^^^A||\xe6\x9d\x8e^\xe5\x9b\x9b\rPV1|1|O\r"
        )
        sender.sendall(b"\x0b" + message + b"\x1c\r")
        acknowledged = sender.recv(4096)
    assert b"MSA|AR|1" in acknowledged
    assert b"FB-5016" in acknowledged
    path.with_name("away").rename(path)


def test_a_second_server_on_one_folder_is_refused(settings: Settings) -> None:
    """It names the process that has it; the first goes on; afterwards the folder is free."""
    first = Product(build(settings))
    first.start()
    settings = replace(settings, port=free_port())
    second = Product(build(settings))
    with pytest.raises(BridgeError) as refused:
        second.start()
    second.stop()
    issue = refused.value.issues[0]
    assert issue.code == "FB-9003"
    assert issue.details["process"] == str(os.getpid())
    assert _health(first)["status"] == "ok"
    first.stop()
    third = Product(build(settings))
    third.start()
    third.stop()


def test_a_taken_port_of_a_feed_names_the_feed(settings: Settings) -> None:
    """Not only "address already in use"."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = settings.overlay[0] / "mappings" / "feeds" / "hospital-his.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("port = 0", f"port = {port}"))
        product = Product(build(settings))
        with pytest.raises(BridgeError) as refused:
            product.start()
        product.stop()
    told = f"{refused.value.issues[0]} {refused.value.issues[0].hint}"
    assert refused.value.code == "FB-9004"
    assert all(word in told for word in ("hospital-his", str(port), "127.0.0.1", "listener.port"))


def test_nobody_else_may_read_the_data_folder(settings: Settings, tmp_path: Path) -> None:
    """Folder 0700, record and what stands beside it, key, lock, backup and restored record 0600."""
    settings.data.mkdir(mode=0o755)
    settings.data.chmod(0o755)  # as an earlier release made it
    product = Product(build(settings))
    product.start(web=False)
    product.services.store.run(lambda tx: tx.put({"resourceType": "Basic", "id": "b"}))
    maintenance.back_up(product.services.store, tmp_path / "backup.gz")
    assert _mode(settings.data) == 0o700
    files = [path for path in settings.data.iterdir() if path.is_file()]
    assert {"record.sqlite3", "record.sqlite3-wal", "secret"} <= {path.name for path in files}
    product.stop()
    anew = build(replace(settings, data=tmp_path / "anew"))
    maintenance.restore(anew.store, tmp_path / "backup.gz")
    restored = [path for path in (tmp_path / "anew").iterdir() if path.is_file()]
    modes = {
        path.name: _mode(path)
        for path in (*files, *restored, tmp_path / "backup.gz")
        if path.exists()
    }
    anew.store.close()
    assert set(modes.values()) == {0o600}, modes
    assert _mode(tmp_path / "anew") == 0o700


@pytest.mark.parametrize("mode", [0o750, 0o770])
def test_a_folder_that_a_site_opened_to_a_group_stays_so(settings: Settings, mode: int) -> None:
    """Somebody decided it; only what is open to everybody is closed."""
    settings.data.mkdir()
    settings.data.chmod(mode)
    build(settings).store.close()
    assert _mode(settings.data) == mode


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_of_an_earlier_release_is_closed_when_it_is_opened(settings: Settings) -> None:
    """The record was readable for every user of the machine."""
    build(settings).store.close()
    path = settings.data / "record.sqlite3"
    path.chmod(0o644)
    build(settings).store.close()
    assert _mode(path) == 0o600


def _serve(settings: Settings, port: int, stop_seconds: int) -> subprocess.Popen[str]:
    variables = {
        "FHIR_BRIDGE_DATA": str(settings.data),
        "FHIR_BRIDGE_OVERLAY": str(settings.overlay[0]),
        "FHIR_BRIDGE_STOP_SECONDS": str(stop_seconds),
        "FHIR_BRIDGE_LOG_LEVEL": "WARNING",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "fhir_bridge", "serve", "--port", str(port), "--workers", "2"],
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )


def _started(server: subprocess.Popen[str]) -> list[str]:
    """The lines of a start, the last of which says what access means."""
    lines: list[str] = []
    assert server.stderr is not None
    while not lines or "access=" not in lines[-1]:
        line = server.stderr.readline()
        assert line, lines
        lines.append(line)
    return lines


def test_a_server_with_workers_says_what_access_means_tells_of_feeds_and_stops_in_time(
    settings: Settings, share: Path
) -> None:
    """SIGTERM amid a file of ten thousand rows; what it had not done is still there."""
    port = free_port()
    server = _serve(settings, port, stop_seconds=3)
    try:
        assert "every program and user of this machine" in _started(server)[-1]
        url = f"http://127.0.0.1:{port}/health"

        def health() -> dict[str, Any]:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return dict(json.load(answer))

        _until(lambda: health().get("feeds") is not None)
        share.rename(share.with_name("away"))
        _until(lambda: _lines(health())[FILES] == ["FB-6111"])
        share.with_name("away").rename(share)
        drop_table(share, "long.csv", health_files(10_000, 1), codec="gb18030")
        _until((share / "done" / "long.csv").exists)
        time.sleep(1)  # the pipeline is at it
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert time.monotonic() - began < 3 + 2
    finally:
        server.kill()
        server.communicate()
    services = build(settings)
    assert len(services.store.journal.pending()) == 1, "the next start goes on with it"
    services.store.close()


def test_a_board_tells_whole_texts_while_they_are_written() -> None:
    """Several readers beside a writer; none sees half of one."""
    board = Board(lambda _, size: bytearray(size))
    told = [{"a": [Issue("FB-6111", details={"feed": "a" * size})], "": []} for size in (10, 9_000)]
    board.write(told[0])
    seen: list[bool] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(board.read() in told)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(200):
        board.write(told[turn % 2])
    stop.set()
    for reader in readers:
        reader.join()
    assert seen
    assert all(seen)


def test_a_board_that_nobody_writes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that receives hangs: its last word is not taken for today's."""
    board = Board(lambda _, size: bytearray(size))
    assert [issue.code for issue in board.read()[""]] == ["FB-9005"]
    board.write({})
    assert board.read() == {}
    monkeypatch.setattr("fhir_bridge.api.board._MAX_SILENT_SECONDS", -1.0)
    assert [issue.code for issue in board.read()[""]] == ["FB-9005"]
