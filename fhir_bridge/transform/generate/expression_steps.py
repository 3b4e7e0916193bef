"""Functions and operators of FHIRPath as Python: one small entry each.

An entry gets the writer, the text of the focus and the call, and gives the text of the
answer; `Unwritten` where the call needs the engine.
"""

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.codegen import Unwritten
from fhir_bridge.fhirpath import syntax
from fhir_bridge.pattern import compile_pattern
from fhir_bridge.transform.generate.expression_answers import (
    engine_function,
    engine_operator,
)
from fhir_bridge.transform.generate.expression_text import Kind, PartWriter, Written

__all__ = ["OWN_VALUE", "passes_on", "write_call", "write_operator"]

OWN_VALUE = "select(iif(hasValue(), $this, value))"
"""How maps' ``.value`` of anything is said in FHIRPath."""

Entry = Callable[[PartWriter, Written, syntax.Call], Written]
_PASSING = frozenset(
    {"combine", "distinct", "first", "iif", "last", "select", "skip", "tail", "take", "where"}
)


def passes_on(step: syntax.Expr) -> bool:
    """Whether items of the focus may be items of the answer."""
    return isinstance(step, syntax.Index) or getattr(step, "name", "") in _PASSING


def write_call(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
    """The call of a function."""
    entry = _ENTRIES.get((call.name, len(call.arguments)))
    if entry is None:
        raise Unwritten(f"the function {call.name}()")
    return entry(writer, focus, call)


def _answering(answer: str, kind: Kind) -> Entry:
    """A function that is one of `expression_answers`; its arguments are collections."""

    def entry(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
        given = [writer.write(one, keeps=writer.keeps).text for one in call.arguments]
        return Written(f"{answer}({', '.join([focus.text, *given])})", kind)

    return entry


def _by_engine(name: str, kind: Kind) -> Entry:
    """A function on values that the engine's own code answers."""
    answer = engine_function(name)

    def entry(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
        given = [writer.write(one).text for one in call.arguments]
        bound = writer.bind(answer, name)
        return Written(f"{bound}({', '.join([focus.text, *given])})", kind)

    return entry


def _filtering(answer: str, kind: Kind, *, is_test: bool = True) -> Entry:
    """A function that asks its lambda of every item."""

    def entry(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
        part = writer.function(call.arguments[0], is_test=is_test)
        return Written(f"{answer}({focus.text}, {part}, run, frame)", kind)

    return entry


def _numbered(answer: str) -> Entry:
    """``skip(2)`` and ``take(2)``, of a number that is written out."""

    def entry(_writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
        literal = unwrapped(call.arguments[0])
        if not isinstance(literal, syntax.Literal) or type(literal.value) is not int:
            raise Unwritten(f"{call.name}() of more than a whole number")
        return Written(f"{answer}({focus.text}, {literal.value})", "many")

    return entry


def _exists(_writer: PartWriter, focus: Written, _call: syntax.Call) -> Written:
    return Written(focus.there, "sure")


def _empty(_writer: PartWriter, focus: Written, _call: syntax.Call) -> Written:
    return Written(f"(not {focus.there})", "sure")


def _not(_writer: PartWriter, focus: Written, _call: syntax.Call) -> Written:
    if focus.kind == "sure":
        return Written(f"(not {focus.text})", "sure")
    return Written(f"negated({focus.truth})", "truth")


def _matches(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
    source = unwrapped(call.arguments[0])
    if not isinstance(source, syntax.Literal) or type(source.value) is not str:
        return _by_engine("matches", "truth")(writer, focus, call)
    search = writer.bind(compile_pattern(source.value).search, "search")
    return Written(f"matches({focus.text}, {search})", "truth")


def _substring(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
    places = [unwrapped(one) for one in call.arguments]
    numbers = [one.value for one in places if isinstance(one, syntax.Literal)]
    if len(numbers) < 2 or any(type(number) is not int for number in numbers):
        return _by_engine("substring", "one")(writer, focus, call)
    return Written(f"substring({focus.text}, {numbers[0]}, {numbers[1]})", "one")


def _replace_matches(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
    given = [unwrapped(one) for one in call.arguments]
    texts = [one.value for one in given if isinstance(one, syntax.Literal)]
    if len(texts) < 2 or type(texts[0]) is not str or not texts[0] or texts[1] != "":
        return _by_engine("replaceMatches", "one")(writer, focus, call)
    pattern = writer.bind(compile_pattern(texts[0]), "pattern")
    return Written(f"removed({focus.text}, {pattern})", "one")


def _select(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
    if writer.source.startswith(OWN_VALUE, call.offset):
        return Written(f"own_value({focus.text})", "many")
    return _filtering("select", "many", is_test=False)(writer, focus, call)


def _iif(writer: PartWriter, focus: Written, call: syntax.Call) -> Written:
    """On ``$this`` only, which is one item."""
    if focus.text != "node":
        raise Unwritten("iif() behind a path")
    test = writer.write(call.arguments[0])
    decides = test.text if test.kind in {"sure", "truth"} else f"criterion({test.text})"
    then = writer.write(call.arguments[1], keeps=writer.keeps)
    other = Written("None", "one")
    if len(call.arguments) > 2:
        other = writer.write(call.arguments[2], keeps=writer.keeps)
    kind: Kind = "many" if "many" in {then.kind, other.kind} else "one"
    return Written(f"({then.text} if {decides} else {other.text})", kind)


def write_operator(writer: PartWriter, tree: syntax.Binary) -> Written:
    """An operator other than ``and`` and ``or``."""
    operator, right = tree.operator, unwrapped(tree.right)
    left = writer.write(tree.left)
    if operator in {"=", "!="}:
        answer = _equality(writer, left, right)
        return Written(answer if operator == "=" else f"negated({answer})", "truth")
    if operator == "in":
        texts = _texts(right)
        if texts is not None:
            return Written(f"one_of({left.text}, {writer.bind(texts, 'texts')})", "truth")
        return Written(f"among({left.text}, {writer.write(right).text})", "truth")
    other = writer.write(right)
    kind = _OPERATORS.get(operator)
    if kind is None:
        raise Unwritten(f"the operator {operator}")
    if operator in _NUMERIC and left.kind == other.kind == "one" and _is_count(left, other):
        return Written(f"({left.text} {operator} {other.text})", "sure")
    apply = writer.bind(engine_operator(operator), "operator")
    return Written(f"{apply}({left.text}, {other.text})", kind)


def _is_count(left: Written, right: Written) -> bool:
    """``count() > 1``."""
    return left.text.startswith("count(") and right.text.isdecimal()


def _equality(writer: PartWriter, left: Written, right: syntax.Expr) -> str:
    other = writer.write(right)
    if isinstance(right, syntax.Literal) and type(right.value) is bool:
        return f"same_truth({left.text}, {right.value!r})"
    is_text = isinstance(right, syntax.Literal) and type(right.value) is str
    if is_text or (isinstance(right, syntax.Constant) and other.kind == "one"):
        return f"same_text({left.text}, {other.text})"
    return f"equal({left.text}, {other.text})"


def unwrapped(tree: syntax.Expr) -> syntax.Expr:
    """What stands in parentheses."""
    while isinstance(tree, syntax.Path) and not tree.steps:
        tree = tree.start
    return tree


def _texts(tree: syntax.Expr) -> frozenset[str] | None:
    """Texts that are written out one by one; None for anything else."""
    parts = [unwrapped(part) for part in tree.parts] if isinstance(tree, syntax.Union) else [tree]
    texts = [part.value for part in parts if isinstance(part, syntax.Literal)]
    if len(texts) != len(parts) or not all(type(text) is str for text in texts):
        return None
    return frozenset(texts)


_NUMERIC = frozenset({"<", "<=", ">", ">="})
_OPERATORS: dict[str, Kind] = {
    "+": "one", "-": "one", "*": "one", "&": "one", "<": "truth", "<=": "truth", ">": "truth", ">=": "truth",
}  # fmt: skip

_ENTRIES: dict[tuple[str, int], Entry] = {
    ("all", 1): _filtering("all_of", "sure"),
    ("allTrue", 0): _answering("all_true", "sure"),
    ("anyTrue", 0): _answering("any_true", "sure"),
    ("children", 0): _answering("children_of", "many"),
    ("combine", 1): _answering("combine", "many"),
    ("count", 0): _answering("count", "one"),
    ("descendants", 0): _answering("descendants", "many"),
    ("distinct", 0): _answering("distinct", "many"),
    ("empty", 0): _empty,
    ("exists", 0): _exists,
    ("exists", 1): _filtering("exists_one", "sure"),
    ("first", 0): _answering("first", "one"),
    ("hasValue", 0): _answering("has_value", "sure"),
    ("iif", 2): _iif,
    ("iif", 3): _iif,
    ("last", 0): _answering("last", "one"),
    ("matches", 1): _matches,
    ("not", 0): _not,
    ("select", 1): _select,
    ("skip", 1): _numbered("skip"),
    ("tail", 0): _answering("tail", "many"),
    ("take", 1): _numbered("take"),
    ("where", 1): _filtering("where", "many"),
    ("contains", 1): _by_engine("contains", "truth"),
    ("endsWith", 1): _by_engine("endsWith", "truth"),
    ("indexOf", 1): _by_engine("indexOf", "one"),
    ("join", 0): _by_engine("join", "one"),
    ("join", 1): _by_engine("join", "one"),
    ("length", 0): _answering("length", "one"),
    ("lower", 0): _answering("lower", "one"),
    ("replace", 2): _by_engine("replace", "one"),
    ("replaceMatches", 2): _replace_matches,
    ("split", 1): _by_engine("split", "many"),
    ("startsWith", 1): _by_engine("startsWith", "truth"),
    ("substring", 1): _by_engine("substring", "one"),
    ("substring", 2): _substring,
    ("toDecimal", 0): _by_engine("toDecimal", "one"),
    ("toInteger", 0): _by_engine("toInteger", "one"),
    ("toString", 0): _by_engine("toString", "one"),
    ("trim", 0): _by_engine("trim", "one"),
    ("upper", 0): _answering("upper", "one"),
}
"""By name and number of arguments."""
