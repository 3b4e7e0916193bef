"""Apps in a browser that come from another address: CORS.

https://fetch.spec.whatwg.org/#http-cors-protocol, https://hl7.org/fhir/R4/security.html#cors

Off unless origins are named or apps are registered.  An answer to a page of another origin can be read by it only
when it comes from one of them.  No cookies are involved: an app sends its own token.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from fhir_bridge.errors import BridgeError

__all__ = ["CrossOrigin"]

_SENT = (
    "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist,"
    " If-None-Match, Prefer, X-Request-Id"
)
_READ = "Allow, Content-Location, ETag, Last-Modified, Location, X-Request-Id"
_MAX_AGE_SECONDS = "600"


class CrossOrigin:
    """The pages that may read what is answered to them.

    They are those of `origins`, and those that `is_app_origin` knows of registered apps.
    """

    def __init__(
        self, origins: Collection[str], is_app_origin: Callable[[str], bool] | None = None
    ) -> None:
        self._origins = frozenset(origins)
        self._is_app_origin = is_app_origin

    def _allows(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        return bool(origin) and self._is_app_origin is not None and self._is_app_origin(origin)

    def headers(self, environ: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What an answer to the request of `environ` says about its reader."""
        if not self._origins and self._is_app_origin is None:
            return []
        origin = environ.get("HTTP_ORIGIN", "")
        if not self._allows(origin):
            return [("Vary", "Origin")]
        return [
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", _READ),
        ]

    def require_own(self, environ: Mapping[str, Any], base_url: str) -> None:
        """Raises BridgeError FB-4203 for a change that a page of another origin asks for.

        A form on any page can make a browser here send a POST; the browser says whose page it
        is (https://www.w3.org/TR/fetch-metadata/).  Pages of named origins may.
        """
        origin = environ.get("HTTP_ORIGIN", "")
        if self._allows(origin):
            return
        own = {f"{environ.get('wsgi.url_scheme')}://{environ.get('HTTP_HOST')}", _origin(base_url)}
        is_foreign = environ.get("HTTP_SEC_FETCH_SITE", "none") in {"cross-site", "same-site"}
        if is_foreign or (origin and origin not in own):
            raise BridgeError("FB-4203")

    def preflight(self, environ: Mapping[str, Any], methods: str) -> list[tuple[str, str]]:
        """What a browser is told that asks before it sends (``OPTIONS``)."""
        headers = self.headers(environ)
        if len(headers) < 2 or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
            return headers
        return [
            *headers,
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", _SENT),
            ("Access-Control-Max-Age", _MAX_AGE_SECONDS),
        ]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
