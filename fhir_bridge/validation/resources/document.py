"""Documents: what the Composition refers to is inside the Bundle.

https://hl7.org/fhir/R4/documents.html#content, https://hl7.org/fhir/R4/bundle.html#references
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_bridge.fhir import Resource, parse_reference, walk_references
from fhir_bridge.validation.finding import Finding

__all__ = ["check_document"]

_INSIDE = (
    *("subject", "encounter", "author", "custodian", "attester.party", "event.detail"),
    *("section.author", "section.focus", "section.entry"),
)
"""The references of a Composition whose targets belong to the document."""


def check_document(bundle: Resource) -> Iterator[Finding]:
    """A finding for each reference of the Composition that leads out of `bundle`."""
    entries = [entry for entry in bundle.get("entry", ()) if isinstance(entry, dict)]
    composition = entries[0].get("resource") if entries else None
    if not isinstance(composition, dict) or composition.get("resourceType") != "Composition":
        return  # bdl-11 says so
    base = _base(str(entries[0].get("fullUrl", "")))
    addresses = {str(entry.get("fullUrl", "")) for entry in entries}
    for path in _INSIDE:
        for where, reference in _at(composition, path.split("."), ""):
            text = reference.get("reference")
            if not isinstance(text, str) or text.startswith("#"):
                continue
            if _address(text, base) not in addresses:
                details = {"reason": "the Composition refers to what is not in the document"}
                yield Finding("FB-3026", details, where=f".entry[0].resource{where}")
    yield from _unreached(bundle, entries)


def _unreached(bundle: Resource, entries: list[dict[str, Any]]) -> Iterator[Finding]:
    """A finding on each entry that no chain of references, in either direction, joins to the Composition.

    Style sheets are joined by a link of the Bundle; addresses are compared without versions.
    """
    addresses = {str(entry.get("fullUrl", "")): index for index, entry in enumerate(entries)}
    neighbours: list[set[int]] = [set() for _ in entries]
    for index, entry in enumerate(entries):
        base = _base(str(entry.get("fullUrl", "")))
        for holder in walk_references(entry.get("resource")):
            target = addresses.get(_address(str(holder["reference"]).partition("#")[0], base))
            if target is not None:
                neighbours[index].add(target)
                neighbours[target].add(index)
    links = [link for link in bundle.get("link", ()) if isinstance(link, dict)]
    linked = {addresses.get(str(link.get("url"))) for link in links} - {None}
    reached, waiting = set(linked), [0]
    while waiting:
        index = waiting.pop()
        if index not in reached or index == 0:
            reached.add(index)
            waiting += neighbours[index] - reached
    for index in range(len(entries)):
        if index not in reached and "resource" in entries[index]:
            details = {"reason": "the entry is not joined to the Composition by references"}
            yield Finding("FB-3026", details, where=f".entry[{index}]")


def _address(text: str, base: str) -> str:
    """The fullUrl that a reference from an entry below `base` means, without its version."""
    plain = text.partition("/_history/")[0]
    return plain if ":" in plain else f"{base}/{plain}"


def _base(full_url: str) -> str:
    """The server's part of a fullUrl; "" for ``urn:uuid:``, which has none."""
    reference = parse_reference(full_url)
    return reference.base if reference else ""


def _at(value: Any, steps: list[str], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects at `steps` with their places; sections are followed into sections."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _at(item, steps, f"{where}[{index}]")
    elif isinstance(value, dict) and steps:
        if steps[0] in value:
            yield from _at(value[steps[0]], steps[1:], f"{where}.{steps[0]}")
        if len(steps) == 1 and ".section" in where and "section" in value:
            yield from _at(value["section"], steps, f"{where}.section")
    elif isinstance(value, dict):
        yield where, value
