"""A FHIR request as a value, the same for HTTP and for the entries of a Bundle.

https://hl7.org/fhir/R4/http.html#summary, https://hl7.org/fhir/R4/http.html#Http-Headers
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from fhir_bridge.errors import BridgeError

__all__ = [
    "FORM",
    "JSON_PATCH",
    "XML_PATCH",
    "Prefer",
    "Request",
    "parse_prefer",
    "require_text",
    "split_url",
]

JSON_PATCH = "application/json-patch+json"
XML_PATCH = "application/xml-patch+xml"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Prefer:
    """What the client would like (RFC 7240): ``return`` ("" when not said) and ``handling``."""

    returns: str = ""
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request.  `path` holds the decoded segments below the base, `query` the pairs.

    `body` is the parsed body: a resource, a JSON Patch (list), an XML Patch (text), the
    bytes of a Binary, or None.  `media` is its media type without parameters.  Header
    names in `headers` are in lower case.
    """

    method: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    media: str = "application/fhir+json"

    @property
    def prefer(self) -> Prefer:
        """The ``Prefer`` header as a value."""
        return parse_prefer(self.headers.get("prefer", ""))


def parse_prefer(text: str) -> Prefer:
    """The preferences in `text`; unknown ones are ignored, as RFC 7240 §2 asks.

    >>> parse_prefer("return=minimal; handling=lenient")
    Prefer(returns='minimal', lenient=True)
    """
    returns, lenient = "", False
    for part in text.replace(";", ",").split(","):
        name, _, value = (piece.strip().strip('"') for piece in part.partition("="))
        if name == "return" and value in ("minimal", "representation", "OperationOutcome"):
            returns = value
        elif name == "handling":
            lenient = value == "lenient"
    return Prefer(returns, lenient)


def split_url(url: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Path segments and query pairs of a relative `url`, decoded.

    >>> split_url("Patient/a%2Fb?name=x%20y&_count=2")
    (('Patient', 'a/b'), (('name', 'x y'), ('_count', '2')))
    """
    path, _, query = url.partition("?")
    segments = tuple(unquote(segment) for segment in path.split("/") if segment)
    return segments, require_text(parse_qsl(query, keep_blank_values=True))


def require_text(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """`pairs` when none holds the NUL character, which no FHIR string and no database has."""
    listed = tuple(pairs)
    for name, value in listed:
        if "\x00" in name or "\x00" in value:
            raise BridgeError("FB-4025", name=name.replace("\x00", "?"), reason="it holds NUL")
    return listed
