"""Whose data an answer shows, found in its bytes.

Every resource of a patient names the patient, and the Patient itself stands under its address, so
the references to patients in an answer are those whom it is about.  A part of a resource
(``_elements``, ``_summary``, 304) may name nobody: of such an answer the resources are kept, and the
patients are looked up when the event is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["patients_in", "patients_of_query", "resources_in"]

_PATIENT = re.compile(rb'Patient/([A-Za-z0-9\-.]{1,64})["/]')
_OWN = re.compile(rb'"resourceType" ?: ?"Patient" ?, ?"id" ?: ?"([A-Za-z0-9\-.]{1,64})"')
_FULL_URL = re.compile(rb'"fullUrl" ?: ?"[^"]*/([A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64})"')
_NAMED = re.compile(r"(?:Patient/)?([A-Za-z0-9\-.]{1,64})")
_PARAMETERS = frozenset({"patient", "subject", "beneficiary", "individual"})


def patients_in(body: bytes) -> tuple[str, ...]:
    """The ids of the patients that an answer in FHIR JSON names, each once, in their order."""
    found = [*_OWN.findall(body[:300]), *_PATIENT.findall(body)]
    return tuple(each.decode() for each in dict.fromkeys(found))


def patients_of_query(resource_type: str, query: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The ids of the patients whom a search itself names, whether it found anything or not."""
    named: dict[str, None] = {}
    for name, value in query:
        code = name.partition(":")[0]
        if code in _PARAMETERS or (resource_type == "Patient" and code == "_id"):
            for each in value.split(","):
                match = _NAMED.fullmatch(each)
                if match:
                    named[match[1]] = None
    return tuple(named)


def resources_in(body: bytes) -> tuple[str, ...]:
    """``Type/id`` of the entries of a Bundle."""
    return tuple(each.decode() for each in dict.fromkeys(_FULL_URL.findall(body)))
