"""Fetches one page of a list: with a limit of time and of size, and again when it is worth it.

Worth it are refused and broken connections, timeouts and the statuses 429, 502, 503 and 504
(RFC 9110 section 15); ``Retry-After`` is respected up to a minute.  A redirect is refused:
following it could hand the token to another host.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import requests

from fhir_bridge.clients.pull_source import PullSource
from fhir_bridge.errors import BridgeError

__all__ = ["fetch_page"]

_AGAIN = frozenset({429, 502, 503, 504})
_MAX_PAUSE = 60.0


def fetch_page(
    session: requests.Session,
    source: PullSource,
    token: str,
    *,
    wait: Callable[[float], object] = time.sleep,
) -> bytes:
    """The body of the page that `token` names ("" for the first one).

    Raises BridgeError: FB-6201 not reachable, FB-6202 another status than 200, FB-6204 too large.
    """
    url, parameters = _request(source, token)
    for attempt in range(source.retries + 1):
        last = attempt == source.retries
        try:
            with session.get(
                url,
                params=parameters,
                timeout=source.timeout_seconds,
                stream=True,
                allow_redirects=False,
            ) as response:
                if response.status_code == 200:
                    return _body(response, source)
                if response.status_code not in _AGAIN or last:
                    raise BridgeError(
                        "FB-6202", source.feed, feed=source.feed, status=response.status_code
                    )
                pause = _pause(attempt, response.headers.get("Retry-After", ""))
        except (requests.ConnectionError, requests.Timeout) as error:
            if last:
                raise BridgeError("FB-6201", source.feed, feed=source.feed) from error
            pause = _pause(attempt, "")
        wait(pause)
    raise AssertionError("the last attempt answers or raises")


def _request(source: PullSource, token: str) -> tuple[str, dict[str, str]]:
    """Where the page is.  A token that is an address must stay on the source's host."""
    if token.startswith(("http://", "https://", "/")):
        url = urljoin(source.url, token)
        if urlsplit(url)[:2] != urlsplit(source.url)[:2]:
            reason = "the next page lies on another host"
            raise BridgeError("FB-6203", source.feed, feed=source.feed, reason=reason)
        return url, {}
    parameters = {source.size_parameter: str(source.page)}
    if token:
        parameters[source.page_parameter] = token
    return source.url, parameters


def _body(response: requests.Response, source: PullSource) -> bytes:
    blocks: list[bytes] = []
    size = 0
    for block in response.iter_content(65_536):
        size += len(block)
        if size > source.largest_page:
            raise BridgeError("FB-6204", source.feed, feed=source.feed, limit=source.largest_page)
        blocks.append(block)
    return b"".join(blocks)


def _pause(attempt: int, retry_after: str) -> float:
    """Half a second, doubled with each attempt; the server's own wish first."""
    if retry_after.isdigit():
        return min(float(retry_after), _MAX_PAUSE)
    return min(0.5 * 2.0**attempt, _MAX_PAUSE)
