"""Fetches the keys that a registered app publishes: the one way out that an app can cause.

Only addresses that an operator has registered are asked, over https (http on this machine alone),
without redirects, within five seconds and 64 KiB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import requests

from fhir_bridge.errors import BridgeError

__all__ = ["fetch_key_set"]

_SECONDS, _MAX_BYTES = 5, 65_536
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")
_USUAL_AGE = 300


def fetch_key_set(address: str) -> tuple[Mapping[str, Any], int]:
    """The JWKS at an address, and for how many seconds it may be kept.

    Raises BridgeError FB-7313 when there is none to be had.
    """
    try:
        with requests.get(
            address,
            timeout=_SECONDS,
            stream=True,
            allow_redirects=False,
            headers={"Accept": "application/json"},
        ) as response:
            if response.status_code != 200:
                raise BridgeError("FB-7313", reason=f"the answer is {response.status_code}")
            body = response.raw.read(_MAX_BYTES + 1, decode_content=True)
            control = response.headers.get("Cache-Control", "").lower()
    except requests.RequestException as error:
        raise BridgeError("FB-7313", reason="there is no answer") from error
    if len(body) > _MAX_BYTES:
        raise BridgeError("FB-7313", reason="the answer is too large")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BridgeError("FB-7313", reason="the answer is not JSON") from None
    if not isinstance(found, dict):
        raise BridgeError("FB-7313", reason="the answer is not a JWKS")
    return found, _age(control)


def _age(control: str) -> int:
    if "no-store" in control or "no-cache" in control:
        return 0
    said = _MAX_AGE.search(control)
    return int(said[1]) if said else _USUAL_AGE
