"""Health for everybody, counts for whom the settings allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_bridge.app import Services, web_application

STRANGER = {"environ_base": {"REMOTE_ADDR": "10.0.0.7"}}
PROXY = {"headers": {"X-Forwarded-For": "10.0.0.7"}}
HERE = "http://127.0.0.1:8080"


@pytest.fixture
def client(services: Services) -> FlaskClient:
    """A client of the whole site."""
    return web_application(services).test_client()


@pytest.mark.parametrize("peer", [{}, STRANGER, PROXY], ids=["here", "elsewhere", "proxy"])
def test_health_tells_everybody_one_word(client: FlaskClient, peer: dict[str, Any]) -> None:
    """A balancer may ask from anywhere; it learns that the record can be read."""
    answer = client.get("/health", base_url=HERE, **peer)
    assert (200, {"status": "ok"}) == (answer.status_code, answer.json)


@pytest.mark.parametrize("peer", [STRANGER, PROXY], ids=["elsewhere", "proxy"])
@pytest.mark.parametrize("path", ["/metrics", "/fhir/openapi.json", "/fhir/metadata"])
def test_nothing_else_is_told_to_others(
    client: FlaskClient, path: str, peer: dict[str, Any]
) -> None:
    """Counts and descriptions are for this machine, as long as access is local."""
    assert client.get(path, base_url=HERE, **peer).status_code in (401, 404)
    assert 200 == client.get(path, base_url=HERE).status_code


def test_counts_can_be_opened(services: Services) -> None:
    """With metrics = open a collector elsewhere may read them, and nothing but them."""
    opened = replace(services, settings=replace(services.settings, metrics="open"))
    client = web_application(opened).test_client()
    answer = client.get("/metrics", base_url=HERE, **STRANGER)
    assert (200, "text/plain; version=0.0.4") == (answer.status_code, answer.content_type)
    assert 401 == client.get("/fhir/Patient", base_url=HERE, **STRANGER).status_code
