"""The public keys of an app: as registered, or fetched from where the app publishes them.

Fetched keys are kept no longer than their ``Cache-Control`` says.  An unknown `kid` makes them
be fetched once more, so that an app can rotate its keys; not more often than every ten seconds,
so that nobody can make us call somebody again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.smart.app import App
from fhir_bridge.smart.jose import require_public_keys

__all__ = ["Fetch", "KeySets"]

Fetch = Callable[[str], tuple[Mapping[str, Any], int]]
"""The JWKS at an address and for how many seconds it may be kept; raises BridgeError."""

_MAX_SECONDS, _PAUSE_SECONDS = 3_600, 10.0

Keys = Sequence[Mapping[str, Any]]


class KeySets:
    """The keys of apps, for one process."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, tuple[float, float, Keys]] = {}

    def of(self, app: App, kid: str) -> Keys:
        """The keys of `app`; empty when they cannot be had."""
        if app.jwks is not None:
            return list(app.jwks["keys"])
        now = time.monotonic()
        fetched, until, keys = self._kept.get(app.jwks_url, (0.0, 0.0, []))
        is_unknown = not any(key.get("kid") == kid for key in keys)
        if now < until and not (is_unknown and now - fetched > _PAUSE_SECONDS):
            return keys
        try:
            jwks, seconds = self._fetch(app.jwks_url)
            require_public_keys(jwks)
        except BridgeError:
            return keys if now < until else []
        found: Keys = list(jwks["keys"])
        self._kept[app.jwks_url] = (now, now + min(seconds, _MAX_SECONDS), found)
        return found
