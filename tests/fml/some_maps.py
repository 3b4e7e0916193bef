"""Maps of every shape, and what is lawful of an error in one."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some

from fhir_bridge.errors import BridgeError
from fhir_bridge.fml import (
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


def positioned(error: BridgeError) -> bool:
    """Whether an error names a line, or the rule with its line."""
    issue = error.issues[0]
    return "line" in issue.where or "line" in issue.details.get("rule", "")
