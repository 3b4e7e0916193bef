"""Static check of an expression against the definitions.

http://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation.  Evaluation is lenient: an
element that does not exist is empty.  An author wants to hear of it: :func:`check` follows
the types through the expression and reports names of elements and types that do not exist,
and (with `ordered`) order-dependent functions on unordered collections.
"""

from __future__ import annotations

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Definitions
from fhir_bridge.fhirpath.compiler import compile_closure
from fhir_bridge.fhirpath.functions.registry import FUNCTIONS
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath.language.lexer import locate
from fhir_bridge.fhirpath.language.parser import parse
from fhir_bridge.fhirpath.language.suggestion import did_you_mean
from fhir_bridge.fhirpath_values import Model, model_of

__all__ = ["check"]

Types = frozenset[str] | None  # None: not known
_SAME_NAMES = (
    "where first last tail skip take single distinct trace sort intersect exclude "
    "defineVariable extension checkModifiers"
)
_SAME = frozenset(_SAME_NAMES.split())
_BOOLEAN_NAMES = (
    "exists empty not all allTrue anyTrue allFalse anyFalse subsetOf supersetOf isDistinct is "
    "hasValue memberOf conformsTo startsWith endsWith contains matches matchesFull"
)
_BOOLEAN = frozenset(_BOOLEAN_NAMES.split())
_ORDERED = frozenset({"first", "last", "tail", "skip", "take"})
_UNORDERED = frozenset({"children", "descendants"})
_KEEPS_ORDER = frozenset(
    "where select ofType as distinct extension trace combine union intersect exclude".split()  # noqa: SIM905 - reads better
)
# functions that take one simple value: no structure is ever their input
_ON_VALUES_NAMES = (
    "indexOf lastIndexOf substring startsWith endsWith contains upper lower trim length "
    "toChars replace matches matchesFull replaceMatches split join encode decode escape "
    "unescape exp ln log power sqrt yearOf monthOf dayOf hourOf minuteOf secondOf "
    "millisecondOf timezoneOffsetOf dateOf timeOf duration difference"
)
_ON_VALUES = frozenset(_ON_VALUES_NAMES.split())
_TRUTH: Types = frozenset({"System.Boolean"})


def check(
    text: str, definitions: Definitions, root_type: str = "", *, ordered: bool = False
) -> list[Issue]:
    """What is wrong with `text` when it is asked of a `root_type` ("" any): FB-2004 issues.

    Raises BridgeError as :func:`compile` does for text that is no expression.
    """
    model = model_of(definitions)
    tree = parse(text)
    compile_closure(tree, text, model)
    checker = _Checker(text, model, ordered=ordered)
    root: Types = frozenset({root_type}) if root_type in definitions.types else None
    checker.root = root
    checker.types(tree, root, root)
    return checker.issues


class _Checker:
    def __init__(self, text: str, model: Model, *, ordered: bool) -> None:
        self.text = text
        self.model = model
        self.ordered = ordered
        self.root: Types = None
        self.issues: list[Issue] = []

    def report(self, offset: int, name: str, reason: str) -> None:
        self.issues.append(
            Issue("FB-2004", "error", locate(self.text, offset), {"name": name, "reason": reason})
        )

    def types(self, tree: syntax.Expr, focus: Types, this: Types) -> Types:
        """The types that `tree` may answer on `focus`; reports what cannot be."""
        match tree:
            case syntax.Path():
                return self.path(tree, focus, this)
            case syntax.Member():
                return self.start(tree, focus)
            case syntax.Call():
                return self.call(tree, focus, this)
            case syntax.Special(name="this"):
                return this
            case syntax.Constant():
                return self.constant(tree.name)
            case syntax.Union():
                return _merged([self.types(part, focus, this) for part in tree.parts])
            case syntax.Unary(operand=inner) | syntax.SortKey(key=inner):
                return self.types(inner, focus, this)
            case syntax.Instance():
                _merged([self.types(element, focus, this) for _, element in tree.elements])
                return frozenset({tree.type_name.removeprefix("FHIR.")})
            case syntax.Index():
                self.types(tree.position, this, this)
                return focus
            case syntax.TypeTest():
                self.types(tree.operand, focus, this)
                return self.type_specifier(tree.type_name, tree.offset, cast=tree.operator == "as")
            case syntax.Binary():
                self.types(tree.left, focus, this)
                self.types(tree.right, focus, this)
                arithmetic = tree.operator in "+-*/&" or tree.operator in ("div", "mod")
                return None if arithmetic else _TRUTH
        return None

    def constant(self, name: str) -> Types:
        """``%context`` is the root; ``%resource`` is too, unless the root is a part of one."""
        if name == "context":
            return self.root
        whole = self.root is not None and all(map(self.model.is_resource, self.root))
        return self.root if whole and name in ("resource", "rootResource") else None

    def path(self, tree: syntax.Path, focus: Types, this: Types) -> Types:
        found = self.types(tree.start, focus, this)
        loose = _is_call(tree.start, _UNORDERED)
        for step in tree.steps:
            if (
                self.ordered
                and loose
                and (isinstance(step, syntax.Index) or _is_call(step, _ORDERED))
            ):
                name = f"{step.name}()" if isinstance(step, syntax.Call) else "an index"
                self.report(step.offset, name, "the items before it have no order")
            kept = isinstance(step, syntax.Member) or _is_call(step, _KEEPS_ORDER)
            loose = _is_call(step, _UNORDERED) or (loose and kept)
            if isinstance(step, syntax.Member):
                found = self.member(step, found)
            else:
                found = self.types(step, found, this)
        return found

    def start(self, tree: syntax.Member, focus: Types) -> Types:
        name = tree.name
        if focus is not None and name[:1].isupper():
            fitting = frozenset(each for each in focus if self.model.is_a(each, name))
            if fitting:
                return fitting
        return self.member(tree, focus)

    def member(self, tree: syntax.Member, focus: Types) -> Types:
        if focus is None:
            return None
        found: set[str] = set()
        known = False
        for owner in focus:
            members = self.model.members(owner, tree.name)
            if members is None:
                return None
            if self.model.is_choice_key(owner, tree.name):
                self.report(tree.offset, tree.name, f"{owner} has it without the type in its name")
                return None
            known = known or bool(members)
            found.update(member.type_name for member in members)
        if not known:
            near = did_you_mean(tree.name, self.names(focus))
            owners = " or ".join(sorted(focus))
            self.report(tree.offset, tree.name, f"it is no element of {owners}{near}")
            return None
        return None if "" in found or "Resource" in found else frozenset(found)

    def is_structure(self, type_name: str) -> bool:
        """Whether values of the type have elements and no value of their own."""
        definitions = self.model.definitions
        shape = definitions.types.get(type_name) if definitions is not None else None
        return shape is not None and shape.kind != "primitive" and not shape.abstract

    def names(self, owners: frozenset[str]) -> list[str]:
        """The elements of the types, choices without a type in their name."""
        definitions = self.model.definitions
        shapes = [definitions.types[owner] for owner in owners] if definitions is not None else []
        return [
            element.choice or key for shape in shapes for key, element in shape.elements.items()
        ]

    def call(self, tree: syntax.Call, focus: Types, this: Types) -> Types:
        function = FUNCTIONS[tree.name]
        if tree.name in _ON_VALUES and focus and all(map(self.is_structure, focus)):
            owners = " or ".join(sorted(focus))
            self.report(tree.offset, f"{tree.name}()", f"{owners} is no simple value")
        if function.style == "type":
            name = syntax.type_name_of(tree.arguments[0]) or ""
            return self.type_specifier(name, tree.offset, cast=tree.name != "is")
        lambdas = function.style == "lambda" and tree.name not in ("aggregate", "repeat")
        answers = [
            self.types(
                argument,
                focus if lambdas else None if function.style == "lambda" else this,
                focus if lambdas else None if function.style == "lambda" else this,
            )
            for argument in tree.arguments
        ]
        if tree.name in _BOOLEAN:
            return _TRUTH
        if tree.name == "select":
            return answers[0]
        if tree.name in ("union", "combine"):
            return _merged([focus, answers[0]])
        if tree.name == "extension":
            return frozenset({"Extension"})
        return focus if tree.name in _SAME else None

    def type_specifier(self, name: str, offset: int, *, cast: bool) -> Types:
        if not self.model.has_type(name):
            if not name.startswith("System."):  # a System type that nothing has is just not it
                near = did_you_mean(name, self.model.type_names)
                self.report(offset, name, f"there is no such type{near}")
            return None if cast else _TRUTH
        if not cast:
            return _TRUTH
        local = name.removeprefix("FHIR.")
        return frozenset({local}) if local in self.model.type_names else None


def _is_call(tree: syntax.Expr, names: frozenset[str]) -> bool:
    return isinstance(tree, syntax.Call) and tree.name in names


def _merged(parts: list[Types]) -> Types:
    found: set[str] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return frozenset(found)
