"""Rules of single datatypes that R4 states in words and that no table holds.

https://hl7.org/fhir/R4/datatypes.html#attachment, #coding; https://hl7.org/fhir/R4/extensibility.html (ext-1)
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from typing import Any

from fhir_bridge.validation.finding import Findings, fault, moved

__all__ = ["TYPE_RULES"]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def _attachment(attachment: dict[str, Any]) -> Findings:
    """``size`` is the number of bytes of ``data``."""
    size, data = attachment.get("size"), attachment.get("data")
    if not isinstance(size, int) or not isinstance(data, str):
        return None
    try:
        true_size = len(binascii.a2b_base64(data))
    except binascii.Error:
        return None  # the structure check names it
    return (
        None
        if size == true_size
        else moved(fault("FB-3007", name="size", type="count of the bytes of data"), ".size")
    )


def _coding(coding: dict[str, Any]) -> Findings:
    """``system`` is an absolute URI: a bare name would mean another list at every sender."""
    system = coding.get("system")
    if not isinstance(system, str) or _ABSOLUTE.match(system):
        return None
    return moved(fault("FB-3007", name="system", type="absolute URI"), ".system")


def _extension(extension: dict[str, Any]) -> Findings:
    """ext-1: a value or extensions, one of the two."""
    has_value = _has_value(extension)
    if has_value != ("extension" in extension):
        return None
    reason = "holds a value and extensions" if has_value else "holds nothing"
    return fault("FB-3017", url=extension.get("url", ""), reason=reason)


def _has_value(keys: Iterable[str]) -> bool:
    return any(key.lstrip("_").startswith("value") for key in keys)


Rule = tuple[Callable[[frozenset[str]], bool], Callable[[dict[str, Any]], Findings]]
"""(whether an object with these keys may break it, the rule)."""

TYPE_RULES: dict[str, Rule] = {
    "Attachment": (lambda keys: keys.issuperset(("size", "data")), _attachment),
    "Coding": (lambda keys: "system" in keys, _coding),
    "Extension": (lambda keys: _has_value(keys) == ("extension" in keys), _extension),
}
