"""What holds between the entries of a Bundle.

https://hl7.org/fhir/R4/bundle.html#bundle-unique (fullUrl, identity, links), #searchset
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from fhir_bridge.fhir import Resource, parse_reference
from fhir_bridge.validation.document import check_document
from fhir_bridge.validation.finding import Finding, Findings

__all__ = ["check_bundle"]

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_WITHOUT_FULL_URL = frozenset({"transaction", "batch", "transaction-response", "batch-response"})
_ONCE = frozenset({"self", "first", "last", "previous", "prev", "next"})


def check_bundle(bundle: Resource) -> Findings:
    """Findings on fullUrls, links, results of a search and the references of a document."""
    findings: list[Finding] = []
    entries = bundle.get("entry")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        findings += [
            Finding("FB-3026", {"reason": reason}, where=f".entry[{index}]")
            for reason in (_full_url_fault(entry, bundle), _search_fault(entry, bundle))
            if reason
        ]
    links = bundle.get("link")
    if isinstance(links, list):
        counts = Counter(link.get("relation") for link in links if isinstance(link, dict))
        findings += [
            Finding("FB-3026", {"reason": f"the link {name} stands more than once"}, where=".link")
            for name, count in counts.items()
            if count > 1 and name in _ONCE
        ]
    if bundle.get("type") == "document":
        findings += check_document(bundle)
    return findings or None


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
