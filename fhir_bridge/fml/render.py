"""A `StructureMap` as map text, in the R5 form.

https://hl7.org/fhir/R5/mapping-language.html

Promises: the text reads back as an equal map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhir_bridge.fml.expressions import quote
from fhir_bridge.fml.structure_map import (
    ConceptMapBlock,
    Group,
    Parameter,
    Rule,
    RuleSource,
    RuleTarget,
    StructureMap,
    Transform,
    Uses,
)

__all__ = ["render_map"]

_PLAIN_NAME = re.compile(r"[^\W\d]\w*\Z")
_RESERVED = frozenset(
    {"as", "where", "check", "log", "then", "default", "first", "last", "not_first", "not_last"}
    | {"only_one", "share", "single", "collate", "true", "false", "prefix", "unmapped", "make"}
)


def render_map(structure_map: StructureMap) -> str:
    """The whole map, one rule a line, nested rules indented by two."""
    lines: list[str] = []
    for key in ("url", "name", "title", "status", "description"):
        value = getattr(structure_map, key)
        if value:
            lines.append(_metadata(key, value))
    lines += [_metadata(key, value) for key, value in structure_map.metadata]
    for block in structure_map.concept_maps:
        lines += ["", *_concept_map(block)]
    if structure_map.uses:
        lines.append("")
        for use in structure_map.uses:
            lines += _uses(use)
    if structure_map.imports:
        lines += ["", *(f"imports {_double(url)}" for url in structure_map.imports)]
    if structure_map.constants:
        lines += ["", *(f"let {_name(c.name)} = {c.expression};" for c in structure_map.constants)]
    for group in structure_map.groups:
        lines += ["", *_group(group)]
    return "\n".join([*lines, ""])


def _metadata(key: str, value: str) -> str:
    if "\n" in value and '"""' not in value:
        return f'/// {key} = """{value}"""'
    return f"/// {key} = {_double(value)}"


def _concept_map(block: ConceptMapBlock) -> Iterator[str]:
    yield f"conceptmap {_double(block.id)} {{"
    for prefix in block.prefixes:
        yield f"  prefix {_name(prefix.name)} = {_double(prefix.url)}"
    for name, mode in block.unmapped:
        yield f"  unmapped for {_name(name)} = {_double(mode)}"
    for mapping in block.mappings:
        source = f"{_name(mapping.source_prefix)}:{_double(mapping.source_code)}"
        target = f" {_name(mapping.target_prefix)}:{_double(mapping.target_code)}"
        yield f"  {source} {mapping.relation}{target if mapping.target_prefix else ''}"
    yield "}"


def _uses(use: Uses) -> Iterator[str]:
    yield from _comment(use.documentation, "")
    alias = f" alias {_name(use.alias)}" if use.alias else ""
    yield f"uses {_double(use.url)}{alias} as {use.mode}"


def _group(group: Group) -> Iterator[str]:
    yield from _comment(group.documentation, "")
    parameters = ", ".join(
        f"{parameter.mode} {_name(parameter.name)}"
        + (f" : {_name(parameter.type)}" if parameter.type else "")
        for parameter in group.parameters
    )
    extends = f" extends {_name(group.extends)}" if group.extends else ""
    mode = {"types": " <<types>>", "type-and-types": " <<type+>>"}.get(group.type_mode, "")
    yield f"group {_name(group.name)}({parameters}){extends}{mode} {{"
    for rule in group.rules:
        yield from _rule(rule, "  ")
    yield "}"


def _rule(rule: Rule, indent: str) -> Iterator[str]:
    yield from _comment(rule.documentation, indent)
    text = ", ".join(_source(source) for source in rule.sources)
    if rule.targets:
        text += " -> " + ", ".join(_target(target) for target in rule.targets)
    calls = ", ".join(
        f"{_name(call.name)}({', '.join(_parameter(p) for p in call.parameters)})"
        for call in rule.calls
    )
    if calls:
        text += f" then {calls}"
    name = f" {_double(rule.name)}" if rule.name else ""
    if not rule.rules:
        yield f"{indent}{text}{name};"
        return
    yield f"{indent}{text}{'' if calls else ' then'} {{"
    for nested in rule.rules:
        yield from _rule(nested, indent + "  ")
    yield f"{indent}}}{name};"


def _source(source: RuleSource) -> str:
    pieces = [_path(source.context, source.element)]
    if source.type:
        pieces.append(f": {_name(source.type)}")
    if source.minimum is not None:
        pieces.append(f"{source.minimum}..{source.maximum}")
    if source.default:
        pieces.append(f"default ({source.default})")
    if source.list_mode:
        pieces.append(source.list_mode)
    if source.variable:
        pieces.append(f"as {_name(source.variable)}")
    for word, expression in (
        ("where", source.condition),
        ("check", source.check),
        ("log", source.log),
    ):
        if expression:
            pieces.append(f"{word} ({expression})")
    return " ".join(pieces)


def _target(target: RuleTarget) -> str:
    pieces: list[str] = []
    if target.context:
        pieces.append(_path(target.context, target.element))
        if target.transform:
            pieces.append("=")
    if target.transform:
        pieces.append(_transform(target.transform))
    if target.variable:
        pieces.append(f"as {_name(target.variable)}")
    pieces.extend(
        f"share {_name(target.list_rule_id)}" if mode == "share" else mode
        for mode in target.list_modes
    )
    return " ".join(pieces)


def _transform(transform: Transform) -> str:
    parameters = transform.parameters
    if transform.name == "copy" and len(parameters) == 1 and parameters[0].kind != "expression":
        return _parameter(parameters[0])
    if transform.name == "evaluate" and [one.kind for one in parameters] == ["expression"]:
        return f"({parameters[0].value})"
    if transform.name == "evaluate" and len(parameters) == 2:
        return f"evaluate({_parameter(parameters[0])}, {parameters[1].value})"
    return f"{transform.name}({', '.join(_parameter(parameter) for parameter in parameters)})"


def _parameter(parameter: Parameter) -> str:
    if parameter.kind == "name":
        return ".".join(_name(part) for part in str(parameter.value).split("."))
    if parameter.kind == "string":
        return quote(str(parameter.value))
    if parameter.kind == "boolean":
        return "true" if parameter.value else "false"
    if parameter.kind == "expression":
        return f"({parameter.value})"
    return f"@{parameter.value}" if parameter.kind == "date" else f"{parameter.value}"


def _path(context: str, element: str) -> str:
    parts = [context, *(element.split(".") if element else ())]
    return ".".join(_name(part) for part in parts)


def _name(name: str) -> str:
    if _PLAIN_NAME.match(name) and name not in _RESERVED:
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`").replace("\n", "\\n") + "`"


def _double(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def _comment(documentation: str, indent: str) -> Iterator[str]:
    if documentation:
        for line in documentation.split("\n"):
            yield f"{indent}// {line}".rstrip()
