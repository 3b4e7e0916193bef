"""Short ways to ask a store in a test."""

from __future__ import annotations

from fhir_bridge.access import Access
from fhir_bridge.search import parse_search, plan
from fhir_bridge.store import Page, Store

__all__ = ["ask", "ids", "observation", "patient"]


def ask(
    store: Store,
    resource_type: str | None,
    query: str,
    access: Access | None = None,
    cursor: str = "",
) -> Page:
    """The page of ``name=value&name=value`` (not percent-encoded)."""
    pairs = [(each.split("=", 1)[0], each.split("=", 1)[1]) for each in query.split("&") if each]
    question = plan(parse_search(resource_type, pairs, store.registry), store.registry)
    return store.find(question, access, cursor)


def ids(
    store: Store, resource_type: str | None, query: str, access: Access | None = None
) -> list[str]:
    """The ids of the matches of the first page, in order."""
    return [each.id for each in ask(store, resource_type, query, access).matches]


def patient(id_: str, **elements: object) -> dict[str, object]:
    """A Patient."""
    return {"resourceType": "Patient", "id": id_, **elements}


def observation(id_: str, subject: str, code: str = "1-1", **elements: object) -> dict[str, object]:
    """An Observation of a patient."""
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{subject}"},
        **elements,
    }
