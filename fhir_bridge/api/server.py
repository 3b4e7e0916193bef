"""The production server: waitress, in this process, on a socket that may be shared.

https://docs.pylonsproject.org/projects/waitress/; chosen by measurement,
docs/decisions/adr-2611-serving.md

One loop thread reads and writes sockets, `threads` worker threads run the application, so a
slow client costs a buffer and not a worker.  Several processes may serve one port: bind
once with `bind`, fork, and give each the same listener.

An address may hold raw UTF-8, as a person types it into a command: RFC 3986 has no such
bytes, https://www.rfc-editor.org/rfc/rfc3987#section-3.1 says what they stand for.
"""

from __future__ import annotations

import logging
import re
import socket
import time
from functools import partial
from threading import Thread
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from fhir_bridge.api.connections import Connections, Limits

__all__ = ["Server", "bind", "serve"]

_BACKLOG = 1024
_MAX_BODY = 1 << 30
"""What the server itself takes; the application's own limit is lower and speaks FHIR."""

_BEYOND = 100
"""Beyond the limit of connections the server itself would accept no more: `Connections` decides."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.  Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def serve(
    app: Any,
    host: str,
    port: int,
    threads: int,
    *,
    listener: socket.socket | None = None,
    limits: Limits | None = None,
) -> Server:
    """Serve `app` until the server that is answered is closed."""
    return Server(app, listener or bind(host, port), threads, limits or Limits())


class Server:
    """A running server."""

    def __init__(self, app: Any, listener: socket.socket, threads: int, limits: Limits) -> None:
        self.host, self.port = listener.getsockname()[:2]
        # Its lines name addresses of requests, which may name patients; faults have ours.
        logging.getLogger("waitress").setLevel(logging.CRITICAL)
        self._channels: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._channels,
            sockets=[listener],
            threads=threads,
            backlog=_BACKLOG,
            connection_limit=limits.connections + _BEYOND,
            cleanup_interval=1,
            max_request_body_size=_MAX_BODY,
            asyncore_use_poll=True,
            ident=None,
            # Whoever decides on access must see that a request came through a proxy.
            clear_untrusted_proxy_headers=False,
        )
        connections = Connections(self._server, limits, _Channel)
        self._server.channel_class = connections.admit
        self._server.maintenance = connections.sweep
        self._loop = Thread(target=self._server.run, name="http", daemon=True)
        self._loop.start()

    @property
    def url(self) -> str:
        """The address of the server, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def wait(self) -> None:
        """Until the server is closed."""
        self._loop.join()

    def close(self, timeout: float = 5.0) -> None:
        """Take no more connections, let running requests end, then close the rest."""
        trigger = self._server.trigger
        trigger.pull_trigger(partial(wasyncore.dispatcher.close, self._server))
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=timeout)
        trigger.pull_trigger(self._close_channels)
        self._loop.join(timeout)
        trigger.close()

    def _close_channels(self) -> None:
        """In the loop's own thread: with no channel left the loop ends.

        The trigger leaves the loop but stays open: the loop may run this before the thread
        that asked for it has written to the trigger's pipe.
        """
        for channel in list(self._channels.values()):
            if channel is self._server.trigger:
                channel.del_channel()
            else:
                channel.close()
        self._channels.clear()


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; bytes of its first line that are not ASCII are taken as percent-encoded."""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.begun = time.time()
        """When its first byte came, in the seconds of waitress."""

    def parse_header(self, header_plus: bytes) -> None:
        """Reads the first line and the headers, which end with an empty line."""
        line, end, headers = header_plus.partition(b"\r\n")
        if not line.isascii():
            line = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], line)
        super().parse_header(line + end + headers)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection whose requests `_Parser` reads."""

    parser_class = _Parser
