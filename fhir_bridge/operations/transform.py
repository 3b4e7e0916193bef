"""StructureMap/$transform: run a map over a content.

https://hl7.org/fhir/R4/structuremap-operation-transform.html; ``sourceMap`` (a map sent
along) and ``srcMap`` (the same as text) are those of R5.

The map is one that is stored (by id, or by its URL), one that is installed, or the one that
is sent.  The answer is what the map makes; findings that keep it from running are issues
with map, rule and line.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.budget import BudgetExceeded, one_budget
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.fhir.marks import strip_marks
from fhir_bridge.fml import StructureMap, parse_map
from fhir_bridge.operations.operation import Answer, Call, Operation, Parameter
from fhir_bridge.search import parse_search, plan
from fhir_bridge.transform import CompiledMap, Library

__all__ = ["OPERATIONS"]


def _transform(call: Call) -> Answer:
    if call.library is None:
        raise BridgeError("FB-7002")
    content = _content(call)
    name = call.text("source").partition("|")[0] or call.id or "that was sent"
    try:
        with one_budget() as budget:
            transformed = _compiled(call, call.library).run(content)
            budget.tree(transformed.target)  # one text may be in a thousand places
    except BridgeError as error:
        if isinstance(error, BudgetExceeded) or error.code.startswith("FB-4"):
            raise  # the call itself: it is too much, no map is named, or there is none
        # A map's own mistakes have statuses of a server fault; here the map is the input.
        raise BridgeError("FB-7001", url=name[:200], issues=error.issues) from None
    errors = tuple(issue for issue in transformed.issues if issue.severity == "fatal")
    if errors or not transformed.target:
        raise BridgeError("FB-7001", url=name[:200], issues=tuple(transformed.issues))
    return Answer(strip_marks(transformed.target))


def _content(call: Call) -> Resource:
    content = call.value("content")
    if content is None and call.resource is not None:
        content = call.resource
    if not isinstance(content, dict):
        raise BridgeError("FB-4025", name="content", reason="a resource is expected")
    return content


def _compiled(call: Call, library: Library) -> CompiledMap:
    """The map of the call, compiled; BridgeError FB-2104 when there is none."""
    given = _given_map(call)
    if given is not None:
        return _with_map(library, given)
    url = call.text("source").partition("|")[0]
    if not url:
        raise BridgeError("FB-4025", name="source", reason="the URL of a map is expected")
    if url in library.maps:
        return library.compile(url)
    search = parse_search("StructureMap", [("url", url), ("_count", "1")], call.registry)
    found = call.find(plan(search, call.registry)).matches
    if not found:
        raise BridgeError("FB-2104", url=url[:200])
    return _with_map(library, parse_json(found[0].body))


def _given_map(call: Call) -> Resource | StructureMap | None:
    if call.level == "instance":
        return parse_json(call.read("StructureMap", call.id).body)
    sent: Any = call.value("sourceMap")
    if isinstance(sent, dict):
        return sent
    text = call.text("srcMap")
    return parse_map(text) if text else None


def _with_map(library: Library, given: Resource | StructureMap) -> CompiledMap:
    """`given` compiled beside the installed maps, which stay as they are."""
    own = Library(None, [*library.maps.values()])
    own.shapes, own.normaliser = library.shapes, library.normaliser
    own.concept_maps = library.concept_maps
    added = own.add(given)
    return own.compile(added.url or added.name)


OPERATIONS = (
    Operation(
        "transform",
        "http://hl7.org/fhir/OperationDefinition/StructureMap-transform",
        frozenset({"type", "instance"}),
        _transform,
        types=frozenset({"StructureMap"}),
        parameters=(
            Parameter("source", "uri"),
            Parameter("sourceMap", "StructureMap"),
            Parameter("srcMap", "string"),
            Parameter("content", "Resource", 1),
            Parameter("return", "Resource", 1, use="out"),
        ),
    ),
)
