"""The URL grammar."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions import Route, route

TYPES = {"Patient", "Observation"}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "", Route("search-system")),
        ("POST", "", Route("batch")),
        ("GET", "Patient/7", Route("read", "Patient", "7")),
        ("HEAD", "Patient/7", Route("read", "Patient", "7")),
        ("GET", "Patient/7/_history/2", Route("vread", "Patient", "7", "2")),
        (
            "GET",
            "Patient/7/Observation",
            Route("search-compartment", "Observation", "7", compartment="Patient"),
        ),
        (
            "POST",
            "Patient/7/Observation/_search",
            Route("search-compartment", "Observation", "7", compartment="Patient"),
        ),
        (
            "GET",
            "Patient/7/$everything",
            Route("operation", "Patient", "7", operation="$everything"),
        ),
        ("POST", "Patient/_search", Route("search-type", "Patient")),
        ("DELETE", "Patient", Route("delete-conditional", "Patient")),
    ],
)
def test_a_place_means_an_interaction(method: str, path: str, expected: Route) -> None:
    """Method and shape of the path decide."""
    assert expected == route(method, tuple(filter(None, path.split("/"))), TYPES)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "Nothing/7", "FB-4003"),
        ("GET", "patient", "FB-4003"),
        ("PUT", "", "FB-4004"),
        ("DELETE", "Patient/7/_history/2", "FB-4004"),
        ("GET", "Patient/7/Observation/3/4", "FB-4005"),
        ("GET", "Patient/7/Nothing", "FB-4003"),
    ],
)
def test_other_places_are_refused(method: str, path: str, code: str) -> None:
    """What FHIR does not know has its code."""
    with pytest.raises(BridgeError) as raised:
        route(method, tuple(filter(None, path.split("/"))), TYPES)
    assert code == raised.value.code
