"""Laws that hold for any text, any map and any input."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions, parse_json, render_json
from fhir_bridge.transform import (
    Library,
    from_structure_map_resource,
    parse_map,
    render_map,
    to_structure_map_resource,
)
from fhir_bridge.transform.structure_map import (
    CodeMapping,
    CodePrefix,
    ConceptMapBlock,
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

ORDINARY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS = "group source target then where check log default as -> ; , { } ( ) . : = <<types>> 'x' \"y\" `z` src tgt 1 1.5 @2020 // /* */ first share let conceptmap prefix s:a == t:b /// url"
PIECES = some.one_of(some.sampled_from(WORDS.split()), some.text(max_size=6))
NAMES = some.sampled_from(
    ["src", "tgt", "a", "b", "name", "value", "first", "odd name", "姓名", "as"]
)
TEXTS = some.text(max_size=12).filter(lambda text: "\r" not in text)
FILLED = TEXTS.filter(bool)
EXPRESSIONS = some.sampled_from(
    ["a = 'x'", "$this.exists()", "%a & 'b'", "name.first()", "1 + 2 > 2", "src.a.length() < 3"]
)
CODES = some.from_regex(r"[A-Za-z0-9_.\-]{1,8}", fullmatch=True)
PARAMETERS = some.one_of(
    NAMES.map(lambda name: Parameter("name", name)),
    TEXTS.map(lambda text: Parameter("string", text)),
    some.booleans().map(lambda value: Parameter("boolean", value)),
    some.integers(-999, 999).map(lambda value: Parameter("integer", value)),
    some.decimals(-99, 99, places=2).map(lambda value: Parameter("decimal", value)),
)
TRANSFORMS = some.one_of(
    PARAMETERS.map(lambda parameter: Transform("copy", (parameter,))),
    EXPRESSIONS.map(lambda text: Transform("evaluate", (Parameter("expression", text),))),
    some.builds(
        Transform,
        some.sampled_from(["create", "truncate", "append", "translate", "uuid", "cc", "conjure"]),
        some.lists(PARAMETERS, max_size=3).map(tuple),
    ),
)
SOURCES = some.builds(
    RuleSource,
    context=NAMES,
    element=NAMES,
    type=some.sampled_from(["", "string", "Quantity"]),
    default=some.sampled_from(["", "'none'"]),
    list_mode=some.sampled_from(["", "first", "not_last", "only_one"]),
    variable=some.one_of(some.just(""), NAMES),
    condition=some.one_of(some.just(""), EXPRESSIONS),
    check=some.one_of(some.just(""), EXPRESSIONS),
    log=some.one_of(some.just(""), EXPRESSIONS),
)
TARGETS = some.builds(
    RuleTarget,
    context=NAMES,
    element=NAMES,
    transform=some.one_of(some.none(), TRANSFORMS),
    variable=some.one_of(some.just(""), NAMES),
    list_modes=some.sampled_from([(), ("first",), ("last",), ("single",)]),
)
CALLS = some.builds(GroupCall, NAMES, some.lists(PARAMETERS, max_size=3).map(tuple))
LEAVES = some.builds(
    Rule,
    some.lists(SOURCES, min_size=1, max_size=2).map(tuple),
    some.lists(TARGETS, max_size=2).map(tuple),
    calls=some.lists(CALLS, max_size=2).map(tuple),
    name=TEXTS,
)
RULES = some.recursive(
    LEAVES,
    lambda inner: some.builds(
        Rule,
        some.lists(SOURCES, min_size=1, max_size=1).map(tuple),
        some.lists(TARGETS, max_size=1).map(tuple),
        some.lists(inner, min_size=1, max_size=2).map(tuple),
        name=TEXTS,
    ),
    max_leaves=6,
)
GROUPS = some.builds(
    Group,
    name=NAMES,
    parameters=some.sampled_from(
        [
            (GroupParameter("source", "src"), GroupParameter("target", "tgt", "Patient")),
            (GroupParameter("source", "src", "Patient"), GroupParameter("target", "tgt")),
            (GroupParameter("source", "src"),),
        ]
    ),
    extends=some.sampled_from(["", "a"]),
    type_mode=some.sampled_from(["", "types", "type-and-types"]),
    rules=some.lists(RULES, max_size=3).map(tuple),
)
MAPS = some.builds(
    StructureMap,
    url=some.just("http://example.org/generated"),
    name=TEXTS,
    title=TEXTS,
    concept_maps=some.lists(
        some.builds(
            ConceptMapBlock,
            CODES,
            some.just((CodePrefix("s", "urn:s"), CodePrefix("t", "urn:t"))),
            some.lists(
                some.builds(
                    CodeMapping,
                    some.just("s"),
                    FILLED,
                    some.sampled_from(["==", "=", "-", "<=", ">=", "~", "!="]),
                    some.just("t"),
                    FILLED,
                ),
                max_size=2,
            ).map(tuple),
        ),
        max_size=1,
    ).map(tuple),
    uses=some.lists(
        some.builds(Uses, FILLED, some.sampled_from(["source", "target"]), NAMES), max_size=2
    ).map(tuple),
    imports=some.lists(some.sampled_from(["http://x/*", "http://x/a"]), max_size=1).map(tuple),
    constants=some.lists(some.builds(Constant, NAMES, EXPRESSIONS), max_size=1).map(tuple),
    groups=some.lists(GROUPS, min_size=1, max_size=3).map(tuple),
)
TREES = some.recursive(
    some.one_of(TEXTS, some.booleans(), some.integers(), some.decimals(0, 9, places=2)),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3),
        some.dictionaries(some.sampled_from(["a", "b", "name", "value", "src"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def positioned(error: BridgeError) -> bool:
    """Whether an error names a line, or the rule with its line."""
    issue = error.issues[0]
    return "line" in issue.where or "line" in issue.details.get("rule", "")


@ORDINARY
@given(some.lists(PIECES, max_size=40).map(" ".join))
def test_any_text_is_a_map_or_a_positioned_error(text: str) -> None:
    """Never another exception, never a hang."""
    try:
        structure_map = parse_map(f"group G(source src, target tgt) {{ {text}")
    except BridgeError as refused:
        lawful = positioned(refused)
    else:
        lawful = parse_map(render_map(structure_map)) == structure_map
    assert lawful


@ORDINARY
@given(MAPS)
def test_any_map_reads_back_from_its_text(structure_map: StructureMap) -> None:
    """Parse undoes render, whatever stands in names and strings."""
    assert parse_map(render_map(structure_map)) == structure_map


@ORDINARY
@given(MAPS)
def test_any_map_reads_back_from_its_resource(structure_map: StructureMap) -> None:
    """The resource of a map makes the same resource again, through JSON."""
    resource = to_structure_map_resource(structure_map)
    again = from_structure_map_resource(parse_json(render_json(resource)))
    assert to_structure_map_resource(again) == resource


@ORDINARY
@given(MAPS, some.dictionaries(some.sampled_from(["a", "b", "name", "value"]), TREES, max_size=4))
def test_any_map_compiles_and_runs_or_gives_a_positioned_error(
    structure_map: StructureMap, source: dict[str, Any]
) -> None:
    """On any input: a target that is JSON, or an error that names the rule."""
    try:
        compiled = Library(definitions(), [structure_map]).compile(structure_map.url)
        done = compiled.run(source)
    except BridgeError as refused:
        lawful = positioned(refused)
    else:
        lawful = bool(render_json(done.target))
    assert lawful


@ORDINARY
@given(TREES)
def test_a_copied_tree_is_finished_without_empty_parts(tree: Any) -> None:
    """No empty object, list or text is left in a target, however the input looks."""
    text = (
        'map "http://x/y" = "y"\nuses "http://hl7.org/fhir/StructureDefinition/Patient" '
        "alias Patient as target\ngroup G(source src, target tgt : Patient) "
        "{ src.a as a -> tgt.name = a; src.a as a -> tgt.active = a; src.a as a -> tgt.id = a; }"
    )
    done = Library(None, [text]).compile("http://x/y").run({"a": tree})

    def full(node: Any) -> bool:
        if isinstance(node, dict):
            return bool(node) and all(map(full, node.values()))
        if isinstance(node, list):
            return bool(node) and all(map(full, node))
        return node not in ("", None) or isinstance(node, bool | int | Decimal)

    assert full(done.target)
