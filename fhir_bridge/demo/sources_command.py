"""The source systems as a command of their own.

Generation uses a second core, and the server can be killed and started again while they send.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any

import click

from fhir_bridge.demo.sources import Plan, run

__all__ = ["demo_sources"]


@click.command("demo-sources", hidden=True)
@click.option("--mllp", "address", metavar="HOST:PORT", help="Where HL7 v2 messages go.")
@click.option("--inbox", type=click.Path(file_okay=False, path_type=Path), help="Where files go.")
@click.option(
    "--residents",
    default=13_420,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many residents the community has.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same data.")
@click.option(
    "--acknowledged",
    "acknowledgements",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps what was answered.",
)
@click.option("--resend", is_flag=True, help="Send everything again, answered or not.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for a server.")
@click.option(
    "--window",
    default=64,
    show_default=True,
    type=click.IntRange(min=1),
    help="Messages under way at once.",
)
@click.option(
    "--api-port", default=0, help="Port of the contract system's API; 0 takes a free one."
)
@click.option(
    "--api-token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with its bearer token.",
)
@click.option("--keep-serving", is_flag=True, help="Serve the API until standard input ends.")
def demo_sources(
    address: str | None, *, api_token_file: Path | None, keep_serving: bool, **chosen: Any
) -> None:
    """Send H community's data as its source systems would.

    Example: fhir-bridge demo-sources --mllp 127.0.0.1:2575 --inbox var/inbox --residents 500
    """
    token = api_token_file.read_text(encoding="utf-8").strip() if api_token_file else "demo"
    plan = Plan(mllp=_address(address) if address else None, api_token=token, **chosen)
    over = Event() if keep_serving else None
    if over is not None:
        _end_with_standard_input(over)
    try:
        run(plan, stop=over)
    except ConnectionError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise click.BadParameter("expected HOST:PORT", param_hint="--mllp")
    return host or "127.0.0.1", int(port)


def _end_with_standard_input(over: Event) -> None:
    """Set `over` when whoever started this process goes away or asks it to end."""

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        over.set()

    signal.signal(signal.SIGTERM, lambda *_: over.set())
    Thread(target=wait, daemon=True).start()
