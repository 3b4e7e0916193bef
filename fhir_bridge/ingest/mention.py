"""Mentions: what a message says in passing of a thing that another message describes.

A result carries the visit it belongs to (HL7 v2.5.1 section 3.4.3, PV1), a document its
encounter, a follow-up the disease.  Which resources of a feed are mentions is data
(``[mentions]`` in ``mappings/feeds/README.md``).  Two rules hold, in whatever order the
messages come:

* what a description says stands: a mention changes none of it and empties none of it;
* an element that only mentions know keeps what the latest mention said.

So that a later message can tell them apart, the elements that come from mentions are
named in the extension ``mentioned`` on ``Resource.meta``.  A choice element
(``onset[x]``) is one element under whichever type it comes.
"""

from __future__ import annotations

from functools import lru_cache

from fhir_bridge.fhir import Resource, definitions

__all__ = ["MENTIONED", "describe", "mention"]

MENTIONED = "https://fhir-bridge.org/fhir/StructureDefinition/mentioned"

_FRAME = frozenset(["resourceType", "id", "meta"])


def describe(stated: Resource, present: Resource | None) -> Resource:
    """The description `stated` in place of `present`, with what only mentions know."""
    known = _mentioned(present)
    if present is None or not known:
        return stated
    kind = stated["resourceType"]
    taken = {_element(kind, key) for key in stated}
    kept = {
        key: value
        for key, value in present.items()
        if (element := _element(kind, key)) in known and element not in taken
    }
    return _with_names(stated | kept, stated, {_element(kind, key) for key in kept})


def mention(stated: Resource, present: Resource | None) -> Resource:
    """`present` with what the mention `stated` says beyond the description in it."""
    kind = stated["resourceType"]
    said = {key: _element(kind, key) for key in stated if key not in _FRAME}
    if present is None:
        return _with_names(stated, stated, set(said.values()))
    known = _mentioned(present)
    described = {_element(kind, key) for key in present} - known - _FRAME
    added = {key: stated[key] for key, element in said.items() if element not in described}
    new = {said[key] for key in added}
    left = {key: value for key, value in present.items() if _element(kind, key) not in new}
    return _with_names(left | added, present if described else stated, known | new)


def _mentioned(resource: Resource | None) -> set[str]:
    """The elements of `resource` that come from mentions."""
    extensions = (resource or {}).get("meta", {}).get("extension", ())
    texts = [each.get("valueString", "") for each in extensions if each.get("url") == MENTIONED]
    return {name for text in texts for name in text.split()}


def _with_names(resource: Resource, speaker: Resource, names: set[str]) -> Resource:
    """`resource` with the meta of `speaker`, in which `names` are the mentioned elements."""
    meta = {
        key: value
        for key, value in speaker.get("meta", {}).items()
        if key not in {"versionId", "lastUpdated", "extension"}
    }
    others = [
        each for each in speaker.get("meta", {}).get("extension", ()) if each["url"] != MENTIONED
    ]
    if names:
        others.append({"url": MENTIONED, "valueString": " ".join(sorted(names))})
    if others:
        meta["extension"] = others
    return resource | {"meta": meta}


@lru_cache(maxsize=4096)
def _element(kind: str, key: str) -> str:
    """The element behind a JSON key: without ``_``, a choice by its name."""
    name = key.removeprefix("_")
    shape = definitions().types.get(kind)
    found = shape.elements.get(name) if shape is not None else None
    return found.choice or name if found is not None else name
