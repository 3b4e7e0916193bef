"""A conceptmap block inside map text.

https://hl7.org/fhir/R5/mapping-language.html#conceptmap

A code may be a word, a quoted string, or characters that touch (``36554-4``).
"""

from __future__ import annotations

from fhir_bridge.fml.cursor import Cursor
from fhir_bridge.fml.structure_map import CodeMapping, CodePrefix, ConceptMapBlock
from fhir_bridge.fml.tokens import unquote

__all__ = ["RELATIONS", "parse_concept_map"]

RELATIONS = {
    "-": "relatedto",
    "==": "equal",
    "=": "equivalent",
    "!=": "disjoint",
    "--": "unmatched",
    "<=": "wider",
    ">=": "narrower",
    "<-": "subsumes",
    "->": "specializes",
    "~": "inexact",
    ">-": "specializes",
    "~=": "inexact",
}
"""Sign between two codes -> R4 ConceptMap equivalence
(https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html)."""


def parse_concept_map(cursor: Cursor) -> ConceptMapBlock:
    """Pass ``conceptmap "id" { … }``."""
    cursor.expect("conceptmap")
    identity = cursor.string("the id of the concept map")
    cursor.expect("{")
    prefixes: list[CodePrefix] = []
    unmapped: list[tuple[str, str]] = []
    mappings: list[CodeMapping] = []
    while not cursor.took("}"):
        if cursor.sees("prefix") and cursor.after().kind != "sign":
            cursor.take()
            name = cursor.name("a prefix")
            cursor.expect("=")
            prefixes.append(CodePrefix(name, cursor.string("the URL of a code system")))
        elif cursor.sees("unmapped") and cursor.after().text == "for":
            cursor.take()
            cursor.take()
            prefix = cursor.name("a prefix")
            cursor.expect("=")
            unmapped.append((prefix, _code(cursor)))
        else:
            mappings.append(_mapping(cursor))
        cursor.took(";")
    return ConceptMapBlock(identity, tuple(prefixes), tuple(mappings), tuple(unmapped))


def _mapping(cursor: Cursor) -> CodeMapping:
    source_prefix = cursor.name("a prefix")
    cursor.expect(":")
    source_code = _code(cursor)
    relation = cursor.token.text
    if relation == "<" and cursor.after().text == "-":
        cursor.take()
        relation = "<-"
    if relation not in RELATIONS or not (cursor.sees_kind("sign")):
        raise cursor.expected("a relation: " + " ".join(RELATIONS))
    cursor.take()
    if relation == "--" and not (cursor.sees_kind("name") and cursor.after().text == ":"):
        return CodeMapping(source_prefix, source_code, relation)
    before = cursor.index
    target_prefix = cursor.name("a prefix")
    cursor.expect(":")
    target_code = _code(cursor)
    if relation == "--" and cursor.sees(*RELATIONS):  # it was the next mapping
        cursor.index = before
        return CodeMapping(source_prefix, source_code, relation)
    return CodeMapping(source_prefix, source_code, relation, target_prefix, target_code)


def _code(cursor: Cursor) -> str:
    if cursor.sees_kind("string", "quoted", "delimited"):
        return unquote(cursor.take().text)
    pieces: list[str] = []
    end = cursor.token.start
    while cursor.sees_kind("name", "number", "sign") and cursor.token.start == end:
        token = cursor.token
        if token.kind == "sign" and (token.text not in ("-", ".", "/", "+", "--") or not pieces):
            break
        pieces.append(token.text)
        end = token.end
        cursor.take()
    if not pieces:
        raise cursor.expected("a code")
    return "".join(pieces)
