"""Snapshots made from differentials.

https://hl7.org/fhir/R4/structuredefinition.html#snapshot, https://hl7.org/fhir/R4/profiling.html
"""

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, Resource
from fhir_bridge.snapshots.base_elements import CANONICAL, type_elements
from fhir_bridge.snapshots.merging import Differential
from fhir_bridge.snapshots.snapshot_node import (
    SnapshotNode,
    elements_of,
    fold_single_forms,
    node_of,
)

__all__ = ["Snapshots"]


class Snapshots:
    """Makes snapshots; `find` gives the StructureDefinition at a URL, or None.

    What `find` does not know comes from R4 itself: its types, profiles and extensions.  A
    snapshot that a definition carries serves only where its own base is not at hand.
    """

    def __init__(self, definitions: Definitions, find: Callable[[str], Resource | None]) -> None:
        self._definitions = definitions
        self._find = find
        self._trees: dict[str, SnapshotNode | None] = {}
        self._open: set[str] = set()

    def with_snapshot(self, structure_definition: Resource) -> Resource:
        """`structure_definition` with the snapshot that follows from its differential.

        Raises BridgeError FB-3033 that names the element which cannot be laid over the base.
        """
        elements = elements_of(self._generate(structure_definition))
        found = {key: value for key, value in structure_definition.items() if key != "snapshot"}
        differential = found.pop("differential", None)
        found["snapshot"] = {"element": elements}
        return found if differential is None else {**found, "differential": differential}

    def tree(self, url: str) -> SnapshotNode | None:
        """The snapshot of the type or profile at `url` as a tree that is not to be changed."""
        plain = url.partition("|")[0]
        if plain not in self._trees:
            self._trees[plain] = self._make(plain)
        return self._trees[plain]

    def type_of(self, url: str) -> str:
        """The type that the definition at `url` is of; "" when it is not known."""
        plain = url.partition("|")[0]
        definition = self._find(plain) or self._definitions.profiles.get(plain)
        if definition is not None:
            return str(definition.get("type", ""))
        name = plain.removeprefix(CANONICAL)
        return name if name in self._definitions.types else ""

    def _make(self, url: str) -> SnapshotNode | None:
        definition = self._find(url)
        name = url.removeprefix(CANONICAL)
        if definition is None and name in self._definitions.types and name != url:
            return node_of(type_elements(name, self._definitions), name)
        definition = definition or self._definitions.profiles.get(url)
        if definition is None:
            return None
        published = (definition.get("snapshot") or {}).get("element")
        try:
            return self._generate(definition)
        except BridgeError:
            if not published:
                raise
        root = node_of(published, _tail(definition))  # its base is not at hand
        fold_single_forms(root)
        return root

    def _generate(self, definition: Resource) -> SnapshotNode:
        url = str(definition.get("url", ""))
        if url in self._open:
            raise _refused("StructureDefinition.baseDefinition", f"{url} stands on itself")
        self._open.add(url)
        try:
            return self._laid(definition, url)
        finally:
            self._open.discard(url)

    def _laid(self, definition: Resource, url: str) -> SnapshotNode:
        base_url = str(definition.get("baseDefinition", ""))
        type_name = _tail(definition)
        base = self.tree(base_url) if base_url else None
        if base is None:
            where = "StructureDefinition.baseDefinition"
            raise _refused(where, f"the base {base_url} is not known here")
        extends = definition.get("derivation") == "specialization"
        root = base.copy()
        if root.name != type_name:
            if not extends:
                reason = f"it is of {type_name} and its base of {root.name}"
                raise _refused("StructureDefinition.type", reason)
            root.name = type_name
        stated = node_of((definition.get("differential") or {}).get("element", ()), type_name)
        for index, element in enumerate((definition.get("differential") or {}).get("element", ())):
            path = str(element.get("path", ""))
            if path.partition(".")[0] != type_name:
                where = f"StructureDefinition.differential.element[{index}]"
                raise _refused(where, f"the path {path} does not start with {type_name}")
        Differential(root, self, url, extends=extends).lay(stated)
        return root


def _tail(definition: Resource) -> str:
    """The name of the type; of a logical model the end of its URL."""
    return str(definition.get("type", "")).rpartition("/")[2]


def _refused(where: str, reason: str) -> BridgeError:
    return BridgeError("FB-3033", where, reason=reason)
