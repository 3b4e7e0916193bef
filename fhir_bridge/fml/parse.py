"""Map text to a `StructureMap`: header, declarations and groups.

https://hl7.org/fhir/R5/mapping-language.html#grammar

Read as in R5 (``/// key = value``), as in R4 (``map "url" = "name"``) and in any order of
the declarations, since published maps differ.
"""

from __future__ import annotations

import re
from typing import Literal

from fhir_bridge.fml.cursor import Cursor
from fhir_bridge.fml.parse_concept_map import parse_concept_map
from fhir_bridge.fml.parse_rule import parse_rules
from fhir_bridge.fml.structure_map import (
    ConceptMapBlock,
    Constant,
    Group,
    GroupParameter,
    StructureMap,
    Uses,
)
from fhir_bridge.fml.tokens import Text, unquote

__all__ = ["parse_map"]

_TYPE_MODES = {"types": "types", "type+": "type-and-types", "type": "type-and-types"}
_QUOTED_VALUE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(?://.*)?\Z""")
_COMMENT_BEHIND = re.compile(r"(?:\A|(?<!\s)\s+)//.*")
_HEADER = ("url", "name", "title", "status", "description")


def parse_map(text: str, *, name: str = "") -> StructureMap:
    """The map that `text` says; `name` (a file) shows in positions.

    Raises BridgeError FB-2101 (what was expected, what was found, line and column) or
    FB-2102 (nested too deeply).
    """
    cursor = Cursor(Text(text, name))
    header: dict[str, str] = {}
    metadata: list[tuple[str, str]] = []
    concept_maps: list[ConceptMapBlock] = []
    uses: list[Uses] = []
    imports: list[str] = []
    constants: list[Constant] = []
    groups: list[Group] = []
    while not cursor.sees_kind("end"):
        if cursor.sees_kind("metadata"):
            _read_metadata(cursor.take().text, header, metadata)
        elif cursor.sees("map"):
            _read_map_line(cursor, header)
        elif cursor.sees("conceptmap"):
            concept_maps.append(parse_concept_map(cursor))
        elif cursor.sees("uses"):
            uses.append(_uses(cursor))
        elif cursor.took("imports"):
            imports.append(cursor.string("the URL of a map"))
            cursor.took(";")
        elif cursor.sees("let", "const"):
            constants.append(_constant(cursor))
        elif cursor.sees("group"):
            groups.append(_group(cursor))
        else:
            raise cursor.expected("map, conceptmap, uses, imports, let or group")
    if not groups:
        raise cursor.expected("a group")
    return StructureMap(
        **header,
        metadata=tuple(metadata),
        concept_maps=tuple(concept_maps),
        uses=tuple(uses),
        imports=tuple(imports),
        constants=tuple(constants),
        groups=tuple(groups),
    )


def _read_metadata(line: str, header: dict[str, str], metadata: list[tuple[str, str]]) -> None:
    """One ``/// key = value``; the value may be empty, and a comment may follow it."""
    key, _, value = line[3:].partition("=")
    key, value = key.strip(), value.strip()
    if value.startswith('"""') and value.endswith('"""') and len(value) >= 6:
        value = value[3:-3]
    elif quoted := _QUOTED_VALUE.match(value):
        value = unquote(quoted[1])
    else:
        value = _COMMENT_BEHIND.sub("", value)
    if key in _HEADER and not header.get(key):  # one without a value says nothing
        header[key] = value
    else:
        metadata.append((key, value))


def _read_map_line(cursor: Cursor, header: dict[str, str]) -> None:
    cursor.expect("map")
    header["url"] = cursor.string("the URL of the map")
    cursor.expect("=")
    if cursor.sees_kind("string"):
        header["name"] = cursor.string("the name of the map")
    else:
        header["name"] = cursor.name("the name of the map")


def _uses(cursor: Cursor) -> Uses:
    documentation = cursor.documentation()
    cursor.expect("uses")
    url = cursor.string("the URL of a structure")
    alias = cursor.name("an alias") if cursor.took("alias") else ""
    cursor.expect("as")
    if not cursor.sees("source", "target", "queried", "produced"):
        raise cursor.expected("source, target, queried or produced")
    mode = cursor.take().text
    cursor.took(";")
    return Uses(url, mode, alias, documentation)


def _constant(cursor: Cursor) -> Constant:
    cursor.take()
    name = cursor.name("the name of a constant")
    cursor.expect("=")
    expression = cursor.expression(frozenset({";"}))
    cursor.expect(";")
    return Constant(name, expression)


def _group(cursor: Cursor) -> Group:
    documentation, line = cursor.documentation(), cursor.line
    cursor.expect("group")
    if cursor.sees("for"):  # the first published form: group for types Name
        cursor.take()
        mode_word = cursor.take().text
        type_mode = _TYPE_MODES.get(mode_word, "types")
        cursor.took("+")
    else:
        type_mode = ""
    name = cursor.name("the name of a group")
    parameters = _parameters(cursor)
    extends = cursor.name("the name of a group") if cursor.took("extends") else ""
    if cursor.took("<<"):
        if not cursor.sees("type", "types"):
            raise cursor.expected("types or type+")
        type_mode = _TYPE_MODES[cursor.take().text]
        cursor.took("+")
        cursor.expect(">>")
    rules = parse_rules(cursor)
    return Group(name, parameters, extends, type_mode, rules, documentation, line)


def _parameters(cursor: Cursor) -> tuple[GroupParameter, ...]:
    cursor.expect("(")
    parameters: list[GroupParameter] = []
    while True:
        mode: Literal["source", "target"]
        if cursor.took("source"):
            mode = "source"
        elif cursor.took("target"):
            mode = "target"
        else:
            raise cursor.expected("source or target")
        name = cursor.name("the name of a parameter")
        type_name = cursor.name("a type") if cursor.took(":") else ""
        parameters.append(GroupParameter(mode, name, type_name))
        if not cursor.took(","):
            break
    cursor.expect(")")
    return tuple(parameters)
