"""Says which port is taken and which option names another, before anything is started."""

from __future__ import annotations

import socket

import click

__all__ = ["require_free_port"]


def require_free_port(host: str, port: int, option: str, what: str) -> None:
    """Ends the command when another program holds `port`, or `host` is no address of ours.

    `option` is where another port is chosen, `what` is who wants it ("the pages and the API").
    Port 0 takes any free one and is never refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            reason = error.strerror or str(error)
            raise click.ClickException(
                f"port {port} of {host} cannot be had for {what} ({reason}); "
                f"choose another with {option}"
            ) from error
