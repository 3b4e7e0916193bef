"""The form as text, for people: what `fhir-bridge fhirpath --explain` prints.

One step a line; what comes after a step stands below it, two spaces further in.
"""

from __future__ import annotations

from fhir_bridge.fhirpath.form.steps import (
    OPEN,
    Call,
    Check,
    Child,
    Constant,
    Dynamic,
    Field,
    First,
    Form,
    From,
    Index,
    Item,
    Merge,
    NoType,
    OfResource,
    Operation,
    RefersTo,
    Unsupported,
    UrlIs,
    Variable,
    Where,
)

__all__ = ["listing"]


def listing(form: Form) -> list[str]:
    """The lines of a form."""
    match form:
        case Item(type=kind):
            return [f"item {'of any type' if kind == OPEN else kind or 'of unknown type'}"]
        case Constant(value=value):
            return ["constant {}" if value is None else f"constant {value!r}"]
        case Dynamic():
            return ["dynamic: only the JSON tells the type"]
        case Unsupported(reason=reason):
            return [f"unsupported: {reason}"]
        case OfResource(name=name):
            return [f"%resource.{name}"]
        case Variable(name=name):
            return [f"%{name}"]
        case Index():
            return ["$index"]
        case RefersTo(type=kind):
            return [f"refers to {kind}"]
        case Child(name=name, branches=()):
            return [f"child {name}: never there"]
        case Child(name=name, branches=branches):
            return [
                line
                for field, then in branches
                for line in _under(f"child {name}: {_field(field)}", then)
            ]
    return _of_parts(form)


def _of_parts(form: Form) -> list[str]:
    match form:
        case Check(test=test):
            return _under("check", test)
        case UrlIs(url=url, then=then):
            return [f"url is {url!r}", *listing(then)]
        case Where(test=test, then=then):
            return [*_under("where", test), *listing(then)]
        case NoType(then=then):
            return ["no type", *listing(then)]
        case From(start=start, then=then):
            return [*_under("from", start), *listing(then)]
        case First(chain=chain, then=then):
            return [*_under("first of", chain), *listing(then)]
        case Merge(parts=parts, after=after):
            return [
                *_under("merge", *parts),
                *(line for kind, then in after for line in _under(f"each {kind}", then)),
            ]
        case Operation(operator=operator, left=left, right=right):
            return _under(f"operator {operator}", left, right)
        case Call(name=name, focus=focus, arguments=arguments):
            return _under(f"function {name}", focus, *arguments)
    raise TypeError(type(form).__name__)


def _field(field: Field) -> str:
    many = "list of " if field.is_list else ""
    kind = "any type" if field.type == OPEN else field.type or "unknown type"
    return f"{field.key!r} {many}{kind}"


def _under(head: str, *parts: Form) -> list[str]:
    return [head, *(f"  {line}" for part in parts for line in listing(part))]
