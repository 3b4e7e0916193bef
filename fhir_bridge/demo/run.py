"""The demo: the product itself, with three source systems beside it.

Nothing here converts or stores anything.  The service is wired and started as ``serve`` does
it; the sources run in another process and come in through the listeners, the inbox and the
REST pull; when everything is recorded a summary says what happened.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fhir_bridge.app import Product, Services, build
from fhir_bridge.config import Settings
from fhir_bridge.demo.report import print_addresses, print_restart, print_summary, words
from fhir_bridge.demo.summary import summarize
from fhir_bridge.demo.watching import SourceProcess
from fhir_bridge.errors import BridgeError
from fhir_bridge.ingest import Feed

if TYPE_CHECKING:
    from fhir_bridge.demo.people import People

__all__ = ["Choice", "hospital_feed", "run"]

_PULLED = "contract-agreements"
_TOKEN_FILE = "demo-token"  # noqa: S105 - a file's name
_MARK = "demo-record"
_QUIET_LOOKS = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for on the command line."""

    residents: int
    seed: int
    mllp_port: int
    fresh: bool
    leave: bool
    resend: bool


def run(settings: Settings, choice: Choice) -> int:
    """Run the demo; the exit code (1 when a source could not do its work)."""
    console, say = Console(), words(settings.language)
    _make_room(settings.data, fresh=choice.fresh)
    console.print(say("starting"))
    services = build(settings)
    mllp_port = _set_mllp_port(services.feeds, choice.mllp_port)
    product = Product(services)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    began = time.monotonic()
    product.start()
    try:
        trouble = _feed(product, choice, f"{settings.listen}:{mllp_port}", stop, console)
        if stop.is_set():
            return 130
        summary = summarize(services, time.monotonic() - began, settings.language)
        print_summary(summary, console, say)
        if trouble:
            console.print(say("wrong", reason=trouble), style="red")
        if choice.leave:
            print_restart(f"--data {settings.data} --port {settings.port}", console, say)
        print_addresses(
            summary, product.page_url, settings.fhir_base, console, say, people=_people(services)
        )
        if not choice.leave:
            console.print(f"\n{say('serving')}")
            stop.wait()
        return 1 if trouble else 0
    finally:
        product.stop()


def _people(services: Services) -> People | None:
    """Who signs in, where somebody must."""
    if services.gate is None:
        return None
    from fhir_bridge.demo.people import make_people

    return make_people(services.gate, services.store)


def _feed(product: Product, choice: Choice, mllp: str, stop: Event, console: Console) -> str:
    """Let the sources send, pull what waits to be pulled, wait for the end; what went wrong."""
    settings = product.services.settings
    token_file = settings.data / _TOKEN_FILE
    token_file.touch(mode=0o600)
    token_file.write_text(secrets.token_urlsafe(16), encoding="utf-8")
    sources = SourceProcess(
        mllp=mllp,
        data=settings.data,
        residents=choice.residents,
        seed=choice.seed,
        token_file=token_file,
        resend=choice.resend,
    )
    try:
        failures: list[str] = []
        pull = Thread(target=_pull, args=(product, sources, failures), daemon=True)
        pull.start()
        with _progress(console) as progress:
            _watch(product, sources, progress, stop)
        pull.join(timeout=60)
        return "; ".join(filter(None, [sources.trouble(), *failures]))
    finally:
        sources.stop()


def _watch(product: Product, sources: SourceProcess, progress: Progress, stop: Event) -> None:
    settings = product.services.settings
    say = words(settings.language)
    sending = progress.add_task(say("sending"), total=None)
    recording = progress.add_task(say("recording"), total=None)
    timings = product.services.pipeline.timings

    def show() -> None:
        sent = sources.told.count
        progress.update(sending, completed=sent, total=None if sources.working else sent)
        progress.update(
            recording, completed=timings.records, total=max(sent, timings.records) or None
        )

    while sources.working and not stop.wait(0.3):
        show()
    show()
    while product.folders.waiting() and not stop.wait(0.3):
        show()
    quiet = 0
    while quiet < _QUIET_LOOKS and not stop.wait(0.3):
        quiet = 0 if product.services.store.journal.has_pending() else quiet + 1
        show()


def _pull(product: Product, sources: SourceProcess, failures: list[str]) -> None:
    """Read the contract system's REST interface into the feed of its agreements."""
    feed = product.services.feeds.get(_PULLED)
    sources.serving.wait()
    if feed is None or not sources.told.api_url:
        return
    options = {"url": sources.told.api_url, "token_file": _TOKEN_FILE, "page": 100}
    listener = replace(feed.listener, kind="pull", options=options)
    try:
        product.puller(replace(feed, listener=listener)).read()
    except BridgeError as error:
        failures.append(str(error))


def hospital_feed(feeds: Mapping[str, Feed]) -> Feed:
    """The feed whose MLLP listener the hospital of the community sends to."""
    return next(feed for _, feed in sorted(feeds.items()) if feed.listener.kind == "mllp")


def _set_mllp_port(feeds: dict[str, Feed], port: int) -> int:
    """The port of the hospital's feed, changed to `port` where one is asked for."""
    feed = hospital_feed(feeds)
    if port:
        feeds[feed.name] = replace(feed, listener=replace(feed.listener, port=port))
    return port or feed.listener.port


def _make_room(data: Path, *, fresh: bool) -> None:
    """An empty folder for a fresh demo; only what an earlier demo left is ever removed."""
    if fresh and (data / _MARK).exists():
        shutil.rmtree(data)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / _MARK).touch()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
