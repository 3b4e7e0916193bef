"""Content negotiation: which format a request speaks and which one it wants back.

https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#parameters,
https://www.rfc-editor.org/rfc/rfc9110#name-accept
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions import FORM, JSON_PATCH, XML_PATCH

__all__ = ["FHIR_JSON", "FHIR_XML", "FORM", "Format", "accepted_format", "content_media"]

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"

_JSON = ("application/fhir+json", "application/json", "text/json", "json", "application/json+fhir")
_XML = ("application/fhir+xml", "application/xml", "text/xml", "xml", "application/xml+fhir")
_FAMILY: dict[str, Literal["json", "xml"]] = {
    **dict.fromkeys(_JSON, "json"),
    **dict.fromkeys(_XML, "xml"),
    "*/*": "json",
    "application/*": "json",
    "text/*": "json",
    # A browser asks for pages; it is shown JSON rather than an error.
    "text/html": "json",
    "application/xhtml+xml": "json",
}
_NOT_CONTENT = ("*/*", "application/*", "text/*", "text/html", "application/xhtml+xml")
_OURS = ("4.0", "4.0.1", "")
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii", "")


@dataclass(frozen=True, slots=True)
class Format:
    """The format of an answer: its family and the Content-Type that is announced."""

    family: Literal["json", "xml"]
    content_type: str

    @property
    def is_xml(self) -> bool:
        """Whether the answer is FHIR XML."""
        return self.family == "xml"


_ANSWERS: dict[str, Format] = {
    "json": Format("json", f"{FHIR_JSON}; charset=utf-8"),
    "xml": Format("xml", f"{FHIR_XML}; charset=utf-8"),
}
_PLAIN = {
    "application/json": "json",
    "text/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}


def accepted_format(accept: str, override: str = "") -> Format:
    """The format for an ``Accept`` header, over which ``_format`` (`override`) wins.

    JSON is the default, also where both are as welcome: it is smaller and far quicker.  Raises BridgeError FB-4006 when nothing that is asked for can be
    served, another FHIR version (``fhirVersion=5.0``) included.

    >>> accepted_format("application/fhir+xml, application/fhir+json;q=0.5").family
    'xml'
    >>> accepted_format("application/fhir+xml, application/fhir+json").family
    'json'
    """
    asked = override.replace(" ", "+") or accept
    if not asked.strip():
        return _ANSWERS["json"]
    best: tuple[float, str] = (0.0, "")
    refused = set()
    for part in asked.split(","):
        media, *parameters = (piece.strip(" +").lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if quality == 0.0:
            refused.add(_FAMILY.get(media, ""))
        elif media in _FAMILY and _version(parameters) in _OURS:
            is_as_welcome = quality == best[0] and media in _JSON and best[1] in _XML
            if quality > best[0] or is_as_welcome:
                best = (quality, media)
    if not best[1]:
        raise BridgeError("FB-4006", asked=_plain(asked[:120]))
    family = _FAMILY[best[1]]
    if family in refused and "*" in best[1]:
        return _ANSWERS["xml" if family == "json" else "json"]
    if best[1] in _PLAIN and not override:
        return Format(family, f"{best[1]}; charset=utf-8")
    return _ANSWERS[family]


def content_media(content_type: str) -> str:
    """What the body of a request is: FHIR_JSON, FHIR_XML, JSON_PATCH, XML_PATCH, FORM.

    Any other media type is answered as it stands (a Binary may be anything).  Raises
    BridgeError FB-4007 for another FHIR version, and for text that is not in UTF-8.
    """
    media, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    is_patch = media in (JSON_PATCH, XML_PATCH, FORM)
    family = None if media in _NOT_CONTENT else _FAMILY.get(media)
    if not is_patch and (family is None or "/" not in media):
        return media
    if _value(parameters, "charset") not in _UTF8:
        raise BridgeError("FB-4007", media=content_type[:120], allowed="UTF-8 alone")
    if is_patch:
        return media
    if _version(parameters) not in _OURS:
        raise BridgeError("FB-4007", media=content_type[:120], allowed=f"{FHIR_JSON}, {FHIR_XML}")
    return FHIR_JSON if family == "json" else FHIR_XML


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(1.0, float(parameter[2:]))
            except ValueError:
                return 0.0
    return 1.0


def _version(parameters: list[str]) -> str:
    return _value(parameters, "fhirversion")


def _value(parameters: list[str], wanted: str) -> str:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == wanted:
            return value.strip(' "')
    return ""


def _plain(text: str) -> str:
    """What may stand in a media type (RFC 9110 section 5.6.2): nothing that a page would run."""
    return "".join(each if each.isalnum() or each in ' ,;/+-.*="' else "?" for each in text)
