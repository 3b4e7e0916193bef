"""Consents, requests and resources in few words, for the tests of this folder."""

from datetime import UTC, datetime

from fhir_bridge.consent import ConsentRequest, decide, read_consent

REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
TYPES = "http://hl7.org/fhir/resource-types"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def consent(provision=None, **more):
    """An active privacy consent with a root provision."""
    resource = {
        "resourceType": "Consent",
        "id": more.pop("id", "c"),
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "patient": {"reference": "Patient/p"},
        **more,
    }
    return resource if provision is None else {**resource, "provision": provision}


def purpose(*codes):
    """Purposes of use by their codes."""
    return [{"system": REASON, "code": code} for code in codes]


def actor(reference, role="IRCP"):
    """Who receives, or (AUT) who wrote."""
    return {
        "role": {"coding": [{"system": ROLE, "code": role}]},
        "reference": {"reference": reference} if isinstance(reference, str) else reference,
    }


def label(*codes):
    """Labels of confidentiality and sensitivity by their codes."""
    return [
        {"system": LEVEL if code in ("U", "L", "M", "N", "R", "V") else ACT, "code": code}
        for code in codes
    ]


def observation(*labels, **more):
    """An Observation of the person with security labels."""
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        **({"meta": {"security": label(*labels)}} if labels else {}),
        **more,
    }


def decided(*consents, actors=("Practitioner/x",), why="TREAT", policy="deny", **more):
    """The decision on a request of Practitioner/x for treatment, but for what is named."""
    request = ConsentRequest(
        frozenset(actors),
        (REASON, why) if why else ("", ""),
        more.pop("at", NOON),
        **more,
    )
    return decide([read_consent(each) for each in consents], request, policy)
