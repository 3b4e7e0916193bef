"""What is known of a source that is pulled: the options of a feed's ``[listener]`` section.

==================  ======================================================================
``url``             the list to read (required)
``token_file``      file with a bearer token; relative names lie in the data folder
``every_seconds``   pause between two readings of the list, default 300
``page_parameter``  query parameter that takes the token of a page, default ``page``
``size_parameter``  query parameter for the size of a page, default ``limit``
``page``            size to ask for, default 200
``next``            member of the answer with the next page's token or URL, default ``next``
``timeout_seconds`` for connecting and between bytes, default 30
``retries``         how often a page is asked for again, default 5
``largest_page``    most bytes of one answer, default 33554432
``most_pages``      most pages of one reading, default 100000
==================  ======================================================================

A token stands in a file, never in the feed's file: those are shared, logged and reviewed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fhir_bridge.errors import BridgeError

__all__ = ["PullSource", "read_pull_source"]


@dataclass(frozen=True, slots=True)
class PullSource:
    """One list behind HTTP; see the module's table.  `token` does not show in ``repr``."""

    feed: str
    url: str
    token: str = field(default="", repr=False)
    every_seconds: float = 300
    page_parameter: str = "page"
    size_parameter: str = "limit"
    page: int = 200
    next: str = "next"
    timeout_seconds: float = 30
    retries: int = 5
    largest_page: int = 32 * 1024 * 1024
    most_pages: int = 100_000


def read_pull_source(feed: str, options: Mapping[str, Any], data: Path) -> PullSource:
    """The source that `options` describe; a relative ``token_file`` lies in `data`.

    Raises BridgeError FB-6206 for an option that is missing, unknown or of a wrong kind.
    """
    values = dict(options)
    token_file = values.pop("token_file", "")
    known = {each.name: each.default for each in fields(PullSource)}
    for name, value in values.items():
        if name not in known or name in {"feed", "token"}:
            raise BridgeError("FB-6206", feed, feed=feed, reason=f"listener.{name} is not a key")
        wanted = str if isinstance(known[name], str) or name == "url" else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            reason = f"listener.{name} takes another kind of value"
            raise BridgeError("FB-6206", feed, feed=feed, reason=reason)
    if urlsplit(values.get("url", "")).scheme not in {"http", "https"}:
        raise BridgeError("FB-6206", feed, feed=feed, reason="listener.url is an http(s) address")
    return PullSource(feed=feed, token=_token(feed, data, token_file), **values)


def _token(feed: str, data: Path, token_file: str) -> str:
    if not token_file:
        return ""
    try:
        return (data / token_file).read_text(encoding="utf-8").strip()
    except OSError:
        reason = "the file that listener.token_file names cannot be read"
        raise BridgeError("FB-6206", feed, feed=feed, reason=reason) from None
