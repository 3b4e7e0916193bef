"""What written expressions call to answer: truths, comparisons, filters, functions.

Each does what FHIRPath's function or operator of that name does with scalars and nodes; what
it would refuse, or read as something else, is a `Fallback` (http://hl7.org/fhirpath/N1/#functions).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.budget import Evaluation
from fhir_bridge.codegen import Fallback
from fhir_bridge.pattern import Pattern
from fhir_bridge.transform.generate.expressions.items import (
    child,
    items_of,
    one_of_at_most,
    plain_items,
    text_of_one,
    value_of_one,
)

__all__ = ["ANSWERS", "engine_function", "engine_operator"]

_MAX_ITEMS = 200
"""Items a filter goes through; beyond, the engine counts its steps."""
_MAX_CHILDREN = 100_000
_MAX_DEPTH = 400

Collection = Any
Part = Callable[..., Collection]


def _there(value: Collection) -> bool:
    if type(value) is list:
        return any(one is not None for one in value)
    return value is not None


def _holds(value: Collection) -> bool:
    """Whether a condition holds: true, or something that is not a boolean."""
    if type(value) is list:
        found = items_of(value)
        return bool(found) and not (len(found) == 1 and found[0] is False)
    return value is not None and value is not False


def _truth(value: Collection) -> bool | None:
    """The collection as a condition: a single item that is no boolean counts as true."""
    value = one_of_at_most(value)
    return value if value is None or type(value) is bool else True


def _criterion(value: Collection) -> bool | None:
    """As `_truth` for ``iif``, which takes nothing but booleans."""
    value = one_of_at_most(value)
    if value is None or type(value) is bool:
        return value
    raise Fallback


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _same_text(value: Collection, literal: str) -> bool | None:
    """``= 'text'``."""
    if type(value) is list:
        found = items_of(value)
        if len(found) != 1:
            return False if found else None
        value = found[0]
    return None if value is None else value_of_one(value) == literal


def _same_truth(value: Collection, literal: bool) -> bool | None:
    """``= true``."""
    if type(value) is list:
        found = items_of(value)
        if len(found) != 1:
            return False if found else None
        value = found[0]
    return None if value is None else value_of_one(value) is literal


def _equal(left: Collection, right: Collection) -> bool | None:
    """``=`` of two collections of scalars."""
    ours, theirs = plain_items(left), plain_items(right)
    if not ours or not theirs:
        return None
    return len(ours) == len(theirs) and all(map(_is_equal, ours, theirs))


def _is_equal(one: Any, other: Any) -> bool:
    if type(one) is bool or type(other) is bool:
        return one is other
    return bool(one == other)


def _one_of(value: Collection, texts: frozenset[str]) -> bool | None:
    """``in ('a' | 'b')``."""
    value = one_of_at_most(value)
    if value is None:
        return None
    value = value_of_one(value)
    return isinstance(value, str) and value in texts


def _among(value: Collection, others: Collection) -> bool | None:
    """``in`` of any collection of scalars."""
    found = plain_items(others)
    value = one_of_at_most(value)
    if value is None:
        return None
    (own,) = plain_items(value)
    return any(_is_equal(own, other) for other in found)


def _matches(value: Collection, search: Callable[[str], bool]) -> bool | None:
    text = value if type(value) is str else text_of_one(value)
    return None if text is None else search(text)


def _where(value: Collection, test: Part, run: Any, frame: Any) -> Collection:
    if value is None:
        return None
    if type(value) is not list:
        return value if test(run, frame, value, 0) else None
    found = _few(value)
    return [one for index, one in enumerate(found) if test(run, frame, one, index)]


def _select(value: Collection, part: Part, run: Any, frame: Any) -> Collection:
    if value is None:
        return None
    if type(value) is not list:
        return part(run, frame, value, 0)
    made: list[Any] = []
    for index, one in enumerate(_few(value)):
        made += items_of(part(run, frame, one, index))
    return made


def _exists_one(value: Collection, test: Part, run: Any, frame: Any) -> bool:
    """``exists(criteria)``."""
    return any(test(run, frame, one, index) for index, one in enumerate(_few(value)))


def _all(value: Collection, test: Part, run: Any, frame: Any) -> bool:
    return all(test(run, frame, one, index) for index, one in enumerate(_few(value)))


def _few(value: Collection) -> list[Any]:
    found = items_of(value)
    if len(found) > _MAX_ITEMS:
        raise Fallback
    return found


def _own_value(value: Collection) -> Collection:
    """``select(iif(hasValue(), $this, value))``: scalars themselves, of a node its value."""
    if isinstance(value, str) or value is None:
        return value
    if type(value) is not list:
        return value if _has_value(value) else child(value, "value")
    made: list[Any] = []
    for one in _few(value):
        made += [one] if _has_value(one) else items_of(child(one, "value"))
    return made


def _has_value(value: Collection) -> bool:
    """``hasValue()``."""
    if type(value) is list:
        found = items_of(value)
        if len(found) != 1:
            return False
        value = found[0]
    if type(value) is dict:
        raise Fallback
    return isinstance(value, (str, int, float)) or (
        value is not None and not hasattr(value, "keys")
    )


def _first(value: Collection) -> Collection:
    return next(iter(items_of(value)), None) if type(value) is list else value


def _last(value: Collection) -> Collection:
    return items_of(value)[-1] if type(value) is list and items_of(value) else _first(value)


def _tail(value: Collection) -> Collection:
    return items_of(value)[1:]


def _skip(value: Collection, count: int) -> Collection:
    return items_of(value)[max(0, count) :]


def _take(value: Collection, count: int) -> Collection:
    return items_of(value)[: max(0, count)]


def _at(value: Collection, place: int) -> Collection:
    found = items_of(value)
    return found[place] if 0 <= place < len(found) else None


def _count(value: Collection) -> int:
    return len(items_of(value))


def _combine(value: Collection, others: Collection) -> Collection:
    if value is None:
        return others
    return value if others is None else [*items_of(value), *items_of(others)]


def _distinct(*parts: Collection) -> Collection:
    """``|`` and ``distinct()``: each item once, nodes by what they are."""
    made: dict[Any, Any] = {}
    for part in parts:
        for one in items_of(part):
            own = value_of_one(one)
            kind = type(own) if isinstance(own, (str, bool)) else "number"
            made.setdefault((kind, own) if own is not None else (None, id(one)), one)
    return list(made.values())


def _truths(value: Collection) -> list[bool]:
    found = items_of(value)
    if any(type(one) is not bool for one in found):
        raise Fallback
    return found


def _any_true(value: Collection) -> bool:
    return any(_truths(value))


def _all_true(value: Collection) -> bool:
    return all(_truths(value))


def _children(value: Collection) -> Collection:
    """Every child; to list all is to ask for none in particular."""
    made: list[Any] = []
    for one in items_of(value):
        if type(one) is dict:
            raise Fallback
        if getattr(one, "keys", None) is None:
            continue
        parts = getattr(one, "read_parts", None)
        before = set(parts or ())
        for name in one.keys():  # noqa: SIM118 - a tree node is no mapping
            made += items_of(child(one, name))
        if type(parts) is dict:
            for name in parts.keys() - before:
                del parts[name]
    if len(made) > _MAX_CHILDREN:
        raise Fallback
    return made


def _descendants(value: Collection) -> Collection:
    made: list[Any] = []
    level = _children(value)
    for _ in range(_MAX_DEPTH):
        if not level:
            return made
        made += level
        level = _children(level)
        if len(made) > _MAX_CHILDREN:
            break
    raise Fallback


def _substring(value: Collection, start: int, length: int) -> str | None:
    """``substring(6, 8)``, of numbers that are written out."""
    text = text_of_one(value)
    return text[start : start + length] if text is not None and start < len(text) else None


def _upper(value: Collection) -> str | None:
    text = text_of_one(value)
    return None if text is None else text.upper()


def _lower(value: Collection) -> str | None:
    text = text_of_one(value)
    return None if text is None else text.lower()


def _length(value: Collection) -> int | None:
    text = text_of_one(value)
    return None if text is None else len(text)


def _removed(value: Collection, pattern: Pattern) -> str | None:
    """``replaceMatches(pattern, '')``."""
    text = text_of_one(value)
    if text is None or not pattern.search(text):
        return text
    return pattern.replace(text, "", Evaluation().budget)


def engine_function(name: str) -> Callable[..., Collection]:
    """A function of the engine that needs nothing but the values of its collections, and a budget."""
    call: Any = fhirpath.FUNCTIONS[name].call

    def answer(*collections: Collection) -> Collection:
        focus, *arguments = map(plain_items, collections)
        return _opened(call(focus, Evaluation(), *arguments))

    return answer


def engine_operator(symbol: str) -> Callable[..., Collection]:
    """An operator of the engine, on values."""
    call: Any = fhirpath.BINARY[symbol]
    return lambda left, right: _opened(call(plain_items(left), plain_items(right), Evaluation()))


def _opened(found: list[Any]) -> Collection:
    if len(found) == 1:
        return found[0]
    return found or None


ANSWERS: dict[str, Any] = {
    "all_of": _all,
    "all_true": _all_true,
    "among": _among,
    "any_true": _any_true,
    "at": _at,
    "children_of": _children,
    "combine": _combine,
    "count": _count,
    "criterion": _criterion,
    "descendants": _descendants,
    "distinct": _distinct,
    "equal": _equal,
    "exists_one": _exists_one,
    "first": _first,
    "has_value": _has_value,
    "holds": _holds,
    "last": _last,
    "length": _length,
    "lower": _lower,
    "matches": _matches,
    "negated": _negated,
    "one_of": _one_of,
    "own_value": _own_value,
    "removed": _removed,
    "same_text": _same_text,
    "same_truth": _same_truth,
    "select": _select,
    "skip": _skip,
    "substring": _substring,
    "tail": _tail,
    "take": _take,
    "there": _there,
    "truth": _truth,
    "upper": _upper,
    "where": _where,
}
"""The names of these functions in written expressions."""
