"""What happens to a running service, and what it says of it meanwhile.

Each scene brings the trouble, waits until ``/health`` names it, sees that good traffic of both
kinds goes on (or, where nothing can be kept, that nothing is acknowledged), ends the trouble and
waits until health is well again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.goodness import Good
from tests.journeys.site import MAPPINGS, Site

FILES = "public-health-files"


class Place:
    """A running service with good traffic."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.clock = folder / "clock"
        self.site = Site(
            folder, module="tests.chaos.faulty", CHAOS_CLOCK=str(self.clock), **settings
        )
        self.share = folder / "share"
        _receive_from(self.share, self.site)
        self.service = self.site.serve()
        self.good = Good(self.site)
        self.good.start()
        self.good.goes_on()

    def health(self) -> dict[str, Any]:
        """What ``/health`` says now; ``{"status": "silent"}`` when nobody answers."""
        try:
            url = f"http://127.0.0.1:{self.site.port}/health"
            with urllib.request.urlopen(url, timeout=30) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except OSError:
            return {"status": "silent"}

    def says(self, text: str, status: str | None = None, seconds: float = 60) -> None:
        """Wait until health holds `text` (and is `status`); fail else."""
        self.until(
            lambda: (
                text in json.dumps(said := self.health())
                and said["status"] == (status or said["status"])
            ),
            f"health says {text}",
            seconds,
        )

    def is_well(self) -> None:
        """Wait until health is well."""
        self.until(lambda: self.health()["status"] == "ok", "health is well", 60)

    def until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until something holds; fail else."""
        deadline = time.monotonic() + seconds
        while not true():
            assert self.service.poll() is None, "the service ended"
            assert time.monotonic() < deadline, f"not so: {what}; health {self.health()}"
            time.sleep(0.1)

    def send(self, data: bytes) -> bytes:
        """One message of its own connection, and its answer."""
        with socket.create_connection(("127.0.0.1", self.site.mllp_port), timeout=30) as peer:
            peer.sendall(b"\x0b" + data + b"\x1c\r")
            return peer.recv(65_536)

    def command(self, *arguments: str) -> str:
        """What a command of the product prints."""
        done = self.site.start(*arguments, "--data", self.site.data, log=self.site.folder / "out")
        done.wait(timeout=60)
        text = (self.site.folder / "out").read_text(encoding="utf-8")
        (self.site.folder / "out").unlink()
        return text

    def worker(self) -> int:
        """The process that works through the journal: the youngest below the service."""
        keepers = _children(self.service.pid)
        workers = [worker for keeper in keepers for worker in _children(keeper)]
        return workers[-1] if workers else 0

    def lost(self) -> set[str]:
        """Control ids that were acknowledged and are not recorded once each, at the end."""
        self.good.stop()
        self.site.until_idle(self.service)
        digests = [
            each["entity"][0]["what"]["identifier"]["value"]
            for each in self.site.everything("Provenance?_count=200")
        ]
        assert len(digests) == len(set(digests)), "something was recorded twice"
        done = self.site.recorded()
        return set(self.good.accepted) - done


def folder_gone(place: Place) -> None:
    """The inbox of one feed is taken away; the files of another go on."""
    place.share.rename(place.share.with_name("away"))
    place.says("FB-6111", "degraded")
    place.good.goes_on()
    other = place.site.data / "inbox" / "contract-packages"
    (other / "none.csv").write_text("服务包编码,服务包名称\n", encoding="utf-8")
    place.until(lambda: not (other / "none.csv").exists(), "the other feed's file is taken")
    place.share.with_name("away").rename(place.share)
    place.is_well()


def worker_killed(place: Place) -> None:
    """SIGKILL of the process that works through the journal."""
    before = place.worker()
    os.kill(before, signal.SIGKILL)
    place.says("FB-6023", "ok")
    place.good.goes_on()
    place.until(lambda: place.worker() not in {0, before}, "another worker")


def clock_set_back(place: Place) -> None:
    """The clock goes back by an hour, and forward again."""
    place.clock.write_text("-3600")
    place.good.goes_on(messages=10)
    place.clock.write_text("0")
    place.good.goes_on()
    place.is_well()


def poison(place: Place) -> None:
    """A message ends every process that works on it; those behind it are recorded."""
    answer = place.send(
        b"MSH|^~\\&|HIS|JCCH|||20260101||ADT^A01|POISON1|P|2.5\rEVN|A01|20260101\r"
        b"PID|1||P9^^^JCCH^PI||POISON||19700101|M\rPV1|1|I|||||||||||||||||P9\r"
    )
    assert b"|AA|POISON1" in answer
    place.good.goes_on()
    place.until(lambda: "FB-6021" in place.command("replay", "--list", "--all"), "FB-6021")
    place.site.until_idle(place.service)


def disk_full(place: Place) -> None:
    """Nothing is acknowledged that cannot be kept; with room again everything goes on."""
    filling = place.site.folder / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    place.says("FB-5013", seconds=120)
    accepted = len(place.good.accepted)
    time.sleep(1)
    assert len(place.good.accepted) - accepted <= 1
    filling.unlink()
    place.good.goes_on(60)
    place.is_well()


def database_restarted(place: Place) -> None:
    """Down for some seconds, then back: health says so, connections are replaced."""
    control = os.environ["FHIR_BRIDGE_TEST_POSTGRESQL_CONTROL"]
    subprocess.run([control, "stop"], check=True)
    place.until(lambda: place.health()["status"] == "failing", "health says failing")
    subprocess.run([control, "start"], check=True)
    place.good.goes_on(60)
    place.is_well()


@contextmanager
def at(folder: Path, **settings: str) -> Iterator[Place]:
    """A place in `folder`; at its end nothing that was acknowledged is lost or doubled."""
    place = Place(folder, **settings)
    try:
        yield place
        assert place.lost() == set()
    finally:
        place.good.stop()
        place.site.close()
        shutil.rmtree(folder, ignore_errors=True)


def _receive_from(share: Path, site: Site) -> None:
    """The feed FILES takes its files from `share`, a folder beside the data folder."""
    path = Path("feeds") / f"{FILES}.toml"
    feed = (MAPPINGS / path).read_text(encoding="utf-8")
    named = feed.replace('kind = "folder"', f'kind = "folder"\nfolder = "{share}"')
    (site.overlay / "mappings" / path).write_text(named, encoding="utf-8")
    share.mkdir(parents=True)


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(each) for each in text.split()]
