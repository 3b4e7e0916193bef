"""Real messages and documents through the shipped feeds and maps."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.ingest import Validation, convert, load_feeds
from fhir_bridge.transform import Library
from fhir_bridge.validation import Validator
from tests.mappings_cases.test_codes import misplaced

FEEDS = load_feeds(Artifacts())


@pytest.fixture(scope="module")
def library() -> Library:
    """The shipped maps."""
    return Library.from_artifacts(Artifacts())


@pytest.mark.parametrize(
    ("folder", "most_refused", "refusals"),
    [
        ("cn/hl7v2", 0, set()),
        ("cn/cda-wst500", 4, {"FB-1010"}),
        ("intl/santempi-hl7v2", 60, {"FB-6003"}),
        ("intl/ms-fhir-converter-hl7v2", 10, {"FB-6003"}),
    ],
)
def test_every_sample_gives_a_bundle_or_a_coded_error(
    shared: Path, library: Library, folder: str, most_refused: int, refusals: set[str]
) -> None:
    """Never a traceback; what gives no Bundle says why by a known code; codes are in their systems."""
    validation = Validation(Validator(definitions(), Profiles.from_artifacts(Artifacts())))
    files = [
        path
        for path in sorted((shared / "samples" / folder).iterdir())
        if path.suffix in {".hl7", ".txt", ".xml"}
    ]
    made, codes, strays = 0, set(), set()
    for path in files:
        converted = convert(path.read_bytes(), feeds=FEEDS, library=library, validation=validation)
        if converted.bundle is None:
            errors = [each for each in converted.issues if each.severity == "error"]
            codes.add(errors[0].code)
        else:
            made += 1
            strays |= set(misplaced(converted.bundle, path.name))

    assert codes <= refusals
    assert set() == strays
    assert 0 < len(files) - made <= most_refused or made == len(files) > 0
