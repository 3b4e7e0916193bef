"""The cases of the generated test, how each is carried out, and what the second decision expects.

A case is (resource type, interaction, who asks, through which scopes).  What an answer shows is
compared as a set of resources, and a refusal by its code; a change is undone afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from fhir_bridge.access import Caller, Role, read_scopes
from fhir_bridge.api.operate import operate_with
from fhir_bridge.entitlement import Policy, entitled
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.interactions import Context, Reply, Request, perform
from fhir_bridge.search import Registry
from fhir_bridge.store import Store
from tests.access.cast import NOW, element_path
from tests.access.decision import Case, Decision

__all__ = ["CALLERS", "INTERACTIONS", "SCOPES", "Answer", "Matrix", "every", "pairwise"]

CALLERS: Mapping[str, tuple[str, str, str]] = {
    "resident with children": ("resident", "mum", ""),
    "resident of a family": ("resident", "fa", ""),
    "resident who left the family": ("resident", "left", ""),
    "resident with a stranger's team": ("resident", "stranger", ""),
    "resident who renewed": ("resident", "renewed", ""),
    "resident whose agreement ends today": ("resident", "today", ""),
    "resident whose agreement ended yesterday": ("resident", "over", ""),
    "resident without an agreement": ("resident", "none", ""),
    "doctor of the first team": ("doctor", "doc1", ""),
    "doctor by a role": ("doctor", "doc3", ""),
    "doctor who left the team": ("doctor", "doc4", ""),
    "receiving hospital": ("referral-hospital", "H1", ""),
    "hospital IT": ("hospital-it", "H1", ""),
    "public-health worker": ("public-health", "", ""),
    "regulator": ("regulator", "", ""),
    "inspector without a purpose": ("inspector", "", ""),
    "inspector with a purpose": ("inspector", "", "HCOMPL"),
    "operator": ("operator", "", ""),
    "system": ("system", "", ""),
}
"""Role, who, purpose of use."""

SCOPES: Mapping[str, str | None] = {
    "no app": None,
    "patient, all": "patient/*.cruds",
    "patient, reading the type": "patient/{type}.rs",
    "patient, reading without search": "patient/{type}.r patient/Patient.rs",
    "patient, limited": "patient/Observation.rs?category=laboratory patient/Patient.s",
    "user, all": "user/*.cruds",
    "user, the type": "user/{type}.cuds user/Patient.rs",
    "user, another type": "user/Substance.rs user/{other}.s",
    "user, limited": "user/Observation.cruds?category=laboratory",
    "system, all": "system/*.rs",
}
"""Scopes by kind; the patient in context is the person, or one whom the caller does not know."""

INTERACTIONS = (
    "read", "read foreign", "vread", "history", "type history", "system history", "search", "count",
    "pages", "system search", "compartment", "chain", "has", "include", "revinclude", "iterate",
    "everything", "create", "create if none", "update", "move", "take", "patch", "delete",
    "delete by condition", "batch", "transaction",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What came of a case: "shown" with the resources, "done", "absent", or a refusal by its code."""

    kind: str
    shown: frozenset[str] = frozenset()


@dataclass
class Matrix:
    """A filled record, and the decision about it."""

    store: Store
    registry: Registry
    policy: Policy
    decision: Decision

    def run(
        self, resource_type: str, interaction: str, caller: str, scope: str
    ) -> tuple[Answer, Answer]:
        """The answer of the engine and the one that is expected."""
        case = self._case(resource_type, caller, scope)
        expected = self._expected(case, resource_type, interaction)
        try:
            found = self._carried_out(case, resource_type, interaction)
        except BridgeError as error:
            found = Answer(_KINDS.get(error.code, error.code))
        return found, expected

    def _case(self, resource_type: str, caller: str, scope: str) -> Case:
        role, who, purpose = CALLERS[caller]
        text = SCOPES[scope]
        other = "Observation" if resource_type != "Observation" else "Condition"
        scopes = None if text is None else text.format(type=resource_type, other=other)
        patient = who if role == "resident" else "mum"
        return Case(role, who, scopes, patient if "patient/" in (scopes or "") else "", purpose)

    def _context(self, case: Case) -> Context:
        role = Role(
            case.role,
            patient=case.who if case.role == "resident" else "",
            practitioner=case.who if case.role == "doctor" else "",
            organization=case.who if case.role in ("referral-hospital", "hospital-it") else "",
        )
        types = self.registry.definitions.resource_types
        scopes = None if case.scopes is None else read_scopes(case.scopes, types)
        account = "" if case.role == "system" else "somebody"
        caller = Caller(account, "app", (role,), scopes, case.patient, purpose=case.purpose)
        access = entitled(caller, self.store, NOW, self.policy)
        return Context(
            store=self.store, registry=self.registry, definitions=self.registry.definitions,
            validator=_NoValidator(), settings=_Settings(), access=access,  # type: ignore[arg-type]
            base_url="http://localhost/fhir", operate=operate_with(None), render_error=_rendered,
            capabilities=lambda: b"",
        )  # fmt: skip

    # Which resources a case is about

    def targets(self, resource_type: str) -> tuple[str, str]:
        """The ids of a resource of a family's mother, and of one of a stranger (or of nobody)."""
        ids = [id_ for named, id_ in self.decision.current if named == resource_type]
        mine = next((id_ for id_ in ids if id_.endswith("-mum") or id_ == "mum"), ids[0])
        foreign = next(
            (id_ for id_ in ids if id_.endswith("-stranger") or id_ == "stranger"), ids[-1]
        )
        return mine, foreign

    def _reference(self, resource_type: str) -> str:
        """The search parameter by which the type names its patient; "" for types of nobody."""
        if element_path(self.registry, resource_type) is None:
            return ""
        return self.registry.compartment(resource_type)[0]

    # The engine

    def _carried_out(self, case: Case, resource_type: str, interaction: str) -> Answer:
        context = self._context(case)
        mine, foreign = self.targets(resource_type)
        code = self._reference(resource_type)
        ask = _ASKED.get(interaction)
        if ask is not None:
            id_ = foreign if interaction == "read foreign" else mine
            url = ask.format(type=resource_type, id=id_, code=code or "_id")
            if not code and interaction in (
                "chain",
                "has",
                "include",
                "revinclude",
                "iterate",
                "compartment",
            ):
                url = f"{resource_type}"
            return self._asked(context, url)
        return self._changed(context, resource_type, interaction, (mine, foreign))

    def _asked(self, context: Context, url: str) -> Answer:
        shown: set[str] = set()
        path, _, query = url.partition("?")
        while True:
            reply = perform(_request("GET", path, query), context)
            body = json.loads(reply.body)
            if body["resourceType"] != "Bundle" or body.get("type") not in ("searchset", "history"):
                return Answer("shown", frozenset({_named(body)}))
            shown.update(_entries(body))
            if "total" in body and "_summary=count" in query:
                return Answer(f"total {body['total']}")
            following = [each["url"] for each in body["link"] if each["relation"] == "next"]
            if not following:
                return Answer("shown", frozenset(shown))
            query = following[0].partition("?")[2]

    def _changed(
        self, context: Context, resource_type: str, interaction: str, ids: tuple[str, str]
    ) -> Answer:
        if interaction == "patch":  # worked out outside of a transaction; this one changes nothing
            return self._change(context, resource_type, interaction, ids)
        answer: list[Answer] = []

        def undone() -> None:
            with self.store.transaction() as transaction:
                inside = replace(context, transaction=transaction)
                answer.append(self._change(inside, resource_type, interaction, ids))
                raise _UndoneError

        with suppress(_UndoneError):
            undone()
        return answer[0]

    def _change(
        self, context: Context, resource_type: str, interaction: str, ids: tuple[str, str]
    ) -> Answer:
        mine, foreign = ids
        resource = self.decision.current[resource_type, mine]
        place = f"{resource_type}/{mine}"
        match interaction:
            case "create":
                reply = perform(_request("POST", resource_type, body=_new(resource)), context)
            case "create if none":
                request = _request("POST", resource_type, body=_new(resource))
                request.headers["if-none-exist"] = f"_id={mine}"  # type: ignore[index]
                reply = perform(request, context)
            case "update":
                reply = perform(_request("PUT", place, body=_changed_a_little(resource)), context)
            case "move":
                reply = perform(_request("PUT", place, body=self._moved(resource)), context)
            case "take":
                taken = self._moved(
                    self.decision.current[resource_type, foreign], "stranger", "mum"
                )
                place = f"{resource_type}/{foreign}"
                reply = perform(_request("PUT", place, body=taken), context)
            case "patch":
                body: Any = [{"op": "test", "path": "/id", "value": mine}]
                request = _request("PATCH", place, body=body)
                reply = perform(replace(request, media="application/json-patch+json"), context)
            case "delete":
                reply = perform(_request("DELETE", place), context)
                gone = context.transaction and context.transaction.read(resource_type, mine)
                return Answer("done" if gone and gone.deleted else "absent")
            case "delete by condition":
                reply = perform(_request("DELETE", resource_type, f"_id={mine}"), context)
                gone = context.transaction and context.transaction.read(resource_type, mine)
                return Answer("done" if gone and gone.deleted else "absent")
            case _:
                return self._bundle(context, interaction, resource, place)
        return Answer("done" if reply.status in (200, 201) else str(reply.status))

    def _bundle(self, context: Context, kind: str, resource: Resource, place: str) -> Answer:
        entries = [
            {"request": {"method": "GET", "url": place}},
            {"request": {"method": "PUT", "url": place}, "resource": _changed_a_little(resource)},
        ]
        sent: Resource = {"resourceType": "Bundle", "type": kind, "entry": entries}
        reply = perform(_request("POST", "", body=sent), context)
        answered = json.loads(reply.body)["entry"]
        return Answer("|".join(each["response"]["status"][:3] for each in answered))

    def _moved(self, resource: Resource, old: str = "mum", new: str = "stranger") -> Resource:
        text = json.dumps(resource).replace(f'"Patient/{old}"', f'"Patient/{new}"')
        return _changed_a_little(json.loads(text))

    # The second decision

    def _expected(self, case: Case, resource_type: str, interaction: str) -> Answer:
        decision = self.decision
        mine, foreign = self.targets(resource_type)
        letter = "r" if interaction in _READING else "s" if interaction in _SEARCHING else ""
        if interaction in ("has", "revinclude") and not self._reference(resource_type):
            letter = "s"  # such a type is searched as it is
        asked = letter and interaction not in _OF_ALL
        if asked and not decision.may_ask(case, letter, resource_type):
            return Answer("refused")
        match interaction:
            case "read" | "read foreign":
                id_ = mine if interaction == "read" else foreign
                return self._one(case, resource_type, id_)
            case "vread":
                return self._one(case, resource_type, mine)
            case "history":
                return self._one(case, resource_type, mine)
            case "everything":
                return self._everything(case)
            case "take":
                return self._taking(case, resource_type, foreign)
            case (
                "create"
                | "create if none"
                | "update"
                | "move"
                | "patch"
                | "delete"
                | "delete by condition"
            ):
                return self._change_expected(case, resource_type, interaction, mine)
            case "batch" | "transaction":
                return self._bundle_expected(case, resource_type, interaction, mine)
        return self._listed(case, resource_type, interaction)

    def _one(self, case: Case, resource_type: str, id_: str) -> Answer:
        resource = self.decision.current[resource_type, id_]
        seen = self.decision.sees(case, "r", resource)
        return Answer("shown", frozenset({f"{resource_type}/{id_}"})) if seen else Answer("absent")

    def _visible(self, case: Case, resource_type: str, letter: str = "s") -> set[str]:
        return {
            f"{named}/{id_}"
            for (named, id_), each in self.decision.current.items()
            if named == resource_type and self.decision.sees(case, letter, each)
        }

    def _sees(self, case: Case, reference: str) -> bool:
        named, _, id_ = reference.partition("/")
        resource = self.decision.current.get((named, id_))
        return resource is not None and self.decision.sees(case, "s", resource)

    def _listed(self, case: Case, resource_type: str, interaction: str) -> Answer:
        decision, seen = self.decision, self._visible(case, resource_type)
        code = self._reference(resource_type)
        if interaction in _OF_ALL:
            if not any(decision.may_ask(case, "s", each) for each in definitions().resource_types):
                return Answer("refused")
            everything = {
                f"{named}/{id_}"
                for (named, id_), each in decision.current.items()
                if decision.sees(case, "s", each)
            }
            return Answer("shown", frozenset(everything))
        if interaction == "count":
            return Answer(f"total {len(seen)}")
        if not code or interaction in ("type history", "search", "pages"):
            return Answer("shown", frozenset(seen))
        return self._linked(case, resource_type, interaction, seen)

    def _linked(self, case: Case, resource_type: str, interaction: str, seen: set[str]) -> Answer:
        decision, code = self.decision, self._reference(resource_type)
        naming = {each: decision.values(self._resource(each), code) for each in seen}
        patients = {each for one in naming.values() for each in one if self._sees(case, each)}
        match interaction:
            case "compartment":
                # R4's compartment holds those Patients that are linked to this one, not itself.
                kept = {
                    each
                    for each in seen - {"Patient/mum"}
                    if "mum" in decision._members(self._resource(each))
                }
                return Answer("shown", frozenset(kept))
            case "chain":
                kept = {
                    each
                    for each in seen
                    if any(
                        self._sees(case, one) for one in naming[each] if one.startswith("Patient/")
                    )
                }
                return Answer("shown", frozenset(kept))
            case "has":
                if not decision.may_ask(case, "s", "Patient"):
                    return Answer("refused")
                named = {each for each in patients if each.startswith("Patient/")}
                return Answer("shown", frozenset(named))
            case "include":
                return Answer("shown", frozenset(seen | patients))
            case "revinclude":
                if not decision.may_ask(case, "s", "Patient"):
                    return Answer("refused")
                matches = self._visible(case, "Patient")
                referring = {e for e, ones in naming.items() if set(ones) & matches}
                return Answer("shown", frozenset(matches | referring))
            case "iterate":
                return Answer("shown", frozenset(self._closure(case, seen)))
        raise ValueError(interaction)

    def _closure(self, case: Case, seen: set[str]) -> set[str]:
        found, fresh = set(seen), set(seen)
        while fresh:
            named = {one for each in fresh for one in self._references(self._resource(each))}
            fresh = {each for each in named - found if self._sees(case, each)}
            found |= fresh
        return found

    def _references(self, resource: Resource) -> set[str]:
        """What a resource names under any of its search parameters."""
        named = resource["resourceType"]
        codes = self.registry.reference_codes(named)
        return {one for code in codes for one in self.decision.values(resource, code)}

    def _resource(self, reference: str) -> Resource:
        named, _, id_ = reference.partition("/")
        return self.decision.current[named, id_]

    def _everything(self, case: Case) -> Answer:
        """The person, what is of them directly, and what these name."""
        person = self.decision.current["Patient", "mum"]
        if not self.decision.may_ask(case, "r", "Patient"):
            return Answer("refused")
        if not self.decision.sees(case, "r", person):
            return Answer("absent")
        own = {
            f"{named}/{id_}"
            for (named, id_), each in self.decision.current.items()
            if named != "AuditEvent"  # who looked at the record is not of it
            and "mum" in self.decision._members(each)
            and self.decision.sees(case, "s", each)
        }
        named = {one for each in own for one in self._references(self._resource(each))}
        return Answer("shown", frozenset(own | {each for each in named if self._sees(case, each)}))

    def _change_expected(
        self, case: Case, resource_type: str, interaction: str, id_: str
    ) -> Answer:
        decision, resource = self.decision, self.decision.current[resource_type, id_]
        letter = {
            "create": "c",
            "create if none": "c",
            "delete": "d",
            "delete by condition": "d",
        }.get(interaction, "u")
        needs = letter + ("s" if interaction in ("create if none", "delete by condition") else "")
        if not all(decision.may_ask(case, each, resource_type) for each in needs):
            return Answer("refused")
        found_first = interaction in ("create if none", "delete by condition")
        if found_first and not decision.sees(case, "s", resource):
            if interaction == "delete by condition":
                return Answer("absent")
            return self._creating(case, resource)
        if interaction == "create if none":
            return Answer("done")
        if interaction == "create":
            return self._creating(case, resource)
        if not decision.sees(case, letter, resource):
            if interaction in ("update", "move", "delete by condition"):
                return Answer("forbidden")
            return Answer("forbidden" if decision.sees(case, "r", resource) else "absent")
        if interaction == "move":
            moved = self._moved(resource)
            return Answer("done" if decision.sees(case, "u", moved) else "forbidden")
        return Answer("done")

    def _taking(self, case: Case, resource_type: str, id_: str) -> Answer:
        """What is put over a foreign resource would be within reach, and that resource is not."""
        decision, resource = self.decision, self.decision.current[resource_type, id_]
        if not decision.may_ask(case, "u", resource_type):
            return Answer("refused")
        both = (resource, self._moved(resource, "stranger", "mum"))
        return Answer(
            "done" if all(decision.sees(case, "u", each) for each in both) else "forbidden"
        )

    def _creating(self, case: Case, resource: Resource) -> Answer:
        new = {**resource, "id": "somebody-new"}
        return Answer("done" if self.decision.sees(case, "c", new) else "forbidden")

    def _bundle_expected(self, case: Case, resource_type: str, kind: str, id_: str) -> Answer:
        read = Answer("refused")
        if self.decision.may_ask(case, "r", resource_type):
            read = self._one(case, resource_type, id_)
        update = self._change_expected(case, resource_type, "update", id_)
        if kind == "transaction":
            # Changes come first, and any refusal is that of the whole.
            if update.kind != "done":
                return update
            return Answer("200|200") if read.kind == "shown" else read
        status = {"shown": "200", "done": "200", "absent": "404"}
        return Answer("|".join(status.get(each.kind, "403") for each in (read, update)))


def every() -> Iterator[tuple[str, str, str, str]]:
    """All cases: type × interaction × caller × scopes."""
    for resource_type in sorted(definitions().resource_types):
        for interaction in INTERACTIONS:
            for caller in CALLERS:
                for scope in SCOPES:
                    yield resource_type, interaction, caller, scope


def pairwise() -> Iterator[tuple[str, str, str, str]]:
    """One case for each type and interaction, so that all pairs of the others come up as well."""
    callers, scopes = list(CALLERS), list(SCOPES)
    number = 0
    for place, resource_type in enumerate(sorted(definitions().resource_types)):
        for interaction in INTERACTIONS:
            if interaction in _COSTLY and place % 8:
                continue
            # Two numbers without a common divisor meet each other in every combination.
            yield (
                resource_type, interaction,
                callers[(number + place) % len(callers)], scopes[(number // 3 + place) % len(scopes)],
            )  # fmt: skip
            number += 1


class _UndoneError(Exception):
    """A change was made, looked at, and is taken back."""


class _NoValidator:
    """What is stored here is of the smallest; that it is valid is another test's matter."""

    def check(self, _resource: Resource, _profiles: Any = ()) -> list[Any]:
        """Nothing is wrong."""
        return []


@dataclass(frozen=True)
class _Settings:
    referential_integrity: bool = False
    conditional_delete: str = "single"
    require_if_match: bool = False
    max_bundle_entries: int = 100
    max_page: int = 1000


def _rendered(error: Exception) -> Reply:
    if isinstance(error, BridgeError):
        return Reply(error.entry.http_status, b"")
    raise error


def _request(method: str, path: str, query: str = "", body: Any = None) -> Request:
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    parts = tuple(part for part in path.split("/") if part)
    return Request(method, parts, pairs, {}, body, "application/fhir+json")


def _new(resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if key not in ("id", "meta")}


def _changed_a_little(resource: Resource) -> Resource:
    return {**{k: v for k, v in resource.items() if k != "meta"}, "language": "zh"}


def _named(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _entries(bundle: Resource) -> Iterator[str]:
    for each in bundle.get("entry", ()):
        if "resource" in each and each.get("search", {}).get("mode") != "outcome":
            yield _named(each["resource"])


_KINDS = {
    "FB-4204": "refused", "FB-4209": "no context", "FB-4201": "forbidden", "FB-4001": "absent",
    "FB-4002": "absent",
}  # fmt: skip
_ASKED = {
    "read": "{type}/{id}", "read foreign": "{type}/{id}", "vread": "{type}/{id}/_history/1",
    "history": "{type}/{id}/_history", "type history": "{type}/_history?_count=1000",
    "system history": "_history?_count=1000", "search": "{type}?_count=1000",
    "count": "{type}?_summary=count", "pages": "{type}?_count=7",
    "system search": "?_count=1000", "compartment": "Patient/mum/{type}?_count=1000",
    "chain": "{type}?{code}:Patient._lastUpdated=gt2000&_count=1000",
    "has": "Patient?_has:{type}:{code}:_lastUpdated=gt2000&_count=1000",
    "include": "{type}?_include={type}:{code}&_count=1000",
    "revinclude": "Patient?_revinclude={type}:{code}&_count=1000",
    "iterate": "{type}?_include=*&_include:iterate=*&_count=1000",
    "everything": "Patient/mum/$everything",
}  # fmt: skip
_READING = frozenset({"read", "read foreign", "vread", "history"})
_SEARCHING = frozenset({
    "type history", "system history", "search", "count", "pages", "system search", "compartment", "chain",
    "include", "iterate",
})  # fmt: skip
_OF_ALL = frozenset({"system history", "system search"})
"""Interactions about all types at once."""
_COSTLY = _OF_ALL | {"everything"}
"""What hardly depends on the type that a case is about; pairwise it comes up with one in eight."""
