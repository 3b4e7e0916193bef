"""How FHIR datatypes read on a page: names, codes, times, quantities, references.

https://hl7.org/fhir/R4/datatypes.html.  Every function takes what is there and answers text;
absent values answer "".  Nothing here is HTML: the templates escape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fhir_bridge.fhir import Resource

__all__ = [
    "MAX_ITEMS",
    "address_text",
    "codes_of",
    "concept_text",
    "day",
    "first",
    "first_of",
    "list_of",
    "minute",
    "money_text",
    "period_text",
    "person_name",
    "quantity_text",
    "reference_text",
    "years_between",
]


MAX_ITEMS = 200
"""Items of one list that a page looks at: what a page costs is not for the record to say."""

_MAX_PLAIN_AMOUNT = 10**15
"""From here on an amount is written with an exponent."""


def list_of(node: Mapping[str, Any] | None, key: str) -> list[Any]:
    """The first `MAX_ITEMS` items under `key`: none, one or many, always as a list."""
    found = (node or {}).get(key)
    if found is None:
        return []
    return found[:MAX_ITEMS] if isinstance(found, list) else [found]


def first(node: Mapping[str, Any] | None, *keys: str) -> Any:
    """Follow `keys`, taking the first item of each list; None where a step is missing."""
    found: Any = node
    for key in keys:
        if isinstance(found, list):
            found = found[0] if found else None
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    if isinstance(found, list):
        return found[0] if found else None
    return found


def first_of(resource: Resource, *keys: str) -> str:
    """The first of these elements that is there, as text."""
    return next((str(resource[key]) for key in keys if resource.get(key)), "")


def person_name(resource: Resource) -> str:
    """The official or first name: as text, or family and given written in their order."""
    names = list_of(resource, "name")
    names.sort(key=lambda name: name.get("use") not in {"official", "usual"})
    for name in names:
        given = "".join(name.get("given", ()))
        parts = (name.get("family", ""), given)
        separator = "" if _is_chinese("".join(parts)) else " "
        text = name.get("text") or separator.join(filter(None, parts))
        if text:
            return str(text)
    return ""


def concept_text(concept: Mapping[str, Any] | None) -> str:
    """What a CodeableConcept says: its text, else the display or code of its first coding."""
    if not concept:
        return ""
    if concept.get("text"):
        return str(concept["text"])
    for coding in list_of(concept, "coding"):
        if coding.get("display") or coding.get("code"):
            return str(coding.get("display") or coding["code"])
    return ""


def codes_of(concept: Mapping[str, Any] | None) -> set[str]:
    """All codes of a CodeableConcept."""
    return {str(coding["code"]) for coding in list_of(concept, "coding") if coding.get("code")}


def day(text: str | None) -> str:
    """The date of a date or dateTime, as precise as it is."""
    return (text or "")[:10]


def minute(text: str | None) -> str:
    """A dateTime or instant to the minute, in the zone it is written in; UTC becomes local."""
    if not text:
        return ""
    if "T" not in text:
        return text
    if text.endswith("Z"):
        moment = datetime.fromisoformat(text).astimezone()
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{text[:10]} {text[11:16]}"


def period_text(period: Mapping[str, Any] | None) -> str:
    """``from – to`` in days; an open end stays open."""
    if not period:
        return ""
    return f"{day(period.get('start'))} – {day(period.get('end'))}".strip(" ")


def quantity_text(quantity: Mapping[str, Any] | None) -> str:
    """Value with comparator and unit."""
    if not quantity or quantity.get("value") is None:
        return ""
    unit = quantity.get("unit") or quantity.get("code") or ""
    return f"{quantity.get('comparator', '')}{quantity['value']} {unit}".strip()


def money_text(money: Mapping[str, Any] | None) -> str:
    """An amount with two decimals; yuan by its sign."""
    if not money or money.get("value") is None:
        return ""
    currency = money.get("currency", "CNY")
    amount = Decimal(str(money["value"]))
    written = f"{amount:.2f}" if abs(amount) < _MAX_PLAIN_AMOUNT else f"{amount:.6E}"
    return f"{'¥ ' if currency == 'CNY' else currency + ' '}{written}"


def address_text(address: Mapping[str, Any] | None) -> str:
    """An address in one line."""
    if not address:
        return ""
    if address.get("text"):
        return str(address["text"])
    parts = [address.get(part, "") for part in ("state", "city", "district")]
    return "".join([*parts, *list_of(address, "line")])


def reference_text(reference: Mapping[str, Any] | None) -> str:
    """What a Reference says about its target without reading it."""
    if not reference:
        return ""
    identifier = reference.get("identifier") or {}
    return str(
        reference.get("display") or identifier.get("value") or reference.get("reference") or ""
    )


def years_between(born: str, until: date) -> int | None:
    """Completed years since a birth date; None where the day is not known."""
    try:
        birth = date.fromisoformat(born)
    except ValueError:
        return None
    return until.year - birth.year - ((until.month, until.day) < (birth.month, birth.day))


def _is_chinese(text: Iterable[str]) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
