"""Reads a list page by page into the journal and remembers where it is.

Promises: a page counts as read only when the journal has it on disk; a reading that breaks off
goes on at the page it had reached, also after a restart; reading a page again is harmless,
because the journal knows repeats by their digest.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import requests

from fhir_bridge import clock, log
from fhir_bridge.clients.page import fetch_page
from fhir_bridge.clients.pull_source import PullSource
from fhir_bridge.errors import BridgeError, Issue

__all__ = ["Appender", "Pulled", "Puller"]


class Appender(Protocol):
    """Puts one page durably into the journal; True when it was there already."""

    def __call__(
        self, *, feed: str, data: bytes, digest: str, control_id: str, received: str, source: str
    ) -> bool:
        """Append the page `data` of `feed`."""
        ...


@dataclass(frozen=True, slots=True)
class Pulled:
    """One reading of the list: pages, those that were known, rows."""

    pages: int
    repeated: int
    rows: int


class Puller:
    """One pulled feed: its source, the journal's door and the file with its place."""

    def __init__(
        self,
        source: PullSource,
        append: Appender,
        state: Path,
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._source, self._append, self._state, self._wait = source, append, state, wait
        self.trouble: Issue | None = None
        """Why the last reading broke off; None when it came to its end."""

    def read(self) -> Pulled:
        """Read the list once, from where the last reading broke off or from its start.

        Raises BridgeError FB-6201 to FB-6205; what was read until then stays read.
        """
        pages = repeated = rows = 0
        token = self._place()
        with self._session() as session:
            while True:
                data = fetch_page(session, self._source, token, wait=self._wait)
                content = self._parse(data)
                count = _count(content)
                if count:
                    repeated += self._journal(data, token)
                pages, rows = pages + 1, rows + count
                token = self._following(content, token, pages)
                self._remember(token)
                if not token:
                    return Pulled(pages, repeated, rows)

    def run(self, stop: Event) -> None:
        """Read again and again until `stop` is set; trouble is logged and tried again later."""
        while not stop.is_set():
            try:
                pulled = self.read()
                self.trouble = None
                log.event("pulled", feed=self._source.feed, count=pulled.rows)
            except Exception as error:  # a fault of ours must not end the reading for ever
                self.trouble = (
                    error.issues[0] if isinstance(error, BridgeError) else Issue("FB-6101")
                )
                kind = type(error).__name__
                log.event("pull failed", feed=self._source.feed, code=self.trouble.code, kind=kind)
            stop.wait(self._source.every_seconds)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers["Accept"] = "application/json"
        if self._source.token:
            session.headers["Authorization"] = f"Bearer {self._source.token}"
        return session

    def _parse(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError:
            raise self._malformed("the answer is not JSON") from None

    def _journal(self, data: bytes, token: str) -> bool:
        digest = hashlib.sha256(data).hexdigest()
        return self._append(
            feed=self._source.feed,
            data=data,
            digest=digest,
            control_id=f"{self._source.page_parameter}={token}" if token else "",
            received=clock.instant(),
            source=self._source.url,
        )

    def _following(self, content: Any, token: str, pages: int) -> str:
        """The next page's token; "" after the last page."""
        following = content.get(self._source.next) if isinstance(content, dict) else None
        if following is None or following == "":
            return ""
        if not isinstance(following, str | int) or isinstance(following, bool):
            raise self._malformed(f"{self._source.next} is no token")
        if str(following) == token:
            raise self._malformed("a page names itself as the next one")
        if pages >= self._source.most_pages:
            raise BridgeError(
                "FB-6205", self._source.feed, feed=self._source.feed, limit=self._source.most_pages
            )
        return str(following)

    def _malformed(self, reason: str) -> BridgeError:
        return BridgeError("FB-6203", self._source.feed, feed=self._source.feed, reason=reason)

    def _place(self) -> str:
        """The page at which the last reading broke off; a file that cannot be read is no place."""
        try:
            return str(json.loads(self._state.read_bytes())["page"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _remember(self, token: str) -> None:
        if not token:
            self._state.unlink(missing_ok=True)
            return
        self._state.parent.mkdir(parents=True, exist_ok=True)
        aside = self._state.with_suffix(".part")
        aside.write_text(json.dumps({"page": token}), encoding="utf-8")
        aside.replace(self._state)


def _count(content: Any) -> int:
    """How many rows a page holds: a list, or the first list that is a member of an object."""
    if isinstance(content, list):
        return len(content)
    if isinstance(content, dict):
        return next((len(value) for value in content.values() if isinstance(value, list)), 1)
    return 1
