"""One Patient from what several sources say of one person.

Each source's own statement is kept apart; the Patient is folded from all of them anew
whenever one changes (`fhir_bridge.update`).  So a new telephone number replaces that
source's old one, a link can be undone by leaving a statement out, and the order of arrival
does not matter.  What is more here than in other resources: numbers stand once each, a
record that was merged away speaks only where nobody else does, a death told by one source
is not denied by another, and a person of whom only a number is known says so.
https://hl7.org/fhir/R4/patient.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.identity.keys import Record
from fhir_bridge.identity.statements import Statement, origin
from fhir_bridge.update import REST, SourceStatement, UpdateRules, merge
from fhir_bridge.update import fold as fold_said

__all__ = ["PLACEHOLDER", "fold", "is_described", "retired_numbers"]

PLACEHOLDER = {
    "system": "https://fhir-bridge.org/fhir/CodeSystem/person-state",
    "code": "placeholder",
    "display": "Only the number is known",
}
"""The tag of a Patient of whom no source has told more than a number."""

_ABSENT: Resource = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}
_ORDER = ("id", "extension", "use", "type", "system", "value", "period", "assigner")
_DEATH = "deceased[x]"
_ONE_SOURCE = ("extension{", "modifierExtension{")
_DESCRIBES = ("name{", "name", "birthDate")


def fold(
    patient_id: str, statements: Sequence[Statement], rules: UpdateRules
) -> tuple[Resource, list[Issue]]:
    """The Patient of all `statements`, and an issue for each trusted element they differ on.

    Lists are united without repeats; of single values the most trusted source's stands
    (rank, then the Patient it was first given to, then source and key, so that the result
    never depends on the order given).
    """
    retired = retired_numbers(statements)
    statements = _each_record_once(statements)
    ordered = sorted(
        statements,
        key=lambda each: (
            each.said.source != REST, each.record in retired, each.rank, origin(each) != patient_id, each.feed, each.key
        ),
    )  # fmt: skip
    patient = fold_said("Patient", patient_id, list(_speaking(ordered, retired)), rules)
    if len(ordered) > 1 or retired:
        _once(patient, retired)
        _keep_death(patient, ordered)
    if not is_described(statements) and not _is_withdrawn(statements):
        _say_so(patient)
    return patient, _differences(ordered)


def _each_record_once(statements: Sequence[Statement]) -> Sequence[Statement]:
    """What a source said of one record of its own is one statement, also when it was kept apart.

    So it is when the message that joined two Patients came after the one that had parted them.
    """
    by_record: dict[tuple[str, Record], list[Statement]] = {}
    for each in statements:
        if each.feed and each.record[1]:
            by_record.setdefault((each.feed, each.record), []).append(each)
    parted = [each for each in by_record.values() if len(each) > 1]
    if not parted:
        return statements
    whole = [each for each in statements if not any(each in group for group in parted)]
    for group in parted:
        first, *later = sorted(group, key=lambda each: (each.said.at, each.key))
        for each in later:
            first = replace(first, said=merge(first.said, each.said))
        whole.append(first)
    return whole


def is_described(statements: Iterable[Statement]) -> bool:
    """Whether any source told more of the person than a number."""
    return any(
        slot.startswith("name{") or slot in _DESCRIBES
        for each in statements
        if each.feed
        for slot in each.said.slots
    )


def _is_withdrawn(statements: Iterable[Statement]) -> bool:
    return any(not each.feed and each.key.startswith("withdrawn ") for each in statements)


def retired_numbers(statements: Iterable[Statement]) -> dict[Record, Resource]:
    """The numbers that a merge or a renumbering took out of use, with their identifiers."""
    return {
        (item.get("system", ""), str(item.get("value", ""))): item
        for each in statements
        if not each.feed and each.key.startswith("retired ")
        for slot, items in each.said.slots.items()
        if slot.startswith("identifier")
        for item in _items(items)
    }


def _speaking(
    ordered: Sequence[Statement], retired: dict[Record, Resource]
) -> Iterable[SourceStatement]:
    """What goes into the fold: of lesser statements only what the ones before leave open."""
    stated: set[str] = set()
    for each in ordered:
        said = each.said
        if stated:
            is_retired = each.record in retired
            kept = {
                slot: value
                for slot, value in said.slots.items()
                if not (slot in stated and slot.startswith(_ONE_SOURCE))
                and not (is_retired and _element(slot) in stated and _element(slot) != "identifier")
            }
            if len(kept) < len(said.slots):
                said = replace(said, slots=kept)
        stated.update(each.said.slots)
        stated.update(map(_element, each.said.slots))
        yield said


def _element(slot: str) -> str:
    return slot.partition("{")[0].partition("/")[0]


def _items(value: Any) -> list[Any]:
    """The items of a list's slot, whether the list is stated by kind or as a whole."""
    found = value if isinstance(value, list) else value.get("identifier", ())
    return [item for item in found if isinstance(item, dict)]


def _once(patient: Resource, retired: dict[Record, Resource]) -> None:
    """Each number once: out of use when a merge said so, else in use when anybody uses it."""
    by_number: dict[Any, list[Resource]] = {}
    for item in patient.get("identifier", ()):
        value = str(item.get("value", ""))
        by_number.setdefault((item.get("system"), value.upper() or id(item)), []).append(item)
    if by_number:
        patient["identifier"] = [_one(items, retired) for items in by_number.values()]


def _one(items: list[Resource], retired: dict[Record, Resource]) -> Resource:
    gone = retired.get((items[0].get("system", ""), str(items[0].get("value", ""))))
    if gone is None:
        return next((item for item in items if item.get("use") != "old"), items[0])
    period = items[0].get("period", {}) | gone.get("period", {})
    found = items[0] | {"use": "old"} | ({"period": period} if period else {})
    return dict(sorted(found.items(), key=lambda pair: _ORDER.index(pair[0].removeprefix("_"))))


def _keep_death(patient: Resource, ordered: Sequence[Statement]) -> None:
    """The element that says when wins over the one that says whether."""
    if any(_DEATH in {**each.said.slots, **each.said.hidden} for each in _of_rest(ordered)):
        return
    told = [each.said.slots[_DEATH] for each in ordered if _DEATH in each.said.slots]
    dated = next((death for death in told if death.get("deceasedDateTime")), None)
    dead = dated or next((death for death in told if death.get("deceasedBoolean")), None)
    if dead and "deceasedDateTime" not in patient:
        patient.pop("deceasedBoolean", None)
        patient.update(dead)


def _of_rest(statements: Iterable[Statement]) -> Iterable[Statement]:
    return (each for each in statements if each.said.source == REST)


def _say_so(patient: Resource) -> None:
    """Marks a Patient of whom only a number is known, and fills what profiles ask of all."""
    meta = patient.setdefault("meta", {})
    meta["tag"] = [*meta.get("tag", ()), PLACEHOLDER]
    patient.setdefault("name", [{"_text": _ABSENT}])
    patient.setdefault("gender", "unknown")


def _differences(ordered: Sequence[Statement]) -> list[Issue]:
    """FB-5102 for each of birth date and sex on which two sources differ."""
    if len(ordered) < 2:
        return []
    issues = []
    for name in ("birthDate", "gender"):
        by_value = {
            each.said.slots[name][name]: each.feed
            for each in reversed(ordered)
            if each.feed and name in each.said.slots.get(name, ())
        }
        by_value.pop("unknown", None)
        if len(by_value) > 1:
            feeds = ", ".join(sorted(set(by_value.values())))
            issues.append(
                Issue("FB-5102", "warning", f"Patient.{name}", {"feeds": feeds, "where": name})
            )
    return issues
