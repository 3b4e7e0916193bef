"""Requests generated from the OpenAPI document: no answer is a server fault.

https://schemathesis.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.api.world import World, open_world

_EXAMPLES = 12
_SLOW_OK = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Any]]:
    """A server, and the operations of its own document."""
    folder = tmp_path_factory.mktemp("generated")
    world = open_world(f"sqlite:///{folder / 'record.sqlite3'}")
    application = world.client().application
    schema = schemathesis.openapi.from_wsgi("/fhir/openapi.json", application)
    yield world, schema
    world.store.close()


@pytest.mark.filterwarnings("ignore")
def test_no_generated_request_is_a_server_fault(generated: tuple[World, Any]) -> None:
    """A bounded number of examples for every operation of the document."""
    _, schema = generated
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        tried += 1

        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=_SLOW_OK,
        )
        @given(case=operation.as_strategy())
        def attempt(case: Any) -> None:
            answer = case.call()
            assert answer.status_code < 500, (case.method, case.formatted_path, answer.text[:500])

        attempt()
    assert tried > 30
