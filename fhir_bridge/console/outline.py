"""Any resource as lines that people can read: an indented outline of its elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fhir_bridge.console.text.display import concept_text, day, first, person_name
from fhir_bridge.fhir import Resource, parse_reference

__all__ = ["MAX_LINES", "Line", "outline", "summary"]

_MAX_DEPTH = 12
MAX_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One element: how deep, its name, its value ("" for a group) and where a link leads."""

    depth: int
    name: str
    value: str
    link: str


def outline(resource: Resource) -> Iterator[Line]:
    """The lines of `resource` in the order of its JSON, `MAX_LINES` at most; without narrative.

    What is longer ends with a line that says so; the whole of it is in its JSON.
    """
    lines = _outline(resource)
    yield from islice(lines, MAX_LINES)
    if next(lines, None) is not None:
        yield Line(0, "…", "…", "")


def _outline(resource: Resource) -> Iterator[Line]:
    for name, value in resource.items():
        if name not in {"resourceType", "text"}:
            yield from _lines(name, value, 0)


def _lines(name: str, value: Any, depth: int) -> Iterator[Line]:
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _lines(f"{name} {number}" if len(value) > 1 else name, item, depth)
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        if name.startswith("extension") and "url" in value:
            name, value = _extension(value)
            if not isinstance(value, dict):
                yield Line(depth, name, _scalar(value), "")
                return
        short = _short(value)
        if short is not None:
            yield Line(depth, name, short, _target(value))
            return
        yield Line(depth, name, "", "")
        for inner, item in value.items():
            yield from _lines(inner, item, depth + 1)
    else:
        yield Line(depth, name, _scalar(value), "")


def _short(value: dict[str, Any]) -> str | None:
    """Small datatypes fit on one line: references, codings, quantities, periods, money."""
    keys = set(value)
    if "reference" in keys and keys <= {"reference", "display", "type"}:
        return str(value.get("display") or value["reference"])
    if "code" in keys and keys <= {"system", "code", "display", "version", "userSelected"}:
        display = f" {value['display']}" if value.get("display") else ""
        system = f" ({value['system']})" if value.get("system") else ""
        return f"{value['code']}{display}{system}"
    if "value" in keys and keys <= {"value", "unit", "system", "code", "comparator", "currency"}:
        unit = value.get("unit") or value.get("code") or value.get("currency") or ""
        return f"{value.get('comparator', '')}{value['value']} {unit}".strip()
    if keys and keys <= {"start", "end"}:
        return f"{value.get('start', '…')} – {value.get('end', '…')}"
    return None


def _extension(extension: dict[str, Any]) -> tuple[str, Any]:
    """An extension under the last part of its URL: its value, or the extensions inside."""
    url = str(extension["url"])
    inside = {name: value for name, value in extension.items() if name not in {"url", "id"}}
    value = next(iter(inside.values())) if len(inside) == 1 else inside
    return url.rstrip("/").rsplit("/", 1)[-1], {"": value} if isinstance(value, list) else value


def _target(value: dict[str, Any]) -> str:
    """``Type/id`` where the value refers to a resource of the record."""
    reference = parse_reference(str(value.get("reference", "")))
    if reference is None or not reference.resource_type or reference.base:
        return ""
    return f"{reference.resource_type}/{reference.id}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def summary(resource: Resource) -> str:
    """One line that tells a resource from others of its type: who or what, then when."""
    subject = first(resource, "subject", "display") or ""
    what = (
        (resource.get("title") or "")
        or (resource["name"] if isinstance(resource.get("name"), str) else person_name(resource))
        or concept_text(
            first(resource, "code") if isinstance(first(resource, "code"), dict) else None
        )
        or concept_text(
            first(resource, "type") if isinstance(first(resource, "type"), dict) else None
        )
        or str(first(resource, "identifier", "value") or "")
    )
    when = next(
        (
            day(str(resource[key]))
            for key in (
                "effectiveDateTime",
                "authoredOn",
                "recorded",
                "issued",
                "date",
                "birthDate",
            )
            if resource.get(key)
        ),
        "",
    )
    return " · ".join(part for part in (str(subject), str(what), when) if part)
