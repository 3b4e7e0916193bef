"""Rules inside a group: sources, targets, then.

https://hl7.org/fhir/R5/mapping-language.html#rules
"""

from __future__ import annotations

from dataclasses import replace

from fhir_bridge.errors import BridgeError
from fhir_bridge.fml.cursor import Cursor
from fhir_bridge.fml.expressions import MAX_DEPTH
from fhir_bridge.fml.parse_transform import parse_parameters, parse_transform
from fhir_bridge.fml.structure_map import GroupCall, Rule, RuleSource, RuleTarget

__all__ = ["parse_rules"]

_SOURCE_MODES = ("first", "not_first", "last", "not_last", "only_one")
_TARGET_MODES = ("first", "last", "share", "single", "collate")
_ENDS = frozenset({"->", "then", ",", ";", "check", "log"})
_DEFAULT_ENDS = frozenset({*_ENDS, *_SOURCE_MODES, "as", "where"})


def parse_rules(cursor: Cursor, depth: int = 1) -> tuple[Rule, ...]:
    """Pass ``{ rule; rule; }``."""
    if depth > MAX_DEPTH:
        raise BridgeError("FB-2102", cursor.text.place(cursor.token.start), limit=MAX_DEPTH)
    cursor.expect("{")
    rules: list[Rule] = []
    while not cursor.took("}"):
        rules += _rule(cursor, depth)
    return tuple(rules)


def _rule(cursor: Cursor, depth: int) -> tuple[Rule, ...]:
    """One rule; ``src -> tgt : a, b`` stands for as many rules as it has names."""
    documentation, line = cursor.documentation(), cursor.line
    leading = ""
    if cursor.sees_kind("name") and cursor.after().text == ":" and cursor.after(2).text == "for":
        leading = cursor.take().text  # the first published form: name : for source make target
        cursor.take()
        cursor.take()
    sources = [_source(cursor)]
    while cursor.took(","):
        sources.append(_source(cursor))
    targets: list[RuleTarget] = []
    if cursor.took("->", "make"):
        targets.append(_target(cursor))
        while cursor.took(","):
            targets.append(_target(cursor))
    if _is_bare(sources, targets) and cursor.took(":"):
        return _identities(cursor, sources[0], targets[0], documentation)
    rules: tuple[Rule, ...] = ()
    calls: list[GroupCall] = []
    if cursor.took("then"):
        if not cursor.sees("{"):
            calls.append(_call(cursor))
            while cursor.took(","):
                calls.append(_call(cursor))
        if cursor.sees("{"):
            rules = parse_rules(cursor, depth + 1)
    name = _name(cursor) or leading
    cursor.expect(";")
    return (Rule(tuple(sources), tuple(targets), rules, tuple(calls), name, documentation, line),)


def _name(cursor: Cursor) -> str:
    if cursor.sees_kind("string", "quoted", "delimited"):
        return cursor.string("the name of the rule")
    return ""


def _is_bare(sources: list[RuleSource], targets: list[RuleTarget]) -> bool:
    """Whether this is ``src.a -> tgt.b`` with nothing else said."""
    if len(sources) != 1 or len(targets) != 1:
        return False
    source, target = sources[0], targets[0]
    return source == RuleSource(source.context, source.element) and target == RuleTarget(
        target.context, target.element
    )


def _identities(
    cursor: Cursor, source: RuleSource, target: RuleTarget, documentation: str
) -> tuple[Rule, ...]:
    """``src -> tgt : a, b;`` as ``src.a -> tgt.a; src.b -> tgt.b;`` (the form of R6)."""
    named: list[tuple[str, int]] = []
    while not named or cursor.took(","):
        line = cursor.line
        named.append((cursor.name("the name of an element"), line))
    name = _name(cursor)
    cursor.expect(";")
    return tuple(
        Rule(
            (replace(source, element=_within(source.element, element), line=line),),
            (replace(target, element=_within(target.element, element), line=line),),
            name=f"{name}-{element}" if name else "",
            documentation="" if index else documentation,
            line=line,
        )
        for index, (element, line) in enumerate(named)
    )


def _within(path: str, element: str) -> str:
    return f"{path}.{element}" if path else element


def _source(cursor: Cursor) -> RuleSource:
    line = cursor.line
    context = cursor.name("a source variable")
    element = ""
    while cursor.took("."):
        part = cursor.name("the name of an element")
        element = f"{element}.{part}" if element else part
    type_name = cursor.name("a type") if cursor.took(":") else ""
    minimum: int | None = None
    maximum = ""
    if cursor.sees_kind("number") and cursor.after().text == "..":
        minimum = int(cursor.take().text)
        cursor.take()
        if not (cursor.sees_kind("number") or cursor.sees("*")):
            raise cursor.expected("a number or *")
        maximum = cursor.take().text
    default = cursor.expression(_DEFAULT_ENDS) if cursor.took("default") else ""
    list_mode = cursor.take().text if cursor.sees(*_SOURCE_MODES) else ""
    variable = cursor.name("a variable") if cursor.took("as") else ""
    condition = cursor.expression(_ENDS) if cursor.took("where") else ""
    check = cursor.expression(_ENDS) if cursor.took("check") else ""
    log = cursor.expression(_ENDS) if cursor.took("log") else ""
    return RuleSource(
        context=context,
        element=element,
        type=type_name,
        minimum=minimum,
        maximum=maximum,
        default=default,
        list_mode=list_mode,
        variable=variable,
        condition=condition,
        check=check,
        log=log,
        line=line,
    )


def _target(cursor: Cursor) -> RuleTarget:
    line = cursor.line
    context = element = ""
    transform = None
    if cursor.sees("(") or (cursor.sees_kind("name") and cursor.after().text == "("):
        transform = parse_transform(cursor, bare=True)
    else:
        context = cursor.name("a target variable")
        while cursor.took("."):
            part = cursor.name("the name of an element")
            element = f"{element}.{part}" if element else part
        if cursor.took("="):
            transform = parse_transform(cursor)
    variable = cursor.name("a variable") if cursor.took("as") else ""
    modes: list[str] = []
    list_rule_id = ""
    while cursor.sees(*_TARGET_MODES):
        mode = cursor.take().text
        modes.append(mode)
        if mode == "share":
            list_rule_id = cursor.name("the name that shares the item")
    return RuleTarget(context, element, transform, variable, tuple(modes), list_rule_id, line)


def _call(cursor: Cursor) -> GroupCall:
    line = cursor.line
    name = cursor.name("the name of a group")
    return GroupCall(name, parse_parameters(cursor, "names or literals"), line)
