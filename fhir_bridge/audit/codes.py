"""The codes of IHE's audit patterns, and which pattern an interaction follows.

https://profiles.ihe.net/ITI/BALP/content.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = [
    "ACCOUNT_SYSTEM",
    "CLIENT_SYSTEM",
    "Pattern",
    "coding",
    "concept",
    "pattern_of",
    "profile_url",
]

ACCOUNT_SYSTEM = "https://fhir-bridge.org/fhir/NamingSystem/account"
CLIENT_SYSTEM = "https://fhir-bridge.org/fhir/NamingSystem/client"
"""Whose numbers the identifiers of agents are."""

_SYSTEMS = {
    "dcm": "http://dicom.nema.org/resources/ontology/DCM",
    "event": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "interaction": "http://hl7.org/fhir/restful-interaction",
    "entity": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
    "object": "http://terminology.hl7.org/CodeSystem/object-role",
    "participation": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
    "provenance": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
    "role-class": "http://terminology.hl7.org/CodeSystem/v3-RoleClass",
    "reason": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "lifecycle": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
    "security-role": "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
    "source": "http://terminology.hl7.org/CodeSystem/security-source-type",
    "types": "http://hl7.org/fhir/resource-types",
    "balp-entity": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
    "balp-agent": "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes",
    "balp-subtype": "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType",
    "role": "https://fhir-bridge.org/fhir/CodeSystem/role",
}
_PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE."


@dataclass(frozen=True, slots=True)
class Pattern:
    """How an event of a kind looks: type, subtypes, action, and the types of its agents.

    `profile` is the name of IHE's profile, "" where it has none; `per_patient` whether there is a
    form of it with the patient.
    """

    type: tuple[str, str]
    subtypes: tuple[tuple[str, str], ...]
    action: str
    client: tuple[str, str]
    server: tuple[str, str]
    user: tuple[str, str]
    profile: str = ""
    per_patient: bool = True


_SOURCE, _DESTINATION = ("dcm", "110153"), ("dcm", "110152")
_REST = ("event", "rest")
_RECIPIENT, _AUTHOR = ("participation", "IRCP"), ("participation", "AUT")
_READ, _SEARCH = ("read", "vread"), ("search-type", "search-system", "search-compartment")


def coding(code: tuple[str, str]) -> dict[str, str]:
    """A Coding; the system by its short name here."""
    return {"system": _SYSTEMS[code[0]], "code": code[1]}


def concept(code: tuple[str, str]) -> dict[str, Any]:
    """A CodeableConcept of one Coding."""
    return {"coding": [coding(code)]}


def profile_url(name: str) -> str:
    """The URL of IHE's profile of a name."""
    return _PROFILES + name


def pattern_of(interaction: str) -> Pattern:
    """The pattern that an interaction follows.

    >>> pattern_of("update").action
    'U'
    """
    return _SPECIAL.get(interaction) or _rest(interaction)


def _rest(interaction: str) -> Pattern:
    subtypes = (("interaction", interaction),)
    if interaction in _READ:
        return Pattern(_REST, subtypes, "R", _DESTINATION, _SOURCE, _RECIPIENT, "Read")
    if interaction in _SEARCH:
        code = "search" if interaction == "search-compartment" else interaction
        subtypes = (("interaction", code),)
        return Pattern(_REST, subtypes, "E", _SOURCE, _DESTINATION, _RECIPIENT, "Query")
    if interaction == "create":
        return Pattern(_REST, subtypes, "C", _SOURCE, _DESTINATION, _AUTHOR, "Create")
    if interaction in ("update", "patch"):
        return Pattern(_REST, subtypes, "U", _SOURCE, _DESTINATION, _AUTHOR, "Update")
    if interaction == "delete":
        server = ("provenance", "custodian")
        return Pattern(_REST, subtypes, "D", ("dcm", "110150"), server, _AUTHOR, "Delete")
    action = "R" if interaction.startswith("history-") else "E"
    return Pattern(_REST, subtypes, action, _DESTINATION, _SOURCE, _RECIPIENT)


_SPECIAL = {
    "login": Pattern(
        ("dcm", "110114"), (("dcm", "110122"),), "E", ("dcm", "110150"), _DESTINATION, _RECIPIENT
    ),
    "logout": Pattern(
        ("dcm", "110114"), (("dcm", "110123"),), "E", ("dcm", "110150"), _DESTINATION, _RECIPIENT
    ),
    "break-glass": Pattern(
        ("dcm", "110113"), (("dcm", "110127"),), "E", ("dcm", "110150"), _SOURCE, _RECIPIENT
    ),
    "consent": Pattern(
        ("dcm", "110113"), (("balp-subtype", "AuthZ-Consent"),), "E", ("dcm", "110150"),
        ("security-role", "authserver"), _RECIPIENT, "AuthZconsent", per_patient=False,
    ),
    "disclose": Pattern(
        ("dcm", "110106"), (("lifecycle", "disclose"), ("interaction", "read")), "R", _DESTINATION,
        _SOURCE, _RECIPIENT, "PrivacyDisclosure.Source", per_patient=False,
    ),
}  # fmt: skip
