"""What a person enters before a script runs: the tester of the connectathon's client scripts.

https://hl7.org/fhir/R4/testscript.html (TestScript.variable.hint).  These scripts ask for the
id, version or identifier of a patient whom the tester has put on the server.  The runner is
that tester: it stores one patient in two versions and enters what the hint asks for, and
it brings fixtures of an older release to R4.
"""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient

__all__ = ["ENTERED", "of_this_release", "put_patient"]

_PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "entered-patient",
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": "ENTERED-IDENTIFIER"}],
    "name": [{"use": "official", "family": "ENTERED-FAMILY", "given": ["ENTERED-GIVEN"]}],
    "gender": "female",
    "birthDate": "1970-01-02",
}

ENTERED = {
    "[Resource Id]": "entered-patient",
    "[Version Id]": "1",
    "[Identifier]": "ENTERED-IDENTIFIER",
    "[Family Name]": "ENTERED-FAMILY",
    "[Given Name]": "ENTERED-GIVEN",
}
"""Hint of a variable -> what the tester enters."""


def put_patient(client: FlaskClient) -> None:
    """Store the tester's patient: created, then changed once."""
    for active in (True, False):
        body = _PATIENT | {"active": active}
        client.put(f"/fhir/Patient/{_PATIENT['id']}", json=body)


def of_this_release(data: bytes) -> bytes:
    """A JSON fixture of DSTU2 as R4 writes it: a family name is one text and no list."""
    try:
        return json.dumps(_mended(json.loads(data)), ensure_ascii=False).encode()
    except ValueError:
        return data


def _mended(node: Any) -> Any:
    if isinstance(node, list):
        return [_mended(item) for item in node]
    if not isinstance(node, dict):
        return node
    mended = {key: _mended(value) for key, value in node.items()}
    if isinstance(mended.get("family"), list):
        mended["family"] = " ".join(part for part in mended["family"] if part)
    if isinstance(mended.get("_family"), list):
        mended["_family"] = next((part for part in mended["_family"] if part), {})
    return mended
