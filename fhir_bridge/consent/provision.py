"""A Consent as a value: its rules as a tree, read once and never changed.

https://hl7.org/fhir/R4/consent.html and https://profiles.ihe.net/ITI/PCF/content.html

What cannot be read (a date that is none, a modifier that nobody here knows, provisions deeper than
five) makes the whole Consent `unreadable`: it forbids, since to leave a part out could open what
the person has closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any, Literal

from fhir_bridge.consent.codes import ACT_CODE, Code
from fhir_bridge.consent.criteria import ANY, Criteria, Data, Span
from fhir_bridge.fhir import Resource, parse_reference
from fhir_bridge.search import interval

__all__ = ["MAX_DEPTH", "Actor", "Consent", "Provision", "read_consent"]

MAX_DEPTH = 5
_SCOPE: Code = ("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")
_OPT_IN, _OPT_OUT = ("OPTIN", "OPTINR"), ("OPTOUT", "OPTOUTE")
_OF_SOURCE = frozenset({"AUT", "CST"})
"""Roles of those whom data come from; actors of other roles are who receives them."""
_GRANTING = frozenset({"GRANTOR", "DELEGATOR"})
"""Roles of those who give the consent: no condition."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who receives: a reference, or an identifier as ``system|value``; "" when neither is said."""

    key: str


@dataclass(frozen=True, slots=True)
class Provision:
    """One rule with its exceptions; an empty condition is none.  `type` "" where none is said."""

    type: Literal["permit", "deny", ""]
    actors: tuple[Actor, ...] = ()
    actions: tuple[str, ...] = ()
    purposes: tuple[Code, ...] = ()
    period: Span | None = None
    criteria: Criteria = ANY
    exceptions: tuple[Provision, ...] = ()

    def below(self, parent: Provision) -> Provision:
        """The same with each condition that it does not name taken from its parent."""
        return replace(
            self,
            actors=self.actors or parent.actors,
            actions=self.actions or parent.actions,
            purposes=self.purposes or parent.purposes,
            period=self.period or parent.period,
            criteria=self.criteria.below(parent.criteria),
        )

    @property
    def has_conditions(self) -> bool:
        """Whether it speaks of something less than everything."""
        conditions = (self.actors, self.actions, self.purposes, self.period)
        return any(conditions) or bool(self.criteria)


@dataclass(frozen=True, slots=True)
class Consent:
    """What one Consent says.  `base` is its policy rule: opt in, opt out, or nothing."""

    id: str
    patient: str
    in_force: bool
    base: Literal["permit", "deny", ""] = ""
    provision: Provision | None = None
    unreadable: bool = False


def read_consent(resource: Resource, zone: tzinfo = UTC) -> Consent:
    """The value of a Consent resource; dates without a zone are read in `zone`.

    It is in force when it is active and about privacy: a draft, a proposal, what was rejected,
    withdrawn (``inactive``) or entered in error says nothing.
    """
    id_ = str(resource.get("id", ""))
    patient = _key(resource.get("patient", {}))
    scopes = _codes([resource.get("scope", {})])
    if resource.get("status") != "active" or _SCOPE not in scopes:
        return Consent(id_, patient, in_force=False)
    try:
        _refuse_modifiers(resource)
        root = resource.get("provision")
        provision = _provision(root, zone, 1) if root else None
    except ValueError:
        return Consent(id_, patient, in_force=True, unreadable=True)
    return Consent(id_, patient, True, _base(resource), provision)


def _base(resource: Resource) -> Literal["permit", "deny", ""]:
    stated = {
        code for system, code in _codes([resource.get("policyRule", {})]) if system == ACT_CODE
    }
    if stated.intersection(_OPT_OUT):
        return "deny"
    return "permit" if stated.intersection(_OPT_IN) else ""


def _provision(node: dict[str, Any], zone: tzinfo, depth: int) -> Provision:
    if depth > MAX_DEPTH:
        raise ValueError("deeper than anybody reads")
    _refuse_modifiers(node)
    receivers, sources = list[Actor](), list[str]()
    for actor in node.get("actor", ()):
        roles = {code for _, code in _codes([actor.get("role", {})])}
        key = _key(actor.get("reference", {}))
        if roles & _OF_SOURCE:
            sources.append(key)
        elif not roles & _GRANTING:
            receivers.append(Actor(key))
    data = [_data(each) for each in node.get("data", ())]
    data += [Data("authoredby", key) for key in sources]
    if not all(each.reference for each in data):
        raise ValueError("data that are only described")
    period = node.get("dataPeriod")
    kind = node.get("type", "")
    return Provision(
        kind if kind in ("permit", "deny") else "deny" if depth > 1 else "",
        tuple(receivers),
        tuple(code for _, code in _codes(node.get("action", ()))),
        tuple(map(_code, node.get("purpose", ()))),
        _span(node["period"], zone) if node.get("period") else None,
        Criteria(
            tuple(map(_code, node.get("class", ()))),
            tuple(_codes(node.get("code", ()))),
            _span(period, zone) if period else None,
            tuple(data),
            tuple(map(_code, node.get("securityLabel", ()))),
            zone,
        ),
        tuple(_provision(each, zone, depth + 1) for each in node.get("provision", ())),
    )


def _refuse_modifiers(node: dict[str, Any]) -> None:
    """Raise ValueError when something says that the rest must not be read as it stands."""
    if node.get("modifierExtension") or node.get("implicitRules"):
        raise ValueError("a modifier that is not known")


def _data(node: dict[str, Any]) -> Data:
    return Data(node.get("meaning", "instance"), _key(node.get("reference", {})))


def _span(node: dict[str, Any], zone: tzinfo) -> Span:
    """A Period as ticks, both ends included, as wide as its dates are precise."""
    low = interval(node["start"], zone) if node.get("start") else None
    high = interval(node["end"], zone) if node.get("end") else None
    if (node.get("start") and low is None) or (node.get("end") and high is None):
        raise ValueError("a date that is none")
    return Span(
        low[0] if low else None,
        high[1] if high else None,
        node.get("start", ""),
        node.get("end", ""),
    )


def _key(reference: dict[str, Any]) -> str:
    """What a Reference names: ``Type/id`` (with the base of another server), or an identifier."""
    text = str(reference.get("reference", ""))
    parsed = parse_reference(text)
    if parsed is not None and parsed.id:
        base = f"{parsed.base.rstrip('/')}/" if parsed.base else ""
        return f"{base}{parsed.resource_type}/{parsed.id}"
    if text and not text.startswith("#"):
        return text
    identifier = reference.get("identifier", {})
    value = identifier.get("value", "")
    return f"{identifier.get('system', '')}|{value}" if value else ""


def _code(coding: dict[str, Any]) -> Code:
    return str(coding.get("system", "")), str(coding.get("code", ""))


def _codes(concepts: Iterable[dict[str, Any]]) -> list[Code]:
    return [_code(coding) for concept in concepts for coding in concept.get("coding", ())]
