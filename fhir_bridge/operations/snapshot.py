"""StructureDefinition/$snapshot: a profile with all its elements, from its base and differential.

https://hl7.org/fhir/R4/structuredefinition-operation-snapshot.html

The definition is one that is stored (by id, or by its URL), one that is installed, or the one
that is sent.  What it is on is looked for among the installed ones, then in the record,
then in R4 itself.  The answer carries a table for people when the definition has no text.
"""

from __future__ import annotations

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.operations.operation import Answer, Call, Operation, Parameter
from fhir_bridge.search import parse_search, plan
from fhir_bridge.snapshots import Snapshots, with_narrative

__all__ = ["OPERATIONS"]


def _snapshot(call: Call) -> Answer:
    snapshots = Snapshots(call.definitions, lambda url: _resolve(call, url))
    made = snapshots.with_snapshot(_definition(call))
    return Answer(with_narrative(made, snapshots))


def _definition(call: Call) -> Resource:
    """The definition of the call; BridgeError FB-4025 when it names none, FB-3013 an unknown one."""
    if call.level == "instance":
        return parse_json(call.read("StructureDefinition", call.id).body)
    sent = call.value("definition") or call.resource
    if sent is not None:
        if not isinstance(sent, dict) or sent.get("resourceType") != "StructureDefinition":
            raise BridgeError(
                "FB-4025", name="definition", reason="a StructureDefinition is expected"
            )
        return sent
    url = call.text("url")
    if not url:
        raise BridgeError("FB-4025", name="url", reason="the URL of a definition is expected")
    found = _resolve(call, url) or call.definitions.profiles.get(url.partition("|")[0])
    if found is None:
        raise BridgeError("FB-3013", profile=url[:200])
    return found


def _resolve(call: Call, url: str) -> Resource | None:
    """The installed or stored definition at `url`."""
    installed = call.validator.profiles.structure_definition(url)
    if installed is not None:
        return installed
    pairs = [("url", url.partition("|")[0]), ("_count", "1")]
    stored = call.find(
        plan(parse_search("StructureDefinition", pairs, call.registry), call.registry)
    )
    return parse_json(stored.matches[0].body) if stored.matches else None


OPERATIONS = (
    Operation(
        "snapshot",
        "http://hl7.org/fhir/OperationDefinition/StructureDefinition-snapshot",
        frozenset({"type", "instance"}),
        _snapshot,
        types=frozenset({"StructureDefinition"}),
        parameters=(
            Parameter("definition", "StructureDefinition"),
            Parameter("url", "string"),
            Parameter("return", "StructureDefinition", 1, use="out"),
        ),
    ),
)
