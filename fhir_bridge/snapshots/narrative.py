"""A table for people: what a profile states, element by element.

https://hl7.org/fhir/R4/narrative.html
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fhir_bridge.fhir import Resource
from fhir_bridge.snapshots.generator import Snapshots

__all__ = ["with_narrative"]

_HEAD = ("Element", "Number", "Type", "Says")


def with_narrative(structure_definition: Resource, snapshots: Snapshots) -> Resource:
    """`structure_definition` with a generated text of its differential; one that it has stays.

    A profile of an extension is shown with the URL that such an extension carries.
    """
    if "text" in structure_definition:
        return structure_definition
    elements = (structure_definition.get("differential") or {}).get("element", ())
    name = escape(str(structure_definition.get("title") or structure_definition.get("name", "")))
    head = _row("th", _HEAD)
    rows = "".join(_row("td", list(_cells(element, snapshots))) for element in elements)
    url = escape(str(structure_definition.get("url", "")))
    div = (
        f'<div xmlns="http://www.w3.org/1999/xhtml"><p><b>{name}</b> {url}</p>'
        f"<table><thead>{head}</thead><tbody>{rows or _row('td', ('', '', '', ''))}</tbody></table></div>"
    )
    return {**structure_definition, "text": {"status": "generated", "div": div}}


def _row(cell: str, texts: list[str] | tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{cell}>{escape(text)}</{cell}>' for text in texts)}</tr>"


def _cells(element: dict[str, Any], snapshots: Snapshots) -> Iterator[str]:
    yield str(element.get("id") or element.get("path"))
    limits = [str(element[key]) if key in element else "" for key in ("min", "max")]
    yield "..".join(limits) if any(limits) else ""
    yield ", ".join(_type(kind, snapshots) for kind in element.get("type", ()))
    yield "; ".join(_statements(element))


def _type(kind: dict[str, Any], snapshots: Snapshots) -> str:
    profiles = kind.get("profile", ())
    carried = [url for profile in profiles for url in _carried(profile, snapshots)]
    urls = dict.fromkeys([*profiles, *carried, *kind.get("targetProfile", ())])
    return f"{kind.get('code')}({' | '.join(urls)})" if urls else str(kind.get("code"))


def _carried(profile: str, snapshots: Snapshots) -> Iterator[str]:
    """The URL that the profile of an extension fixes."""
    tree = snapshots.tree(profile)
    url = tree.children.get("url") if tree else None
    if url is not None and "fixedUri" in url.element:
        yield str(url.element["fixedUri"])


def _statements(element: dict[str, Any]) -> Iterator[str]:
    if "short" in element:
        yield str(element["short"])
    for key, value in element.items():
        if key.startswith(("fixed", "pattern")):
            yield f"{key} {value}"
    binding = element.get("binding", {})
    if "valueSet" in binding:
        yield f"{binding.get('strength')} binding to {binding['valueSet']}"
    for rule in element.get("constraint", ()):
        yield f"{rule.get('key')}: {rule.get('human')}"
