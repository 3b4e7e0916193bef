"""Where the record differs from what is true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.histories.client import Follower, Resource
from tests.histories.hl7 import TESTS
from tests.histories.model import Record, Thing, Truth
from tests.histories.numbers import Numbers
from tests.histories.reading import View

__all__ = ["differences"]

_KINDS = {
    "visit": "Encounter",
    "order": "ServiceRequest",
    "report": "DiagnosticReport",
    "document": "DocumentReference",
    "appointment": "Appointment",
    "agreement": "Contract",
}
_CODES = {
    "class": {"I": "IMP", "O": "AMB", "E": "EMER"},
    "priority": {"R": "routine", "S": "stat", "A": "asap"},
    "docstatus": {"AU": "final", "PA": "preliminary", "LA": "final"},
    "state": {"2": "executed", "4": "terminated"},
}
_STATUS = {
    "order": {
        "NW": "active", "IP": "active", "SC": "active", "A": "active", "CA": "revoked",
        "DC": "revoked", "CM": "completed", "HD": "on-hold",
    },
    "report": {"P": "preliminary", "F": "final", "C": "corrected"},
    "result": {
        "P": "preliminary", "F": "final", "C": "corrected",
        "D": "entered-in-error", "W": "entered-in-error",
    },
}  # fmt: skip
_WORDS = {
    "hypertension": "高血压",
    "diabetes": "糖尿病",
    "stroke": "脑卒中",
    "penicillin": "青霉素",
    "sulfonamide": "磺胺",
}
_TIMES = frozenset({"admitted", "discharged", "authored", "start"})
_LISTS = ("name", "phones", "address")


def differences(truth: Truth, follower: Follower, numbers: Numbers) -> list[str]:
    """One line for each thing that a client reads and that is not so."""
    view = View(follower, numbers)
    owners: dict[Record, str] = {}
    found = list(_persons(truth, view, owners))
    found += _patients(truth, follower, view, numbers)
    for thing in truth.things():
        found += _thing(truth, thing, view, owners)
    found += _counts(truth, follower)
    found += _references(follower)
    return found


# --- persons --------------------------------------------------------------------------


def _persons(truth: Truth, view: View, owners: dict[Record, str]) -> Iterator[str]:
    for records in truth.persons():
        ids = {}
        for record in records:
            apart = {name for other, name in truth.apart if other == record}
            found = {
                survivor["id"]: survivor
                for each in view.found("Patient", record[1])
                if not apart & set(view.person(survivor := view.survivor(each))["name"])
            }
            if not found and record in truth.merged:
                continue  # a number that nobody had ever heard of may stay unknown
            if len(found) != 1:
                yield f"person {record[1]}: {len(found)} Patients, not one"
                continue
            ids |= found
        if len(ids) > 1:
            yield f"persons {', '.join(r[1] for r in records)}: {len(ids)} Patients, not one"
        elif ids:
            ((id_, patient),) = ids.items()
            owners |= dict.fromkeys(records, id_)
            if patient.get("active") is False:
                yield f"person {records[0][1]}: the Patient is not active"
            yield from _facts(truth, records, view.person(patient))
    known = list(owners.items())
    for record, id_ in known:
        for other, other_id in known:
            if id_ == other_id and truth.root(record) != truth.root(other) and record < other:
                yield f"persons {record[1]} and {other[1]} are one Patient"


def _facts(truth: Truth, records: list[Record], actual: Resource) -> Iterator[str]:
    """Whether a Patient says what its records say; given-up records may be heard or not."""
    name = records[0][1]
    said = [(truth.said_of(record), truth.trust(record)) for record in records]
    for element in ("born", "sex", "marital"):
        first = next((trust for each, trust in said if element in each), (True, 0))
        allowed = {each[element] for each, trust in said if element in each and trust == first}
        if actual[element] not in (allowed | {None} if first[0] else allowed):
            expected = " or ".join(sorted(map(repr, allowed))) or None
            yield f"person {name}: {element} is {actual[element]!r}, not {expected}"
    for element in _LISTS:
        parts = ("home", "work") if element == "phones" else (element,)
        needed, allowed_list = [], []
        for each, (given_up, _) in said:
            values = [each[part] for part in parts if part in each]
            allowed_list += values
            needed += [] if given_up else values
        shown = actual[element]
        if set(shown) - set(allowed_list) or set(needed) - set(shown):
            yield f"person {name}: {element} is {shown}, not {list(dict.fromkeys(needed))}"
        elif len(shown) != len(set(shown)):
            yield f"person {name}: {element} repeats itself: {shown}"
        elif needed and shown[0] not in _first_said(said, parts):
            yield f"person {name}: {element} begins with {shown[0]!r}, not {needed[0]!r}"


def _first_said(said: list[tuple[dict[str, Any], Any]], parts: tuple[str, ...]) -> set[Any]:
    """What the most trusted records say who say anything."""
    speaking = [trust for each, trust in said if set(parts) & set(each)]
    return {
        each[part] for each, trust in said if trust == speaking[0] for part in parts if part in each
    }


def _patients(truth: Truth, follower: Follower, view: View, numbers: Numbers) -> Iterator[str]:
    """No Patient that nobody spoke of, and none that was given up without a trace."""
    known = {numbers.of(number) for _, number in truth.joined}
    for patient in follower.all("Patient"):
        survivor = view.survivor(patient)
        if survivor.get("active") is False:
            yield f"Patient {patient['id']} is inactive and leads to no active one"
        if not known & {each.get("value") for each in survivor.get("identifier", ())}:
            yield f"Patient {patient['id']} has no number that anybody spoke of"


# --- things ---------------------------------------------------------------------------


def _thing(truth: Truth, thing: Thing, view: View, owners: dict[Record, str]) -> Iterator[str]:
    kind, _, number, *more = thing
    name = " ".join([kind, number, *more])
    read = getattr(view, kind)
    found = read(number, TESTS[more[0]][0]) if more else read(number)
    if len(found) != 1:
        yield f"{name}: found {len(found)} times, not once"
        return
    actual, shown = found[0], truth.shown(thing)
    for element, value in actual.items():
        if not truth.ever_named(thing, element):
            continue
        if element == "subject":
            owner = owners.get(shown["subject"])  # type: ignore[arg-type]
            if owner is not None and value != owner:
                yield f"{name}: it is not about person {shown['subject'][1]}"
            continue
        expected = _expected(kind, element, shown.get(element))
        if not _same(element, value, expected):
            yield f"{name}: {element} is {value!r}, not {expected!r}"


def _expected(kind: str, element: str, value: Any) -> Any:
    if value is None:
        return None
    if element == "status":
        return _STATUS.get(kind, {}).get(value, value)
    if element in _CODES:
        return _CODES[element].get(value, value)
    if element == "note":
        return [value]
    if isinstance(value, tuple):
        return tuple(sorted(_WORDS.get(each, each) for each in value))
    return value


def _same(element: str, actual: Any, expected: Any) -> bool:
    if actual is None or expected is None:
        return bool(actual == expected)
    if element in _TIMES:
        return datetime.fromisoformat(actual) == datetime.fromisoformat(expected)
    if isinstance(expected, tuple):
        return len(actual) == len(expected) and all(
            wanted in shown for wanted, shown in zip(expected, actual, strict=True)
        )
    return bool(actual == expected)


def _counts(truth: Truth, follower: Follower) -> Iterator[str]:
    """Nothing is recorded twice under another identity."""
    for kind, resource_type in _KINDS.items():
        expected = sum(thing[0] == kind for thing in truth.things())
        actual = len(
            [x for x in follower.all(resource_type) if kind != "visit" or "identifier" in x]
        )
        if actual > expected and kind != "order":  # a report may bring its order with it
            yield f"{actual} {resource_type} resources for {expected} {kind}s"


def _references(follower: Follower) -> Iterator[str]:
    for place, resource in follower.resources.items():
        for reference in _referred(resource):
            if reference.startswith("urn:"):
                yield f"{place} refers to {reference}"
            elif follower.resource(reference.partition("/_history")[0]) is None:
                yield f"{place} refers to {reference}, which is not there"


def _referred(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for part in node.values():
            yield from _referred(part)
    elif isinstance(node, list):
        for part in node:
            yield from _referred(part)
