"""What holds between the entries of a Bundle.

https://hl7.org/fhir/R4/bundle.html#bundle-unique (fullUrl, identity, links), #searchset
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_bridge.fhir import Resource, parse_reference
from fhir_bridge.validation.finding import Finding, Findings
from fhir_bridge.validation.resources.document import check_document

__all__ = ["check_bundle"]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_WITHOUT_FULL_URL = frozenset({"transaction", "batch", "transaction-response", "batch-response"})
_SINGLE = frozenset({"self", "first", "last", "previous", "prev", "next"})


def check_bundle(bundle: Resource) -> Findings:
    """Findings on fullUrls, links, results of a search and the references of a document."""
    findings: list[Finding] = []
    entries = bundle.get("entry")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        where = f".entry[{index}]"
        findings += _fault(_full_url_fault(entry, bundle), where)
        findings += _fault(_search_fault(entry, bundle), f"{where}.resource")
    findings += _repeated_links(bundle.get("link"))
    if bundle.get("type") == "document":
        findings += check_document(bundle)
    return findings or None


def _fault(reason: str, where: str) -> list[Finding]:
    return [Finding("FB-3026", {"reason": reason}, where=where)] if reason else []


def _repeated_links(links: Any) -> Iterator[Finding]:
    """A finding on each link whose relation stands before it already and may stand once."""
    seen: set[str] = set()
    for index, link in enumerate(links if isinstance(links, list) else ()):
        relation = link.get("relation") if isinstance(link, dict) else None
        if not isinstance(relation, str) or relation not in _SINGLE:
            continue
        if relation in seen:
            yield from _fault(f"the link {relation} stands more than once", f".link[{index}]")
        seen.add(relation)


def _search_fault(entry: dict[str, Any], bundle: Resource) -> str:
    """What is wrong with `entry` as a result of a search."""
    resource, search = entry.get("resource"), entry.get("search")
    if bundle.get("type") != "searchset" or not isinstance(resource, dict):
        return ""
    is_outcome = resource.get("resourceType") == "OperationOutcome"
    mode = search.get("mode") if isinstance(search, dict) else None
    if mode == "outcome" and not is_outcome:
        return "an entry of search mode outcome is no OperationOutcome"
    if not is_outcome and "id" not in resource:
        return "a resource that a search found has no id"
    return ""


def _full_url_fault(entry: dict[str, Any], bundle: Resource) -> str:
    resource, url = entry.get("resource"), entry.get("fullUrl")
    if not isinstance(resource, dict):
        return ""
    if url is None:
        free = bundle.get("type") in _WITHOUT_FULL_URL or "type" not in bundle
        free = free or resource.get("resourceType") == "OperationOutcome"  # words about a search
        return "" if free else "an entry with a resource has no fullUrl"
    if not isinstance(url, str) or not _ABSOLUTE.fullmatch(url):
        return "a fullUrl is not absolute"
    reference = parse_reference(url)
    if reference is None or not reference.base:
        return ""
    named = (reference.resource_type, reference.id)
    if resource.get("id") is None:
        return "a fullUrl names an id and its resource has none"
    if named != (resource.get("resourceType"), resource.get("id")):
        return "a fullUrl does not end with the type and id of its resource"
    return ""
