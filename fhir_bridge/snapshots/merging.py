"""A differential walked along its base: each element, what is inside it, each slice.

https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/elementdefinition.html#interpretation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from fhir_bridge.snapshots.base_elements import CANONICAL, SLICED_BY_URL
from fhir_bridge.snapshots.choice import choice_of, settle_choice, slice_type
from fhir_bridge.snapshots.overlay import overlaid, refuse
from fhir_bridge.snapshots.snapshot_node import SnapshotNode

__all__ = ["Differential", "Sources"]

_EXTENSIONS = frozenset({"extension", "modifierExtension"})
_MAX_DEPTH = 40
_WORDS = ("short", "definition", "comment", "requirements", "alias", "isModifier")


class Sources(Protocol):
    """Where the elements inside a type or a profile come from."""

    def tree(self, url: str) -> SnapshotNode | None:
        """The snapshot of the type or profile at `url`; None when it is not known."""

    def type_of(self, url: str) -> str:
        """The type that the profile at `url` is of; "" when it is not known."""


class Differential:
    """Lays one differential over `root`, the tree of its base.

    `extends` allows elements that the base does not have (a specialization).
    """

    def __init__(self, root: SnapshotNode, sources: Sources, url: str, *, extends: bool) -> None:
        self._root = root
        self._sources = sources
        self._url = url
        self._extends = extends

    def lay(self, stated: SnapshotNode) -> None:
        """Change the base to what `stated` makes of it; raises BridgeError FB-3033."""
        self._merge(self._root, stated, 0)

    def _place(self, stated: SnapshotNode) -> str:
        index = stated.index
        if index < 0:  # named only by what is inside it
            inside = [*stated.children.values(), *stated.slices.values()]
            return self._place(inside[0]) if inside else "StructureDefinition.differential"
        return f"StructureDefinition.differential.element[{index}]"

    def _merge(self, node: SnapshotNode, stated: SnapshotNode, depth: int) -> None:
        place = self._place(stated)
        if depth > _MAX_DEPTH:
            raise refuse(place, "the elements are nested too deeply")
        self._require_profiles(stated.element, place)
        node.index = stated.index if stated.index >= 0 else node.index
        node.element = overlaid(node.element, stated.element, self._url, place)
        if stated.children:
            self._open(node, place)
            for name, child in stated.children.items():
                self._merge_child(node, name, child, depth + 1)
        if stated.slices:
            self._merge_slices(node, stated, depth + 1)
        elif node.name.endswith("[x]") and "slicing" in stated.element:
            settle_choice(node, place, narrows=False)

    def _merge_child(
        self, parent: SnapshotNode, name: str, stated: SnapshotNode, depth: int
    ) -> None:
        child = parent.children.get(name)
        if child is not None:
            self._merge(child, stated, depth)
            return
        choice = choice_of(parent, name)
        if choice is not None:
            self._merge_form(choice, name, stated, depth)
        elif self._extends:
            parent.children[name] = self._new(name, stated)
        else:
            raise refuse(self._place(stated), f"the base has no element {name} there")

    def _merge_form(
        self, choice: SnapshotNode, name: str, stated: SnapshotNode, depth: int
    ) -> None:
        """``valueQuantity``: the slice of that name, or the element itself when it has no other type."""
        form = SnapshotNode(name, stated.element, stated.children, {}, stated.index)
        for slice_name, part in stated.slices.items():  # a form that also carries its slice name
            if slice_name != name:
                raise refuse(self._place(part), f"the slice {slice_name} must be named {name}")
            form = part
        if len(choice.type_codes) == 1 and not choice.slices and choice.index < 0:
            self._merge(choice, form, depth)
            return
        self._merge_slices(choice, SnapshotNode(choice.name, {}, {}, {name: form}), depth)

    def _new(self, name: str, stated: SnapshotNode) -> SnapshotNode:
        """An element that the base does not have, with all that is inside it."""
        element = {"min": 0, "max": "1", **stated.element}
        path = str(element.get("path", name))
        base = {"path": path, "min": element["min"], "max": element["max"]}
        element = {"definition": str(element.get("short", path)), "base": base, **element}
        children = {key: self._new(key, child) for key, child in stated.children.items()}
        return SnapshotNode(name, element, children)

    # --- slices ----------------------------------------------------------------------

    def _merge_slices(self, node: SnapshotNode, stated: SnapshotNode, depth: int) -> None:
        is_choice = node.name.endswith("[x]")
        if not is_choice:
            self._require_slicing(node, self._place(stated))
        for name, part in stated.slices.items():
            place = self._place(part)
            known = node.slices.get(name)
            if known is None:
                known = self._new_slice(node, name)
            if is_choice:
                kinds = slice_type(node, name, part.element, place)
                known.element["type"] = kinds
            if node.name in _EXTENSIONS:
                self._describe(known, part.element)
            self._merge(known, part, depth)
            node.slices[name] = known
        if is_choice:
            short = any(_is_short(part, name) for name, part in stated.slices.items())
            narrows = short and node.element.get("base", {}).get("path") == "Extension.value[x]"
            settle_choice(node, self._place(stated), narrows=narrows)

    def _new_slice(self, node: SnapshotNode, name: str) -> SnapshotNode:
        """A slice as it begins: all that holds for every item, none required, re-slices after theirs."""
        outer = name.rpartition("/")[0]
        source = node.slices.get(outer, node) if outer else node
        made = SnapshotNode(node.name, dict(source.element)).copy()
        made.children = {key: child.copy() for key, child in source.children.items()}
        for key in ("slicing", "mustSupport"):
            made.element.pop(key, None)
        made.element |= {"sliceName": name, "min": 0}
        return made

    def _require_slicing(self, node: SnapshotNode, place: str) -> None:
        if "slicing" in node.element:
            return
        if node.name not in _EXTENSIONS:
            raise refuse(place, f"{node.name} has slices and no slicing")
        node.element["slicing"] = {**SLICED_BY_URL, "ordered": False}

    def _describe(self, part: SnapshotNode, stated: Mapping[str, Any]) -> None:
        """A slice of extensions says what the extension's own definition says of itself."""
        urls = [url for kind in stated.get("type", ()) for url in kind.get("profile", ())]
        tree = self._sources.tree(urls[0]) if len(urls) == 1 and urls[0] != self._url else None
        if tree is not None:
            part.element["max"] = tree.element.get("max", "*")
            for key in _WORDS:
                if key in tree.element:
                    part.element[key] = tree.element[key]

    # --- what is inside ----------------------------------------------------------------

    def _open(self, node: SnapshotNode, place: str) -> None:
        """Give `node` the children of its profile, its type or the element that it repeats."""
        if node.children:
            return
        referred = node.element.get("contentReference")
        if referred:
            self._open_reference(node, str(referred), place)
            return
        kinds = node.element.get("type", ())
        codes = {str(kind.get("code")) for kind in kinds}
        profiles = [url for kind in kinds for url in kind.get("profile", ())]
        tree = None
        if len(profiles) == 1 and len(kinds) == 1 and profiles[0] != self._url:
            tree = self._sources.tree(profiles[0]) if codes != {"Reference"} else None
        if tree is None:
            tree = self._sources.tree(f"{CANONICAL}{codes.pop() if len(codes) == 1 else 'Element'}")
        if tree is None and not self._extends:
            raise refuse(place, f"what is inside {node.name} is not known")
        inside = tree.children if tree else {}
        node.children = {name: child.copy() for name, child in inside.items()}

    def _open_reference(self, node: SnapshotNode, referred: str, place: str) -> None:
        url, _, path = referred.rpartition("#")
        root = self._sources.tree(url or f"{CANONICAL}{path.partition('.')[0]}")
        target = root.at(path) if root else None
        if target is None:
            raise refuse(place, f"there is no element {path}")
        node.element.pop("contentReference")
        node.element["type"] = target.element.get("type", [])
        node.children = {name: child.copy() for name, child in target.children.items()}

    def _require_profiles(self, stated: Mapping[str, Any], place: str) -> None:
        """A profile is of the type that it stands beside."""
        for kind in stated.get("type", ()):
            code = str(kind.get("code", ""))
            for url in kind.get("profile", ()) if code != "Reference" else ():
                if url == self._url and stated.get("path") == code:
                    raise refuse(place, "the definition stands on itself")
                of_type = self._sources.type_of(url)
                if of_type not in ("", code):
                    raise refuse(place, f"the profile {url} is of {of_type}, not of {code}")


def _is_short(part: SnapshotNode, name: str) -> bool:
    return str(part.element.get("path", "")).rpartition(".")[2] == name
