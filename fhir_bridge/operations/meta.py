"""$meta, $meta-add, $meta-delete: profiles, tags and security labels.

https://hl7.org/fhir/R4/resource-operation-meta.html and its two companions.  Of a resource,
or (for $meta) of all resources of a type or of the record that the caller may see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.operations.operation import Answer, Call, Operation, Parameter
from fhir_bridge.store import Transaction

__all__ = ["OPERATIONS"]

_CODED = ("security", "tag")
_LOOK = 1000
"""Resources between two looks at the time that the request has left."""


class _Labels(msgspec.Struct):
    """The parts of a meta that are asked for, unread: most are the same as one seen before."""

    profile: msgspec.Raw = msgspec.Raw(b"")
    security: msgspec.Raw = msgspec.Raw(b"")
    tag: msgspec.Raw = msgspec.Raw(b"")


class _Labelled(msgspec.Struct):
    meta: _Labels | None = None


_read_labels = msgspec.json.Decoder(_Labelled).decode


def _meta(call: Call) -> Answer:
    """The meta of one resource (or one version of it), or all that are in use."""
    if call.level != "instance":
        if call.resource_type:
            call.access.require(call.resource_type, "s")
        return _in_use(call)
    if call.version:
        found = None
        if call.version.isascii() and call.version.isdigit() and len(call.version) < 10:
            found = call.store.vread(call.resource_type, call.id, int(call.version), call.access)
        if found is None or found.deleted:
            raise BridgeError("FB-4001", resource_type=call.resource_type, id=call.id)
        return _answer(parse_json(found.body))
    return _answer(parse_json(call.read(call.resource_type, call.id).body))


def _in_use(call: Call) -> Answer:
    """Every profile, security label and tag of what the caller may see, each once, sorted.

    Reads all bodies (a few hundred thousand a second); FB-4027 when that takes too long.
    """
    types = [call.resource_type] if call.resource_type else sorted(call.definitions.resource_types)
    seen: dict[str, set[bytes]] = {"profile": set(), "security": set(), "tag": set()}
    for labels in _labels(call, types):
        for name, found in seen.items():
            found.add(bytes(getattr(labels, name)))
    meta: dict[str, Any] = {}
    profiles = {url for url in _values(seen["profile"]) if isinstance(url, str)}
    if profiles:
        meta["profile"] = sorted(profiles)
    for name in _CODED:
        codings = {_identity(coding): coding for coding in _values(seen[name])}
        if codings:
            meta[name] = [codings[identity] for identity in sorted(codings)]
    return _answer({"meta": meta})


def _labels(call: Call, types: list[str]) -> Iterator[_Labels]:
    for resource_type in types:
        for number, body in enumerate(call.store.bodies(resource_type, call.access)):
            if number % _LOOK == 0:
                call.require_time()
            meta = _read_labels(body).meta
            if meta is not None:
                yield meta


def _values(lists: set[bytes]) -> Iterator[Any]:
    for text in sorted(lists - {b""}):
        yield from msgspec.json.decode(text)


def _meta_add(call: Call) -> Answer:
    """Add what is not there yet; a new version only when something changes."""
    given = _given(call)

    def added(meta: dict[str, Any]) -> dict[str, Any]:
        profiles = [*meta.get("profile", ())]
        profiles += [url for url in given.get("profile", ()) if url not in profiles]
        changed: dict[str, Any] = {**meta, **({"profile": profiles} if profiles else {})}
        for name in _CODED:
            codings = [*meta.get(name, ())]
            known = set(map(_identity, codings))
            codings += [c for c in given.get(name, ()) if _identity(c) not in known]
            changed |= {name: codings} if codings else {}
        return changed

    return _changed(call, added)


def _meta_delete(call: Call) -> Answer:
    """Take away what is named; what is not there is no error."""
    given = _given(call)

    def reduced(meta: dict[str, Any]) -> dict[str, Any]:
        changed = dict(meta)
        gone = given.get("profile", ())
        changed["profile"] = [url for url in meta.get("profile", ()) if url not in gone]
        for name in _CODED:
            named = set(map(_identity, given.get(name, ())))
            changed[name] = [c for c in meta.get(name, ()) if _identity(c) not in named]
        return {key: value for key, value in changed.items() if value != []}

    return _changed(call, reduced)


def _changed(call: Call, change: Any) -> Answer:
    """Apply `change` to the meta of the present version, in the time that a query has.

    A version that somebody else writes meanwhile is read and changed in its turn.
    """
    call.access.require(call.resource_type, "u")
    call.read(call.resource_type, call.id, "u")  # not there, gone, or not to be seen: says so

    def work(opened: Transaction) -> Answer:
        if call.transaction is None:
            call.watch(opened)
        stored = opened.read(call.resource_type, call.id)
        if stored is None or stored.deleted:
            raise BridgeError("FB-4002", resource_type=call.resource_type, id=call.id)
        resource = parse_json(stored.body)
        resource["meta"] = change(resource.get("meta", {}))
        try:
            answer = _answer(parse_json(opened.put(resource, if_match=stored.version).body))
        except BridgeError as error:
            # Somebody else was first: a collision, after which the work is tried again.
            raise BridgeError("FB-5003") if error.code == "FB-5001" else error from None
        limited = call.access.is_limited(call.resource_type, "u")
        if limited and not opened.reaches(call.access, "u", call.resource_type, call.id):
            raise BridgeError("FB-4201")  # another label has put it out of reach
        return answer

    return work(call.transaction) if call.transaction is not None else call.store.run(work)


def _given(call: Call) -> dict[str, Any]:
    given = call.value("meta")
    if not isinstance(given, dict):
        raise BridgeError("FB-4025", name="meta", reason="a Meta is expected")
    for name in (*_CODED, "profile"):
        if not isinstance(given.get(name, []), list):
            raise BridgeError("FB-4025", name="meta", reason=f"{name} is a list")
    if not all(isinstance(coding, dict) for name in _CODED for coding in given.get(name, ())):
        raise BridgeError("FB-4025", name="meta", reason="a tag is a Coding")
    return given


def _identity(coding: dict[str, Any]) -> tuple[str, str]:
    return str(coding.get("system", "")), str(coding.get("code", ""))


def _answer(resource: Resource) -> Answer:
    return Answer(
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "return", "valueMeta": resource.get("meta", {})}],
        }
    )


_IN, _OUT = Parameter("meta", "Meta", 1), Parameter("return", "Meta", 1, use="out")
_URL = "http://hl7.org/fhir/OperationDefinition/Resource-"

OPERATIONS = (
    Operation(
        "meta",
        f"{_URL}meta",
        frozenset({"system", "type", "instance"}),
        _meta,
        parameters=(_OUT,),
    ),
    Operation(
        "meta-add",
        f"{_URL}meta-add",
        frozenset({"instance"}),
        _meta_add,
        changes=True,
        parameters=(_IN, _OUT),
    ),
    Operation(
        "meta-delete",
        f"{_URL}meta-delete",
        frozenset({"instance"}),
        _meta_delete,
        changes=True,
        parameters=(_IN, _OUT),
    ),
)
