"""Links inside the resources of a transaction: temporary ids become real ones.

https://hl7.org/fhir/R4/http.html#trules: references, elements of type uri, url, oid and
uuid, and ``href``/``src`` in the narrative are replaced; https://hl7.org/fhir/R4/bundle.html#references
says how a relative reference is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from fhir_bridge.fhir import definitions, parse_reference

__all__ = ["Rewriter", "conditional_references", "local_references", "placeholders"]

_ADDRESSES = frozenset({"uri", "url", "oid", "uuid", "xhtml"})
_NARRATIVE_LINK = re.compile(r"""(\b(?:href|src)\s*=\s*(["']))(.*?)(\2)""", re.DOTALL)
_CONDITIONAL = re.compile(r"(?:(https?://[^\s?#]+)/)?([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)
_PLACEHOLDERS = ("urn:uuid:", "urn:oid:")

Pin = TypeVar("Pin")
Holder = dict[str, Any]
"""An object that holds a literal ``reference``, to be rewritten in place."""


class Rewriter(Generic[Pin]):
    """One walk through one resource: a copy with its links replaced, and its references.

    `targets` are temporary URL -> ``Type/id``, `full_url` is the resource's own address, against
    which its relative references are read.  `references` are all holders in the copy; `pinned`
    are those of a reference to one version of an entry (`versions`: URL with the version ->
    anything), whose new version nobody knows yet.
    """

    def __init__(
        self, targets: Mapping[str, str], full_url: str, versions: Mapping[str, Pin]
    ) -> None:
        own = parse_reference(full_url) if targets or versions else None
        self._base = f"{own.base}/" if own and own.base else ""
        self._targets, self._versions = targets, versions
        self.references: list[Holder] = []
        self.pinned: list[tuple[Holder, Pin]] = []

    def copy(self, node: dict[str, Any], type_name: str) -> dict[str, Any]:
        """A copy of `node`, of a FHIR type; values that cannot change are shared."""
        named = node.get("resourceType")
        types, addresses = _elements(named if isinstance(named, str) else type_name)
        copied: dict[str, Any] = {}
        for key, value in node.items():
            kind = type(value)
            if kind is dict:
                copied[key] = self.copy(value, types.get(key, ""))
            elif kind is list:
                copied[key] = self._list(value, types.get(key, ""))
            elif kind is str and key in addresses:
                copied[key] = self._address(value, addresses[key])
            else:
                copied[key] = value
        if isinstance(copied.get("reference"), str):
            self._refer(copied)
        return copied

    def _list(self, items: list[Any], type_name: str) -> list[Any]:
        copied: list[Any] = []
        for item in items:
            kind = type(item)
            if kind is dict:
                copied.append(self.copy(item, type_name))
            elif kind is list:
                copied.append(self._list(item, type_name))
            elif kind is str and type_name in _ADDRESSES:
                copied.append(self._address(item, type_name))
            else:
                copied.append(item)
        return copied

    def _refer(self, holder: Holder) -> None:
        link = holder["reference"]
        self.references.append(holder)
        pin = self._versions.get(link)
        if pin is None and self._versions and "://" not in link:
            pin = self._versions.get(self._base + link)
        if pin is not None:
            self.pinned.append((holder, pin))
        else:
            holder["reference"] = self._resolved(link)

    def _address(self, text: str, type_name: str) -> str:
        if type_name != "xhtml":
            return self._resolved(text)
        return _NARRATIVE_LINK.sub(
            lambda match: match[1] + self._resolved(match[3]) + match[4], text
        )

    def _resolved(self, link: str) -> str:
        address, mark, fragment = link.partition("#")
        found = self._targets.get(address)
        if found is None and self._base and "://" not in address:
            found = self._targets.get(self._base + address)
        return found + mark + fragment if found else link


@cache
def _elements(type_name: str) -> tuple[dict[str, str], dict[str, str]]:
    """JSON key -> type, of all elements of a type and of those that may hold an address."""
    known = definitions().types.get(type_name)
    types = {key: each.type for key, each in known.elements.items()} if known else {}
    return types, {key: type_ for key, type_ in types.items() if type_ in _ADDRESSES}


def conditional_references(
    references: Iterable[Holder], base_url: str
) -> Iterator[tuple[Holder, str, str]]:
    """(holder of the reference, resource type, query) of each ``Patient?identifier=…``."""
    for holder in references:
        match = _CONDITIONAL.fullmatch(holder["reference"])
        if match is None or match[1] not in (None, base_url):
            continue
        if match[2] in definitions().resource_types:
            yield holder, match[2], match[3]


def local_references(references: Iterable[Holder], base_url: str) -> Iterator[tuple[str, str]]:
    """(type, id) of each literal reference to a resource of this server."""
    for holder in references:
        reference = parse_reference(holder["reference"])
        if reference and reference.id and reference.base in ("", base_url):
            yield reference.resource_type, reference.id


def placeholders(references: Iterable[Holder]) -> Iterator[str]:
    """Each temporary address that a reference still holds: no entry has it."""
    for holder in references:
        if holder["reference"].startswith(_PLACEHOLDERS):
            yield holder["reference"]
