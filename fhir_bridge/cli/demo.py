"""The demo: a whole community sent through the product."""

from __future__ import annotations

from pathlib import Path

import click

from fhir_bridge.cli.options import artifacts
from fhir_bridge.cli.ports import require_free_port
from fhir_bridge.config import load_settings

__all__ = ["command"]


@click.command("demo")
@click.option(
    "--residents",
    default=13_420,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many residents the community has.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same data.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the record here, and go on with what is there.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the pages and the API.")
@click.option(
    "--mllp-port",
    default=0,
    type=click.IntRange(0, 65535),
    help="Port of the hospital's MLLP listener.",
)
@click.option(
    "--language", type=click.Choice(["zh-CN", "en"]), help="Language of the summary and the pages."
)
@click.option("--exit", "leave", is_flag=True, help="End after the summary instead of serving.")
@click.option("--resend", is_flag=True, help="Send again what was acknowledged in an earlier run.")
def command(
    *,
    residents: int,
    seed: int,
    data: Path | None,
    port: int | None,
    mllp_port: int,
    language: str | None,
    leave: bool,
    resend: bool,
) -> int:
    """Send H community (13,420 residents, three kinds of source system) through the product.

    The sources run in a process of their own and use the real listeners.  Ends with a summary
    and addresses to open, then serves until stopped.

    Example: fhir-bridge demo --residents 500 --exit
    """
    from fhir_bridge.demo.run import Choice, hospital_feed, run
    from fhir_bridge.ingest import load_feeds

    log_level = load_settings().log_level
    settings = load_settings(
        data=(data or load_settings().data / "demo").resolve(),
        port=port,
        language=language,
        log_level="WARNING" if log_level == "INFO" else log_level,
    )
    require_free_port(settings.host, settings.port, "--port", "the pages and the API")
    feed = hospital_feed(load_feeds(artifacts()))
    port = mllp_port or feed.listener.port
    require_free_port(settings.listen, port, "--mllp-port", f"the messages of feed {feed.name}")
    choice = Choice(residents, seed, mllp_port, data is None, leave, resend)
    try:
        return run(settings, choice)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen: {error.strerror or error}; choose other ports with --port and --mllp-port"
        ) from error
