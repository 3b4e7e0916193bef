"""What of a document or V3 message nobody read, told after it was read.

Nodes keep what they were asked for and texts whether they were put somewhere
(`fhir_bridge.hl7v2.unread` says the same of messages).  A part that was not entered at all is
told as one.  A place is a path of local names, from the innermost section by its code
(``section[48765-2]/entry/act/participant``), else from below the root; an attribute has ``@``.
Constants of the schema (`CONSTANTS`) are not told, and a file that is kept as a whole beside
its resources does not count as read.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.cda.node import Node, Text

__all__ = ["CONSTANTS", "Place", "unread"]

CONSTANTS = frozenset(
    {
        "classCode",
        "contextConductionInd",
        "contextControlCode",
        "determinerCode",
        "realmCode",
        "schemaLocation",
        "templateId",
        "typeId",
    }
)
"""Attributes and elements that say what the schema or the template says already."""

_MAX_REPEATS = 10  # later ones are counted as the tenth

Place = tuple[str, bool, str]
"""A path, whether it was looked at, and the first text there."""


def unread(root: Node) -> list[Place]:
    """Whatever of the tree holds something and went nowhere."""
    walk = _Walk()
    walk.within(root, "")
    walk.end()
    return walk.found


class _Walk:
    """One walk over a tree."""

    __slots__ = ("_elsewhere", "_subjects", "found")

    def __init__(self) -> None:
        self.found: list[Place] = []
        self._subjects: list[tuple[Node, str]] = []  # that nobody entered where they stand
        self._elsewhere: list[Node] = []  # subjects as the parts around them asked for them

    def within(self, node: Node, path: str) -> None:
        """What of an element that was entered went nowhere."""
        answers, values = node.answers, node.values
        if "narrative" in answers:  # its text went as a whole
            return
        subject = answers.get("subjectInContext")
        if subject is not None:
            self._elsewhere.append(subject)
        for name, child in values.items():
            kind = type(child)
            if kind is Text:
                if not child.carried and name not in CONSTANTS:
                    place = path if name == "xmlText" else f"{path}/@{name}"
                    self._add(place, child, looked=name in answers)
            elif name in CONSTANTS:
                continue
            elif kind is list:
                self._repeats(child, f"{path}/{name}")
            elif name == "reference" and _replaces_text(values):
                continue
            else:
                self._child(child, f"{path}/{name}")

    def end(self) -> None:
        """Subjects that nobody entered, unless they were read from the parts they speak of."""
        for subject, path in self._subjects:
            read = [one for one in self._elsewhere if one.is_same(subject) and one.answers]
            if read:
                self.within(read[0], path)
            elif example := _first_text(subject):
                self._add(path, example)

    def _child(self, child: Node, path: str) -> None:
        name = child.name
        if name == "section":
            path = _section(child, path)
        if _entered(child):
            self.within(child, path)
        elif name == "subject":
            self._subjects.append((child, path))
        elif example := _first_text(child):
            self._add(path, example)

    def _repeats(self, children: list[Any], path: str) -> None:
        """Siblings of one name: those that were entered, and those that were not."""
        entered = [type(child) is Node and _entered(child) for child in children]
        some = any(entered)
        for number, child in enumerate(children, 1):
            if type(child) is not Node:  # an attribute of the same name
                if not child.carried:
                    self._add(f"{path[: path.rfind('/')]}/@{path.rpartition('/')[2]}", child)
            elif entered[number - 1] or not some or child.name in {"section", "subject"}:
                self._child(child, path)
            elif example := _first_text(child):
                self._add(f"{path}[{min(number, _MAX_REPEATS)}]", example)

    def _add(self, path: str, text: str, *, looked: bool = False) -> None:
        self.found.append((path.lstrip("/"), looked, text))


def _entered(node: Node) -> bool:
    """Whether anything in the element was asked for, at any depth."""
    if not node.is_open:
        return False
    values = node.values
    answers = node.answers
    if answers and ("narrative" in answers or not answers.keys().isdisjoint(values)):
        return True
    return any(
        type(child) is Node and _entered(child)
        for value in values.values()
        for child in (value if type(value) is list else (value,))
    )


def _replaces_text(values: dict[str, Any]) -> bool:
    """Whether the words that a reference names were put somewhere."""
    words = values.get("xmlText")
    return words is not None and words.carried


def _section(node: Node, path: str) -> str:
    """The path, begun anew at a section, which is named by its code."""
    code = node.values.get("code")
    first = code[0] if type(code) is list else code
    own = first.values.get("code") if type(first) is Node else None
    return f"section[{own}]" if own else path


def _first_text(node: Node) -> str:
    """The first attribute or text that says something; "" for an empty element."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        for name, value in one.values.items():
            if name in CONSTANTS:
                continue
            for child in value if type(value) is list else [value]:
                if type(child) is Text:
                    return str(child)
                waiting.append(child)
    return ""
