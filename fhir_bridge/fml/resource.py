"""A `StructureMap` value to the StructureMap resource and back.

https://hl7.org/fhir/R4/structuremap.html (written) and
https://hl7.org/fhir/R5/structuremap.html (also read: parameters of a group call are
typed, list modes are single, ``const`` exists).

A conceptmap block travels as a contained ConceptMap; a constant, other metadata, a date
literal and a literal in a group call as extensions of ours, since R4 has no place for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fml.concept_map_resource import from_concept_map, to_concept_map
from fhir_bridge.fml.structure_map import (
    Constant,
    Group,
    GroupCall,
    GroupParameter,
    Parameter,
    Rule,
    RuleSource,
    RuleTarget,
    StructureMap,
    Transform,
    Uses,
)

__all__ = ["from_structure_map_resource", "to_structure_map_resource"]

_CONSTANT = "https://fhir-bridge.org/fhir/StructureDefinition/structure-map-constant"
_METADATA = "https://fhir-bridge.org/fhir/StructureDefinition/structure-map-metadata"
_LITERAL = "https://fhir-bridge.org/fhir/StructureDefinition/structure-map-literal"
_NO_TYPE_MODE = "none"
_INFERRED = "vvv"
_VALUE_KEYS = {
    "name": "valueId",
    "string": "valueString",
    "boolean": "valueBoolean",
    "integer": "valueInteger",
    "decimal": "valueDecimal",
    "date": "valueDate",
    "expression": "valueString",
}
_READERS: dict[str, Callable[[str], Any]] = {
    "boolean": lambda text: text == "true",
    "integer": int,
    "decimal": Decimal,
}
_KINDS: dict[str, Any] = {
    "valueId": "name",
    "valueString": "string",
    "valueBoolean": "boolean",
    "valueInteger": "integer",
    "valueDecimal": "decimal",
    "valueDate": "date",
    "valueTime": "date",
    "valueDateTime": "date",
}


def to_structure_map_resource(structure_map: StructureMap) -> dict[str, Any]:
    """The R4 resource; elements that are empty are left out, names that R4 needs are made."""
    extensions = [_pair(_CONSTANT, one.name, one.expression) for one in structure_map.constants]
    extensions += [_pair(_METADATA, key, value) for key, value in structure_map.metadata]
    return _filled(
        resourceType="StructureMap",
        contained=[to_concept_map(block) for block in structure_map.concept_maps],
        extension=extensions,
        url=structure_map.url,
        name=structure_map.name,
        title=structure_map.title,
        status=structure_map.status or "draft",
        description=structure_map.description,
        structure=[
            _filled(url=one.url, mode=one.mode, alias=one.alias, documentation=one.documentation)
            for one in structure_map.uses
        ],
        **{"import": list(structure_map.imports)},
        group=[_group(group) for group in structure_map.groups],
    )


def from_structure_map_resource(resource: Mapping[str, Any]) -> StructureMap:
    """The map of a StructureMap resource, R4 or R5.  Raises BridgeError FB-2105."""
    try:
        return _read_map(resource)
    except (ArithmeticError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise BridgeError("FB-2105", str(resource.get("url", "")), reason=repr(error)) from None


def _pair(url: str, key: str, value: str) -> dict[str, Any]:
    parts = [{"url": "key", "valueString": key}, {"url": "value", "valueString": value}]
    return {"url": url, "extension": parts}


def _filled(**elements: Any) -> dict[str, Any]:
    return {key: value for key, value in elements.items() if value not in ("", None, [], ())}


def _group(group: Group) -> dict[str, Any]:
    return _filled(
        name=group.name,
        extends=group.extends,
        typeMode=group.type_mode or _NO_TYPE_MODE,
        documentation=group.documentation,
        input=[_filled(name=one.name, type=one.type, mode=one.mode) for one in group.parameters],
        rule=[_rule(rule, index) for index, rule in enumerate(group.rules, 1)],
    )


def _rule(rule: Rule, index: int) -> dict[str, Any]:
    sources = [_source(source) for source in rule.sources]
    targets = [_target(target) for target in rule.targets]
    if rule.is_simple:
        sources[0]["variable"] = _INFERRED
        targets[0] |= {"variable": _INFERRED, "transform": "create"}
    made_name = rule.name or rule.sources[0].element.replace(".", "-") or f"rule{index}"
    return _filled(
        name=made_name,
        source=sources,
        target=targets,
        rule=[_rule(one, number) for number, one in enumerate(rule.rules, 1)],
        dependent=[_call(call) for call in rule.calls],
        documentation=rule.documentation,
    )


def _source(source: RuleSource) -> dict[str, Any]:
    return _filled(
        context=source.context,
        min=source.minimum,
        max=source.maximum,
        type=source.type,
        defaultValueString=source.default,
        element=source.element,
        listMode=source.list_mode,
        variable=source.variable,
        condition=source.condition,
        check=source.check,
        logMessage=source.log,
    )


def _target(target: RuleTarget) -> dict[str, Any]:
    described = _filled(
        context=target.context,
        contextType="variable" if target.context else "",
        element=target.element,
        variable=target.variable,
        listMode=list(target.list_modes),
        listRuleId=target.list_rule_id,
    )
    if target.transform:
        described["transform"] = target.transform.name
        parameters = [_parameter(one) for one in target.transform.parameters]
        if parameters:
            described["parameter"] = parameters
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    if parameter.kind == "date":  # R4 has no such parameter
        return {"valueString": parameter.value, "_valueString": _said(parameter)}
    return {_VALUE_KEYS[parameter.kind]: parameter.value}


def _call(call: GroupCall) -> dict[str, Any]:
    """Parameters as text, since R4 takes variables only; what is a literal is said beside."""
    described: dict[str, Any] = {"name": call.name}
    if call.parameters:
        described["variable"] = [_text(one) for one in call.parameters]
    if any(one.kind != "name" for one in call.parameters):
        described["_variable"] = [_said(one) for one in call.parameters]
    return described


def _text(parameter: Parameter) -> str:
    value = parameter.value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _said(parameter: Parameter) -> dict[str, Any] | None:
    """That a text is a literal, and of which kind."""
    if parameter.kind == "name":
        return None
    return {"extension": [{"url": _LITERAL, "valueCode": parameter.kind}]}


def _read_map(resource: Mapping[str, Any]) -> StructureMap:
    extensions = resource.get("extension") or ()
    constants = [_read_pair(one) for one in extensions if one.get("url") == _CONSTANT]
    constants += [(one["name"], one["value"]) for one in resource.get("const") or ()]
    return StructureMap(
        url=str(resource.get("url", "")),
        name=str(resource.get("name", "")),
        title=str(resource.get("title", "")),
        status=str(resource.get("status", "")),
        description=str(resource.get("description", "")),
        metadata=tuple(_read_pair(one) for one in extensions if one.get("url") == _METADATA),
        concept_maps=tuple(
            from_concept_map(one)
            for one in resource.get("contained") or ()
            if one.get("resourceType") == "ConceptMap"
        ),
        uses=tuple(
            Uses(
                one.get("url", ""), one["mode"], one.get("alias", ""), one.get("documentation", "")
            )
            for one in resource.get("structure") or ()
        ),
        imports=tuple(resource.get("import") or ()),
        constants=tuple(Constant(name, expression) for name, expression in constants),
        groups=tuple(_read_group(one) for one in resource["group"]),
    )


def _read_pair(extension: Mapping[str, Any]) -> tuple[str, str]:
    parts = {part["url"]: part["valueString"] for part in extension["extension"]}
    return parts["key"], parts["value"]


def _read_group(group: Mapping[str, Any]) -> Group:
    type_mode = group.get("typeMode", _NO_TYPE_MODE)
    return Group(
        name=group["name"],
        parameters=tuple(
            GroupParameter(one["mode"], one["name"], one.get("type", "")) for one in group["input"]
        ),
        extends=group.get("extends", ""),
        type_mode="" if type_mode == _NO_TYPE_MODE else type_mode,
        rules=tuple(_read_rule(one) for one in group.get("rule") or ()),
        documentation=group.get("documentation", ""),
    )


def _read_rule(rule: Mapping[str, Any]) -> Rule:
    sources = [_read_source(one) for one in rule["source"]]
    targets = [_read_target(one) for one in rule.get("target") or ()]
    nested = tuple(_read_rule(one) for one in rule.get("rule") or ())
    calls = tuple(_read_call(one) for one in rule.get("dependent") or ())
    if len(sources) == len(targets) == 1 and not nested and not calls:
        target = targets[0]
        inferred = Transform("create")
        if sources[0].variable == target.variable == _INFERRED and target.transform == inferred:
            source = rule["source"][0]
            sources = [_read_source({**source, "variable": ""})]
            targets = [RuleTarget(target.context, target.element, list_modes=target.list_modes)]
    return Rule(
        tuple(sources),
        tuple(targets),
        nested,
        calls,
        rule.get("name", ""),
        rule.get("documentation", ""),
    )


def _read_source(source: Mapping[str, Any]) -> RuleSource:
    default = next(
        (str(value) for key, value in source.items() if key.startswith("defaultValue")), ""
    )
    return RuleSource(
        context=source["context"],
        element=source.get("element", ""),
        type=source.get("type", ""),
        minimum=int(source["min"]) if "min" in source else None,
        maximum=str(source.get("max", "*" if "min" in source else "")),
        default=default,
        list_mode=source.get("listMode", ""),
        variable=source.get("variable", ""),
        condition=source.get("condition", ""),
        check=source.get("check", ""),
        log=source.get("logMessage", ""),
    )


def _read_target(target: Mapping[str, Any]) -> RuleTarget:
    modes = target.get("listMode") or ()
    name = target.get("transform", "")
    parameters = [_read_parameter(one) for one in target.get("parameter") or ()]
    if name == "evaluate" and parameters:
        last = parameters[-1]
        if last.kind == "string":
            parameters[-1] = Parameter("expression", last.value)
    return RuleTarget(
        context=target.get("context", ""),
        element=target.get("element", ""),
        transform=Transform(name, tuple(parameters)) if name else None,
        variable=target.get("variable", ""),
        list_modes=(modes,) if isinstance(modes, str) else tuple(modes),
        list_rule_id=target.get("listRuleId", ""),
    )


def _read_parameter(parameter: Mapping[str, Any]) -> Parameter:
    if "_valueString" in parameter:
        return _read_literal(parameter["valueString"], parameter["_valueString"], "string")
    for key, kind in _KINDS.items():
        if key in parameter:
            value = parameter[key]
            if kind == "decimal" and not isinstance(value, Decimal):
                value = Decimal(str(value))
            return Parameter(kind, value)
    raise KeyError("a parameter without a value")


def _read_call(call: Mapping[str, Any]) -> GroupCall:
    if "parameter" in call:
        return GroupCall(call["name"], tuple(_read_parameter(one) for one in call["parameter"]))
    names = call.get("variable") or ()
    beside = call.get("_variable") or (None,) * len(names)
    pairs = zip(names, beside, strict=True)
    return GroupCall(call["name"], tuple(_read_literal(*pair, "name") for pair in pairs))


def _read_literal(text: str, said: Mapping[str, Any] | None, otherwise: Any) -> Parameter:
    """The text as the kind of literal that its extension says."""
    extensions = (said or {}).get("extension") or ()
    kinds = (one.get("valueCode") for one in extensions if one.get("url") == _LITERAL)
    kind = next(kinds, otherwise)
    read = _READERS.get(kind)
    return Parameter(kind, read(text) if read else text)
