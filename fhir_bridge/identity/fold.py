"""One Patient from what several sources say of one person.

Each source's own statement is kept apart; the Patient is folded from all of them anew
whenever one changes.  So a new telephone number replaces that source's old one, a link
can be undone by leaving a statement out, and the order of arrival does not matter.
https://hl7.org/fhir/R4/patient.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, render_json

__all__ = ["Statement", "fold"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What one feed says of a person: its key there, its rank of trust, the Patient."""

    feed: str
    key: str
    rank: int
    patient: Resource


def fold(patient_id: str, statements: Sequence[Statement]) -> tuple[Resource, list[Issue]]:
    """The Patient of all `statements`, and an issue for each trusted element they differ on.

    Lists are united without repeats; of single values the most trusted source's stands
    (rank, then feed and key, so that the result never depends on the order given).
    """
    ordered = sorted(statements, key=lambda each: (each.rank, each.feed, each.key))
    patient: Resource = {"resourceType": "Patient", "id": patient_id}
    for name in _names(each.patient for each in ordered):
        values = [each.patient[name] for each in ordered if name in each.patient]
        if name == "meta":
            patient[name] = _merged_meta(values)
        elif name == "extension":
            patient[name] = _extensions(values)
        elif isinstance(values[0], list):
            patient[name] = _united(name, values)
        else:
            patient[name] = values[0]
    _keep_one_choice(patient, "deceased", ("deceasedDateTime", "deceasedBoolean"))
    _keep_one_choice(patient, "multipleBirth", ("multipleBirthInteger", "multipleBirthBoolean"))
    return patient, _differences(ordered)


def _names(patients: Iterable[Resource]) -> list[str]:
    """Element names in the order first met, without the envelope; meta first, as FHIR has it."""
    names = dict.fromkeys(name for patient in patients for name in patient)
    ordered = [name for name in names if name not in ("resourceType", "id", "meta")]
    return ["meta", *ordered] if "meta" in names else ordered


def _merged_meta(values: list[Resource]) -> Resource:
    """Profiles and tags of all; version and time are the store's to set."""
    merged: Resource = {}
    for name in ("profile", "security", "tag"):
        lists = [value[name] for value in values if name in value]
        if lists:
            merged[name] = _united(name, lists)
    return merged


def _united(name: str, lists: list[list[Any]]) -> list[Any]:
    """All items once.  What makes two items one depends on the element."""
    identity = _IDENTITY.get(name, _whole)
    items: dict[Any, Any] = {}
    for item in (item for items_of_source in lists for item in items_of_source):
        items.setdefault(identity(item), item)
    return list(items.values())


def _extensions(lists: list[list[Resource]]) -> list[Resource]:
    """All extensions of one URL come from the most trusted source that states that URL."""
    by_url: dict[Any, list[Resource]] = {}
    for stated in lists:
        of_source: dict[Any, list[Resource]] = {}
        for extension in stated:
            of_source.setdefault(extension.get("url"), []).append(extension)
        by_url = of_source | by_url
    return [extension for extensions in by_url.values() for extension in extensions]


def _whole(item: Any) -> Any:
    return render_json(item) if isinstance(item, dict | list) else item


def _system_and_value(item: Resource) -> Any:
    if "value" not in item:
        return _whole(item)
    return (item.get("system"), str(item["value"]).upper())


def _name_text(item: Resource) -> Any:
    text = item.get("text") or f"{item.get('family', '')}{''.join(item.get('given', []))}"
    return (item.get("use"), "".join(text.split()))


_IDENTITY: dict[str, Callable[[Any], Any]] = {
    "identifier": _system_and_value,
    "telecom": _system_and_value,
    "name": _name_text,
}


def _keep_one_choice(patient: Resource, choice: str, keys: tuple[str, ...]) -> None:
    """A choice element may stand once: the first present key of `keys` says the most."""
    present = [key for key in keys if key in patient]
    for key in present[1:]:
        del patient[key]
    if present and patient[present[0]] is False and choice == "deceased":
        del patient[present[0]]


def _differences(ordered: Sequence[Statement]) -> list[Issue]:
    """FB-5102 for each of birth date and sex on which two sources differ."""
    issues = []
    for name in ("birthDate", "gender"):
        by_value = {
            each.patient[name]: each.feed for each in reversed(ordered) if name in each.patient
        }
        by_value.pop("unknown", None)
        if len(by_value) > 1:
            feeds = ", ".join(sorted(set(by_value.values())))
            issues.append(
                Issue("FB-5102", "warning", f"Patient.{name}", {"feeds": feeds, "where": name})
            )
    return issues
