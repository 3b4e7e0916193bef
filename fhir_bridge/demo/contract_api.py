"""The contract system's own HTTP interface: agreements, page by page, behind a bearer token.

``GET /api/agreements?limit=200&page=TOKEN`` answers ``{"rows": [...], "next": TOKEN | null}``.
A page never cuts an agreement in two.  The token is the number of agreements before the page,
so that a reader can go on after a pause.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby, islice
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["ContractApi"]

Row = Mapping[str, str]
_MAX_PAGE = 500


class _Pages:
    """Cuts a stream of rows into pages; going on costs nothing, going back starts afresh."""

    def __init__(self, rows: Callable[[], Iterator[Row]], group: str) -> None:
        self._rows, self._group = rows, group
        self._lock = Lock()
        self._position, self._stream = 0, self._start()

    def page(self, start: int, limit: int) -> tuple[list[Row], int | None]:
        """The rows of `limit` groups from group `start`, and where the next page starts."""
        with self._lock:
            if start < self._position:
                self._position, self._stream = 0, self._start()
            for _ in islice(self._stream, start - self._position):
                pass
            groups = list(islice(self._stream, limit))
            self._position = start + len(groups)
            found = [row for group in groups for row in group]
            return found, self._position if len(groups) == limit else None

    def _start(self) -> Iterator[list[Row]]:
        for _, group in groupby(self._rows(), key=lambda row: row[self._group]):
            yield list(group)


class ContractApi:
    """The server, in a thread of its own, on a free port of this machine."""

    def __init__(self, rows: Callable[[], Iterator[Row]], token: str, port: int = 0) -> None:
        pages = _Pages(rows, "协议编号")

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                if self.headers.get("Authorization") != f"Bearer {token}":
                    self._answer(401, {"error": "a bearer token is needed"})
                elif url.path != "/api/agreements":
                    self._answer(404, {"error": "there is no such list"})
                else:
                    self._page(parse_qs(url.query))

            def _page(self, query: dict[str, list[str]]) -> None:
                try:
                    limit = min(max(int(query.get("limit", ["200"])[0]), 1), _MAX_PAGE)
                    start = max(int(query.get("page", ["0"])[0]), 0)
                except ValueError:
                    self._answer(400, {"error": "limit and page are numbers"})
                    return
                rows, following = pages.page(start, limit)
                self._answer(200, {"rows": rows, "next": following and str(following)})

            def _answer(self, status: int, content: dict[str, Any]) -> None:
                data = json.dumps(content, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - overrides
                """Stay silent: a query may name people."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where the agreements are listed."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/agreements"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
