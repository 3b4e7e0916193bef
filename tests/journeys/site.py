"""Processes of the product, on free ports, stopped whatever happens."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, text

MAPPINGS = Path(__file__).parents[2] / "mappings"


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Site:
    """One site: a data folder, its ports, its running processes."""

    def __init__(self, folder: Path, *, module: str = "fhir_bridge", **environment: str) -> None:
        self.folder = folder
        self.data = folder / "var"
        self._module, self._environment = module, environment
        self.port, self.mllp_port = free_ports(2)
        self.base = f"http://127.0.0.1:{self.port}/fhir"
        self.overlay = folder / "site"
        feed = (MAPPINGS / "feeds" / "hospital-his.toml").read_text(encoding="utf-8")
        changed = self.overlay / "mappings" / "feeds" / "hospital-his.toml"
        changed.parent.mkdir(parents=True)
        changed.write_text(feed.replace("2575", str(self.mllp_port)), encoding="utf-8")
        self._running: list[subprocess.Popen] = []

    def start(self, *arguments: object, log: Path | None = None) -> subprocess.Popen:
        """Start a command of the product; its output goes to `log`."""
        environment = os.environ | {
            "FHIR_BRIDGE_OVERLAY": str(self.overlay),
            "FHIR_BRIDGE_LOG_LEVEL": "ERROR",
            "COLUMNS": "200",
            **self._environment,
        }
        with (log or Path(os.devnull)).open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", self._module, *map(str, arguments)],
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        self._running.append(process)
        return process

    def serve(self) -> subprocess.Popen:
        """Start the service and wait until it answers."""
        process = self.start("serve", "--data", self.data, "--port", self.port)
        self.until(lambda: self.status("metadata") == 200, process)
        return process

    def until(self, condition, process: subprocess.Popen, seconds: float = 300) -> None:
        """Look again and again until `condition` holds; fail when `process` ends before."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert process.poll() is None, "the process ended too early"
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.1)

    def waiting(self) -> int:
        """How many messages of the journal nobody has worked on yet."""
        return int(self._journal("SELECT count(*) FROM journal WHERE status = 0")[0][0])

    def worked_on(self) -> int:
        """How many messages of the journal were worked on."""
        return int(self._journal("SELECT count(*) FROM journal WHERE status > 0")[0][0])

    def recorded(self) -> set[str]:
        """Control ids of the messages that were worked on."""
        return {row[0] for row in self._journal("SELECT control_id FROM journal WHERE status > 0")}

    def _journal(self, query: str) -> list[tuple]:
        record = f"sqlite:///file:{self.data}/record.sqlite3?mode=ro&uri=true"
        engine = create_engine(self._environment.get("FHIR_BRIDGE_DATABASE") or record)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def until_idle(self, process: subprocess.Popen, seconds: float = 300) -> None:
        """Wait until every message was worked on."""
        self.until(lambda: self.waiting() == 0, process, seconds)

    def get(self, query: str) -> dict:
        """A FHIR answer as JSON, errors included."""
        try:
            with urllib.request.urlopen(f"{self.base}/{query}", timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error) | {"status": error.code}

    def status(self, query: str) -> int:
        """The status of a FHIR answer; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.base}/{query}", timeout=120) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def everything(self, query: str) -> Iterator[dict]:
        """Every resource that a search finds, page after page, as a client reads them."""
        while query:
            page = self.get(query)
            assert page["resourceType"] == "Bundle", page
            yield from (entry["resource"] for entry in page.get("entry", ()))
            links = {link["relation"]: link["url"] for link in page.get("link", ())}
            query = links.get("next", "").removeprefix(f"{self.base}/")

    def page(self, path: str) -> str:
        """A page's text."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=120) as answer:
            return answer.read().decode()

    def close(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
