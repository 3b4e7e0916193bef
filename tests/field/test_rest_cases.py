"""Requests of the field: what a client sets up in an empty record, asks, and must be answered.

Each file ``cases/field/*.json`` with ``steps`` holds ``setup`` and ``steps``: a request
(method, path, headers, body; ``{{base}}`` is the server) and what its answer must be: the
status, ids of the matches and of what is included, words that it contains and lacks.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_bridge.app import Services
from tests.field.record import opened


def _files() -> list[str]:
    folder = Path(os.environ.get("FHIR_BRIDGE_SHARED", "../shared")).resolve() / "cases" / "field"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name, text in texts.items() if '"steps"' in text)


@pytest.mark.parametrize("name", _files() or [""])
def test_requests_of_the_field_are_answered_as_they_must_be(
    name: str, product: Services, shared: Path, database: str
) -> None:
    """Every step of a file, on both databases; all that are wrong are told together."""
    if not name:
        pytest.skip(f"no cases at {shared / 'cases' / 'field'}")
    case = json.loads((shared / "cases" / "field" / name).read_text(encoding="utf-8"))
    with opened(product, database) as record:
        base = record.services.settings.fhir_base
        client = record.client
        for step in case.get("setup", ()):
            answer = _asked(client, step, base)
            assert answer.status_code < 300, f"setup {step['path']}: {answer.get_data(True)}"
        wrong = [each for step in case["steps"] for each in _wrong(client, step, base)]
    assert [] == wrong, "\n".join(["", case["title"], *wrong])


def _asked(client: FlaskClient, step: dict[str, Any], base: str) -> Any:
    body = step.get("body")
    if body is not None and not isinstance(body, str):
        body = json.dumps(body, ensure_ascii=False)
    headers = {"Content-Type": "application/fhir+json", **step.get("headers", {})}
    return client.open(
        f"/fhir/{step['path'].replace('{{base}}', base)}",
        method=step["method"],
        data=body.replace("{{base}}", base).encode() if body is not None else None,
        headers=headers,
    )


def _wrong(client: FlaskClient, step: dict[str, Any], base: str) -> list[str]:
    """What an answer should be and is not."""
    expected = step["expect"]
    answer = _asked(client, step, base)
    text = answer.get_data(as_text=True)
    wrong = []
    allowed = expected.get("status", answer.status_code)
    if answer.status_code not in (allowed if isinstance(allowed, list) else [allowed]):
        wrong.append(f"status {answer.status_code}, not {allowed}")
    for mode, key in (("match", "ids"), ("include", "include")):
        if key in expected:
            found = sorted(_ids(text, mode))
            if found != sorted(expected[key]):
                wrong.append(f"{key} {found}, not {sorted(expected[key])}")
    wrong += [f"lacks {one}" for one in expected.get("contains", ()) if one not in text]
    wrong += [f"contains {one}" for one in expected.get("lacks", ()) if one in text]
    return [f"{step['method']} {step['path']}: {each}\n    {text[:600]}" for each in wrong]


def _ids(text: str, mode: str) -> list[str]:
    """``Type/id`` of the entries of a searchset in this mode."""
    resources = [
        entry["resource"]
        for entry in json.loads(text).get("entry", ())
        if entry.get("search", {}).get("mode") == mode
    ]
    return [f"{one['resourceType']}/{one['id']}" for one in resources]
