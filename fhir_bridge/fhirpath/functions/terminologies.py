"""``%terminologies`` and the functions that ask a terminology: ``memberOf``, ``subsumes``.

https://hl7.org/fhir/R4/fhirpath.html#txapi, https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Context, one, string
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import Node, plain_of, wrap

Items = list[Any]


def _no_terminology(name: str) -> BridgeError:
    return BridgeError("FB-2009", name=f"{name}()", reason="no terminology is at hand")


def _operation(name: str, focus: Items, context: Context, given: tuple[Items, ...]) -> Items:
    """``%terminologies.name(…)``: the resource or code that the service answers."""
    if len(focus) != 1 or type(focus[0]) is not Node or focus[0].type_name != "%terminologies":
        raise BridgeError("FB-2003", name=f"{name}()", reason="it is a function of %terminologies")
    service = context.environment.terminologies
    if service is None:
        raise _no_terminology(name)
    return wrap(service.call(name, [plain_of(one(items, f"{name}()")) for items in given]))


def _enter_operation(name: str, least: int, most: int) -> None:
    def call(focus: Items, context: Context, *given: Items) -> Items:
        return _operation(name, focus, context, given)

    function(name, least, most)(call)


for _name, _least, _most in (
    ("expand", 1, 2),
    ("lookup", 1, 2),
    ("validateVS", 2, 3),
    ("validateCS", 2, 3),
    ("translate", 2, 3),
):
    _enter_operation(_name, _least, _most)


@function("memberOf", 1)
def _member_of(focus: Items, context: Context, value_set: Items) -> Items:
    item, url = one(focus, "memberOf()"), string(value_set, "memberOf()")
    if item is None or url is None:
        return []
    hook = context.environment.member_of
    if hook is None:
        raise _no_terminology("memberOf")
    answer = hook(plain_of(item), url)
    return [] if answer is None else [answer]


def _subsuming(focus: Items, others: Items, context: Context, name: str) -> Items:
    item, other = one(focus, f"{name}()"), one(others, f"{name}()")
    if item is None or other is None:
        return []
    hook = context.environment.subsumes
    if hook is None:
        raise _no_terminology(name)
    pair = [plain_of(item), plain_of(other)]
    answer = hook(*(pair if name == "subsumes" else pair[::-1]))
    return [] if answer is None else [answer]


@function("subsumes", 1, 4)
def _subsumes(focus: Items, context: Context, *given: Items) -> Items:
    """``coding.subsumes(coding)``, or ``%terminologies.subsumes(system, a, b[, parameters])``."""
    if len(given) > 1:
        return _operation("subsumes", focus, context, given)
    return _subsuming(focus, given[0], context, "subsumes")


@function("subsumedBy", 1)
def _subsumed_by(focus: Items, context: Context, others: Items) -> Items:
    return _subsuming(focus, others, context, "subsumedBy")
