"""References that lead nowhere, and resources about a person whom another one has replaced.

A reference is read wherever it is in a body.  Whether its target is there is asked for
many at once by the index of keys, and remembered while a range is checked: each target costs
one look-up a range, and memory has a bound.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_bridge.database import Session, unpacked
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.maintenance.findings import Findings
from fhir_bridge.store.maintenance.literals import Pointer, literals, read
from fhir_bridge.store.maintenance.replaced import CURRENT, Replacements

__all__ = ["ReferenceCheck"]

_MAX_CACHED = 200_000
_MAX_PENDING = 5_000
_REPLACED_BY = b"replaced-by"

_HISTORICAL = frozenset({"AuditEvent", "Provenance"})
"""Types that speak of what happened: their targets may be deleted or replaced since."""

_OF_IDENTITY = frozenset({"Linkage", "Patient", "Person"})
"""Types whose links to a replaced Patient say just that."""

_THERE, _REPLACED, _DELETED, _UNKNOWN = range(4)


@dataclass(slots=True)
class _Source:
    """One resource on its way: what is wrong with it by code, the first place told."""

    resource_type: str
    id: str
    wrong: dict[str, tuple[str, str, int]] = field(default_factory=dict)

    def note(self, code: str, element: object, target: str) -> None:
        """Counts a reference that is wrong."""
        first, told, count = self.wrong.get(code) or (str(element), target, 0)
        self.wrong[code] = (first, told, count + 1)


class ReferenceCheck:
    """Looks at the references of the current resources of one range, in its snapshot."""

    def __init__(
        self,
        session: Session,
        findings: Findings,
        own_bases: tuple[str, ...] = (),
        patient_type: int = -1,
    ) -> None:
        self._session = session
        self._findings = findings
        self._own_bases = own_bases
        self._patient_type = patient_type
        self._replacements = Replacements(session, own_bases)
        self._known: dict[int, int] = {}
        self._waiting: list[tuple[_Source, object, Pointer]] = []
        self._sources: list[_Source] = []

    def add(self, resource: Resource) -> None:
        """Reads the references of one current resource."""
        source = _Source(resource["resourceType"], resource["id"])
        for element, text in literals(resource):
            pointer = read(text, self._own_bases)
            if pointer.kind == "literal":
                self._waiting.append((source, element, pointer))
            else:
                self._check_reference(source, resource, element, text, pointer)
        self._sources.append(source)
        if source.resource_type == "Patient" and resource.get("link"):
            self._follow(source, resource)
        if len(self._waiting) > _MAX_PENDING or len(self._sources) > _MAX_PENDING:
            self.settle()

    def settle(self) -> None:
        """Looks the targets up that wait, and tells what is wrong with their resources."""
        self._look_up({_key(pointer) for _, _, pointer in self._waiting})
        for source, element, pointer in self._waiting:
            self._check_literal(source, element, pointer)
        for source in self._sources:
            for code, (element, target, count) in source.wrong.items():
                self._findings.note(
                    code, source.resource_type, source.id,
                    element=element, target=target, count=str(count),
                )  # fmt: skip
        self._waiting.clear()
        self._sources.clear()

    def _check_reference(
        self, source: _Source, resource: Resource, element: object, text: str, pointer: Pointer
    ) -> None:
        """Notes a reference that is wrong by itself."""
        match pointer.kind:
            case "contained":
                inside = {each.get("id") for each in resource.get("contained") or ()}
                if pointer.id and pointer.id not in inside:
                    source.note("FB-5021", element, text)
            case "conditional":  # what it looks for may be a person's number
                source.note("FB-5022", element, f"{text.partition('?')[0]}?…")
            case "temporary":
                if text not in _own_identifiers(resource):
                    source.note("FB-5023", element, text)
            case "unreadable":
                source.note("FB-5020", element, text[:80])

    def _check_literal(self, source: _Source, element: object, pointer: Pointer) -> None:
        state = self._known[_key(pointer)]
        target = f"{pointer.resource_type}/{pointer.id}"
        historical = source.resource_type in _HISTORICAL
        if pointer.version and state != _UNKNOWN:
            if not self._has_version(pointer):
                source.note("FB-5020", element, f"{target}/_history/{pointer.version}")
        elif state == _UNKNOWN or (state == _DELETED and not historical):
            source.note("FB-5020", element, target)
        if state == _REPLACED and not historical and source.resource_type not in _OF_IDENTITY:
            source.note("FB-5025", element, target)

    def _follow(self, source: _Source, patient: Resource) -> None:
        """Notes a Patient whose links lead to itself or in a circle."""
        texts = [str((each.get("other") or {}).get("reference", "")) for each in patient["link"]]
        others = [read(text, self._own_bases) for text in texts]
        itself = any((each.resource_type, each.id) == ("Patient", source.id) for each in others)
        following = self._replacements.learn(patient)
        if itself:
            source.note("FB-5024", "Patient.link.other", f"Patient/{source.id}")
        elif following is not None and self._replacements.last(source.id) is None:
            source.note("FB-5024", "Patient.link.other", f"Patient/{following}")

    def _look_up(self, keys: set[int]) -> None:
        """Learns which of `keys` are in the record; of Patients also whether they are replaced."""
        if len(self._known) > _MAX_CACHED:
            self._known.clear()
        wanted = sorted(keys - self._known.keys())
        if not wanted:
            return
        where, parameters = self._session.among("r.key", wanted)
        for key, how, body in self._session.all(
            "SELECT r.key, r.compressed, CASE WHEN r.type = ? THEN r.body END"
            f" FROM resource r WHERE {where} AND {CURRENT}",
            [self._patient_type, *parameters],
        ):
            self._known[key] = _REPLACED if body and self._is_replaced(how, body) else _THERE
        missing = [key for key in wanted if key not in self._known]
        if missing:
            where, parameters = self._session.among("r.key", missing)
            for (key,) in self._session.all(
                f"SELECT DISTINCT r.key FROM resource r WHERE {where}", parameters
            ):
                self._known[key] = _DELETED
            for key in missing:
                self._known.setdefault(key, _UNKNOWN)

    def _is_replaced(self, how: int, body: bytes) -> bool:
        text = unpacked(how, body)
        if _REPLACED_BY not in text:
            return False
        return self._replacements.learn(parse_json(text)) is not None

    def _has_version(self, pointer: Pointer) -> bool:
        if not pointer.version.isdecimal() or len(pointer.version) > 9:
            return False
        row = self._session.one(
            "SELECT deleted FROM resource WHERE key = ? AND version = ?",
            (_key(pointer), int(pointer.version)),
        )
        return row is not None and not row[0]


def _key(pointer: Pointer) -> int:
    return resource_key(pointer.resource_type, pointer.id)


def _own_identifiers(resource: Resource) -> set[str]:
    """The identifiers that a resource states of itself and of what it contains."""
    found: set[str] = set()
    for each in (resource, *(resource.get("contained") or ())):
        stated = each.get("identifier")
        for identifier in stated if isinstance(stated, list) else [stated]:
            if isinstance(identifier, dict):
                found.add(str(identifier.get("value")))
    return found
