"""Run the service."""

from __future__ import annotations

import faulthandler
import resource
import signal
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from fhir_bridge.cli.ports import require_free_port
from fhir_bridge.config import Settings, load_settings

if TYPE_CHECKING:
    from fhir_bridge.app import Services

__all__ = ["access_line", "command", "set_up_line"]

_GRACE_SECONDS = 5
_STDERR = 2

_MAX_DESCRIPTORS = 16_384


@click.command("serve")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data folder.")
@click.option("--database", help="Database URL; default: a file in the data folder.")
@click.option("--host", help="Address of the HTTP server.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the HTTP server.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes that answer HTTP requests; default: as suits the machine.",
)
def command(data: Path | None, **chosen: Any) -> int:
    """Receive from all feeds, record, and answer FHIR requests and pages until stopped.

    Every setting is also an environment variable (docs/settings.md).

    Example: fhir-bridge serve --data var --port 8080
    """
    from fhir_bridge.app import Product, build, worker_count

    settings = load_settings(data=data.resolve() if data else None, **chosen)
    _take_descriptors()
    require_free_port(settings.host, settings.port, "--port", "the pages and the API")
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    services = build(settings)
    product = Product(
        services,
        workers=worker_count(settings),
        pipeline_workers=settings.pipeline_workers,
    )
    try:
        product.start()
        click.echo(f"FHIR Bridge serves {product.page_url} and {settings.fhir_base}", err=True)
        if line := set_up_line(services):
            click.echo(line, err=True)
        click.echo(access_line(settings), err=True)
        stop.wait()
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error.strerror or error}") from error
    finally:
        # Should something of ours hang in spite of its own limits, the process ends all the same.
        faulthandler.dump_traceback_later(
            settings.stop_seconds + _GRACE_SECONDS, exit=True, file=_STDERR
        )
        product.stop()
        faulthandler.cancel_dump_traceback_later()
    return 0


def access_line(settings: Settings) -> str:
    """What the setting ``access`` means for whoever starts the service."""
    if settings.access == "closed":
        return "access=closed: people sign in, apps bring a token; nobody else sees the record"
    return (
        "access=open: every program and user of this machine sees and changes the whole record;"
        " others, and all that comes through a proxy, are refused"
    )


def set_up_line(services: Services) -> str:
    """The one-time link for the first operator, as long as nobody can sign in; else ""."""
    if services.gate is None or not services.gate.accounts.is_empty():
        return ""
    link = services.gate.accounts.codes.set_up_link(role="operator")
    return f"first operator: open {services.settings.pages_base}/sign-in/set-up?link={link}"


def _take_descriptors() -> None:
    """As many open files as the machine lets us have: each connection is one."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_DESCRIPTORS if most == resource.RLIM_INFINITY else min(_MAX_DESCRIPTORS, most)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
