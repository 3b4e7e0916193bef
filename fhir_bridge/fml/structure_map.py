"""The parts of a map in the FHIR Mapping Language, as plain frozen values.

https://hl7.org/fhir/R5/mapping-language.html and https://hl7.org/fhir/R4/structuremap.html

Promises: two maps are equal when they say the same; lines, columns and layout do not
count.  FHIRPath expressions are kept as text, with strings in single quotes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

__all__ = [
    "CodeMapping",
    "CodePrefix",
    "ConceptMapBlock",
    "Constant",
    "Group",
    "GroupCall",
    "GroupParameter",
    "Parameter",
    "Rule",
    "RuleSource",
    "RuleTarget",
    "StructureMap",
    "Transform",
    "Uses",
]

ParameterKind = Literal["name", "string", "boolean", "integer", "decimal", "date", "expression"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a transform or a group call: a variable, a literal or FHIRPath."""

    kind: ParameterKind
    value: str | bool | int | Decimal


@dataclass(frozen=True, slots=True)
class Transform:
    """What makes a target value: ``copy(a)`` is written ``a``, ``evaluate(x)`` is ``(x)``."""

    name: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSource:
    """``context.element : type min..max default mode as variable where check log``."""

    context: str
    element: str = ""
    type: str = ""
    minimum: int | None = None
    maximum: str = ""
    default: str = ""
    list_mode: str = ""
    variable: str = ""
    condition: str = ""
    check: str = ""
    log: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """``context.element = transform as variable list-modes``; context may be empty."""

    context: str = ""
    element: str = ""
    transform: Transform | None = None
    variable: str = ""
    list_modes: tuple[str, ...] = ()
    list_rule_id: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class GroupCall:
    """``then name(parameters)``."""

    name: str
    parameters: tuple[Parameter, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """Sources, targets, then nested rules and group calls, with an optional name."""

    sources: tuple[RuleSource, ...]
    targets: tuple[RuleTarget, ...] = ()
    rules: tuple[Rule, ...] = ()
    calls: tuple[GroupCall, ...] = ()
    name: str = ""
    documentation: str = ""
    line: int = field(default=0, compare=False)

    @property
    def size(self) -> int:
        """How much one firing does, in parts of the rule."""
        own = len(self.sources) + len(self.targets) + len(self.calls)
        return own + sum(rule.size for rule in self.rules)

    @property
    def is_simple(self) -> bool:
        """Whether this is ``a.b -> c.d``: make the target by the types of both sides."""
        if len(self.sources) != 1 or len(self.targets) != 1 or self.rules or self.calls:
            return False
        source, target = self.sources[0], self.targets[0]
        return bool(
            not source.variable
            and source.element
            and target.element
            and target.transform is None
            and not target.variable
        )


@dataclass(frozen=True, slots=True)
class GroupParameter:
    """``source name : type`` or ``target name : type``."""

    mode: Literal["source", "target"]
    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A named list of rules.  `type_mode` is empty, ``types`` or ``type-and-types``."""

    name: str
    parameters: tuple[GroupParameter, ...]
    extends: str = ""
    type_mode: str = ""
    rules: tuple[Rule, ...] = ()
    documentation: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Uses:
    """``uses "url" alias name as source|target|queried|produced``."""

    url: str
    mode: str
    alias: str = ""
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class Constant:
    """``let name = FHIRPath;``."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class CodePrefix:
    """``prefix s = "url"`` inside a conceptmap block."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class CodeMapping:
    """``s:a == t:b``: `relation` is the sign; `display` as written in the source, if any."""

    source_prefix: str
    source_code: str
    relation: str
    target_prefix: str = ""
    target_code: str = ""


@dataclass(frozen=True, slots=True)
class ConceptMapBlock:
    """``conceptmap "id" { prefix … unmapped for s = mode … s:a == t:b … }``."""

    id: str
    prefixes: tuple[CodePrefix, ...]
    mappings: tuple[CodeMapping, ...]
    unmapped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StructureMap:
    """A whole map.  `metadata` holds ``/// key = value`` lines beyond url, name, title, status."""

    url: str = ""
    name: str = ""
    title: str = ""
    status: str = ""
    description: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    concept_maps: tuple[ConceptMapBlock, ...] = ()
    uses: tuple[Uses, ...] = ()
    imports: tuple[str, ...] = ()
    constants: tuple[Constant, ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def is_hooks(self) -> bool:
        """Whether its groups are hooks: empty here, for a map of a site to define."""
        return ("hooks", "true") in self.metadata
