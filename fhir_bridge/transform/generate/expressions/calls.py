"""Functions and operators of FHIRPath as Python: one small entry each.

An entry gets the writer, the text of the focus and the call, and gives the text of the
answer; `Unwritten` where the call needs the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from fhir_bridge import fhirpath
from fhir_bridge.codegen import Unwritten
from fhir_bridge.fhirpath.form import OPEN, Call, Constant, Form, Item, Merge, Operation, Variable
from fhir_bridge.pattern import compile_pattern
from fhir_bridge.transform.generate.expressions.answers import (
    engine_function,
    engine_operator,
)
from fhir_bridge.transform.generate.expressions.text import Kind, PartWriter, Written

__all__ = ["write_call", "write_operator"]

Entry = Callable[[PartWriter, Written, Call], Written]
_PASSING = frozenset(
    {"[]", "combine", "distinct", "first", "iif", "last", "select", "skip", "tail", "take", "where"}
)
"""Functions whose answer may hold items of their focus."""


def write_call(writer: PartWriter, call: Call) -> Written:
    """The call of a function."""
    if call.name == "iif":
        return _iif(writer, call)
    entry = _ENTRIES.get((call.name, len(call.arguments)))
    if entry is None:
        raise Unwritten(f"the function {call.name}()")
    focus = writer.write(call.focus, keeps=writer.keeps and call.name in _PASSING)
    return entry(writer, focus, call)


def _answering(answer: str, kind: Kind) -> Entry:
    """A function that is one of `answers`; its arguments are collections."""

    def entry(writer: PartWriter, focus: Written, call: Call) -> Written:
        given = [writer.write(one, keeps=writer.keeps).text for one in call.arguments]
        return Written(f"{answer}({', '.join([focus.text, *given])})", kind)

    return entry


def _by_engine(name: str, kind: Kind) -> Entry:
    """A function on values that the engine's own code answers."""
    answer = engine_function(name)

    def entry(writer: PartWriter, focus: Written, call: Call) -> Written:
        given = [writer.write(one).text for one in call.arguments]
        bound = writer.bind(answer, name)
        return Written(f"{bound}({', '.join([focus.text, *given])})", kind)

    return entry


def _filtering(answer: str, kind: Kind, *, is_test: bool = True) -> Entry:
    """A function that asks its lambda of every item."""

    def entry(writer: PartWriter, focus: Written, call: Call) -> Written:
        part = writer.function(call.arguments[0], is_test=is_test)
        return Written(f"{answer}({focus.text}, {part}, run, frame)", kind)

    return entry


def _numbered(answer: str, kind: Kind = "many") -> Entry:
    """``[1]``, ``skip(2)`` and ``take(2)``, of a number that is written out."""

    def entry(_writer: PartWriter, focus: Written, call: Call) -> Written:
        literal = call.arguments[0]
        if not isinstance(literal, Constant) or not _is_number(literal.value):
            raise Unwritten(f"{call.name}() of more than a whole number")
        return Written(f"{answer}({focus.text}, {literal.value})", kind)

    return entry


def _is_number(value: object) -> bool:
    """Whether a literal is a whole number that is not negative."""
    return type(value) is int and value >= 0


def _exists(_writer: PartWriter, focus: Written, _call: Call) -> Written:
    return Written(focus.there, "sure")


def _empty(_writer: PartWriter, focus: Written, _call: Call) -> Written:
    return Written(f"(not {focus.there})", "sure")


def _not(_writer: PartWriter, focus: Written, _call: Call) -> Written:
    if focus.kind == "sure":
        return Written(f"(not {focus.text})", "sure")
    return Written(f"negated({focus.truth})", "truth")


def _matches(writer: PartWriter, focus: Written, call: Call) -> Written:
    source = call.arguments[0]
    if not isinstance(source, Constant) or type(source.value) is not str:
        return _by_engine("matches", "truth")(writer, focus, call)
    search = writer.bind(compile_pattern(source.value).search, "search")
    return Written(f"matches({focus.text}, {search})", "truth")


def _substring(writer: PartWriter, focus: Written, call: Call) -> Written:
    numbers = [one.value for one in call.arguments if isinstance(one, Constant)]
    if len(numbers) < 2 or not all(map(_is_number, numbers)):
        return _by_engine("substring", "one")(writer, focus, call)
    return Written(f"substring({focus.text}, {numbers[0]}, {numbers[1]})", "one")


def _replace_matches(writer: PartWriter, focus: Written, call: Call) -> Written:
    texts = [one.value for one in call.arguments if isinstance(one, Constant)]
    if len(texts) < 2 or type(texts[0]) is not str or not texts[0] or texts[1] != "":
        return _by_engine("replaceMatches", "one")(writer, focus, call)
    pattern = writer.bind(compile_pattern(texts[0]), "pattern")
    return Written(f"removed({focus.text}, {pattern})", "one")


def _select(writer: PartWriter, focus: Written, call: Call) -> Written:
    if call.arguments == _OWN_VALUE.arguments:
        return Written(f"own_value({focus.text})", "many")
    return _filtering("select", "many", is_test=False)(writer, focus, call)


def _iif(writer: PartWriter, call: Call) -> Written:
    """On ``$this`` only, which is one item and is not read."""
    if not isinstance(call.focus, Item):
        raise Unwritten("iif() behind a path")
    if len(call.arguments) not in {2, 3}:
        raise Unwritten("iif() of too few or too many parts")
    test = writer.write(call.arguments[0])
    decides = test.text if test.kind in {"sure", "truth"} else f"criterion({test.text})"
    then = writer.write(call.arguments[1], keeps=writer.keeps)
    other = Written("None", "one")
    if len(call.arguments) > 2:
        other = writer.write(call.arguments[2], keeps=writer.keeps)
    kind: Kind = "many" if "many" in {then.kind, other.kind} else "one"
    return Written(f"({then.text} if {decides} else {other.text})", kind)


def write_operator(writer: PartWriter, form: Operation) -> Written:
    """An operator other than ``and`` and ``or``."""
    operator, right = form.operator, form.right
    left = writer.write(form.left)
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


def _equality(writer: PartWriter, left: Written, right: Form) -> str:
    other = writer.write(right)
    if isinstance(right, Constant) and type(right.value) is bool:
        return f"same_truth({left.text}, {right.value!r})"
    is_text = isinstance(right, Constant) and type(right.value) is str
    if is_text or (isinstance(right, Variable) and other.kind == "one"):
        return f"same_text({left.text}, {other.text})"
    return f"equal({left.text}, {other.text})"


def _texts(form: Form) -> frozenset[str] | None:
    """Texts that are written out one by one; None for anything else."""
    parts = form.parts if isinstance(form, Merge) else (form,)
    texts = [part.value for part in parts if isinstance(part, Constant)]
    if len(texts) != len(parts) or not all(type(text) is str for text in texts):
        return None
    return frozenset(texts)


_OWN_VALUE = cast("Call", fhirpath.compile("select(iif(hasValue(), $this, value))").form(OPEN))
"""How maps' ``.value`` of anything is said in FHIRPath."""
_NUMERIC = frozenset({"<", "<=", ">", ">="})
_OPERATORS: dict[str, Kind] = {
    "+": "one", "-": "one", "*": "one", "&": "one", "<": "truth", "<=": "truth", ">": "truth", ">=": "truth",
}  # fmt: skip

_ENTRIES: dict[tuple[str, int], Entry] = {
    ("[]", 1): _numbered("at", "one"),
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
