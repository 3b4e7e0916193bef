"""XML Patch: selectors stay within RFC 5261."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.patch.xml_patch import apply_xml_patch

PATIENT = {"resourceType": "Patient", "id": "1", "gender": "male"}


def test_an_attribute_is_replaced() -> None:
    """The usual form of a change in FHIR XML."""
    patch = b'<diff><replace sel="f:Patient/f:gender/@value">female</replace></diff>'
    assert {**PATIENT, "gender": "female"} == apply_xml_patch(PATIENT, patch)


@pytest.mark.parametrize(
    "selector",
    [
        "//f:gender",
        "f:Patient[contains(.,'x')]",
        "document('x')",
        "f:Patient/f:gender | f:Patient",
        "x:Patient",
        "",
    ],
)
def test_other_xpath_is_refused(selector: str) -> None:
    """Only the small grammar of the RFC reaches the XPath evaluator."""
    with pytest.raises(BridgeError) as raised:
        apply_xml_patch(PATIENT, f'<diff><remove sel="{selector}"/></diff>'.encode())
    assert raised.value.code == "FB-4020"
