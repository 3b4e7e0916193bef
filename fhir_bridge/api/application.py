"""The Flask application: one door for every FHIR request, and what stands beside it.

https://hl7.org/fhir/R4/http.html

A request is read, answered and written in one function, `Edge.fhir`, top to bottom;
whatever goes wrong on the way is rendered by `errors`.
"""

from __future__ import annotations

import logging
import re
import time
from functools import cached_property
from typing import Any

from flask import Blueprint, Flask, Response
from flask import request as http
from werkzeug.exceptions import HTTPException

from fhir_bridge import clock, log
from fhir_bridge.api.capabilities import capability_statement
from fhir_bridge.api.errors import reply_of
from fhir_bridge.api.measures import Measures
from fhir_bridge.api.openapi import openapi_document
from fhir_bridge.api.operate import operate_with
from fhir_bridge.api.read_request import read_request
from fhir_bridge.api.services import Services
from fhir_bridge.api.write_response import DEFAULT, Wanted, wanted, write_response
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import render_json
from fhir_bridge.interactions import Context, Reply, Validation, perform_route, route
from fhir_bridge.search import Access

__all__ = ["Edge", "create_app", "fhir_blueprint"]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")
_SLOW_SECONDS = 1.0
_LONGEST_SECONDS = 120.0


def create_app(
    services: Services, *, validation: Validation = "full", measures: Measures | None = None
) -> Flask:
    """The application: the FHIR API below ``/fhir``, ``/health`` and ``/metrics``.

    `validation` says what a write refuses: "full" every error, "shape" only what cannot be
    read as FHIR.  `measures` is where it counts, when other processes count with it.
    """
    app = Flask("fhir_bridge.api", static_folder=None)
    # An address is what the client sent: no redirect may reshape it.
    app.url_map.merge_slashes = False
    edge = Edge(services, validation, measures)
    app.register_blueprint(fhir_blueprint(edge), url_prefix="/fhir")
    app.add_url_rule("/health", "health", edge.health)
    app.add_url_rule("/metrics", "metrics", edge.metrics)
    app.register_error_handler(HTTPException, _outside)
    return app


def fhir_blueprint(edge: Edge) -> Blueprint:
    """The FHIR API as a blueprint, to be registered at the path of its base URL."""
    blueprint = Blueprint("fhir", __name__)
    blueprint.add_url_rule("/openapi.json", "openapi", edge.openapi)
    for rule in ("", "/", "/<path:rest>"):
        blueprint.add_url_rule(rule, "fhir", edge.fhir, methods=_METHODS, strict_slashes=False)
    return blueprint


class Edge:
    """The services behind HTTP, with what is made of them once."""

    def __init__(
        self,
        services: Services,
        validation: Validation = "full",
        measures: Measures | None = None,
    ) -> None:
        self._services = services
        self._validation: Validation = validation
        self._operate = operate_with(services.library)
        self._measures = measures or Measures()

    def fhir(self, rest: str = "") -> Response:
        """Answer one FHIR request; never raises."""
        began = time.perf_counter()
        interaction, shape, settings = "unknown", DEFAULT, self._services.settings
        environ = http.environ
        try:
            access = self._services.access_for(http)
            request = read_request(http, rest, settings.max_request_bytes)
            shape = wanted(request, environ.get("HTTP_ACCEPT", ""))
            found = route(request.method, request.path, self._services.definitions.resource_types)
            interaction = found.interaction
            reply = perform_route(request, found, self._context(access))
        except Exception as error:
            reply = reply_of(error)
        response = self._written(reply, shape, environ)
        self._account(interaction, reply.status, time.perf_counter() - began)
        return response

    def openapi(self) -> Response:
        """The OpenAPI document of this server."""
        return Response(self._openapi, content_type="application/json")

    def health(self) -> Response:
        """200 when the record can be read; ``issues`` is what the operator should mend."""
        store = self._services.store
        try:
            store.read("Patient", "0", Access.nothing())
            found = store.index_issues()
        except Exception as error:
            reply_of(error)
            return Response('{"status":"failing"}', 503, content_type="application/json")
        issues = [{"code": each.code, "text": each.sentence, "hint": each.hint} for each in found]
        answer = {"status": "ok", **({"issues": issues} if issues else {})}
        return Response(render_json(answer), content_type="application/json")

    def metrics(self) -> Response:
        """Counts for Prometheus."""
        return Response(self._measures.render(), content_type="text/plain; version=0.0.4")

    def _context(self, access: Access) -> Context:
        services = self._services
        return Context(
            store=services.store,
            registry=services.registry,
            definitions=services.definitions,
            validator=services.validator,
            settings=services.settings,
            access=access,
            base_url=services.settings.fhir_base,
            operate=self._operate,
            render_error=reply_of,
            capabilities=self._capabilities,
            validation=self._validation,
            deadline=time.monotonic() + _LONGEST_SECONDS,
        )

    def _written(self, reply: Reply, shape: Wanted, environ: dict[str, Any]) -> Response:
        """The response; a body that cannot take the wanted form becomes an error in JSON."""
        base_url = self._services.settings.fhir_base
        packing = environ.get("HTTP_ACCEPT_ENCODING", "")
        asked = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else clock.fresh_id()
        try:
            return write_response(reply, shape, base_url, packing, request_id)
        except Exception as error:
            return write_response(reply_of(error), DEFAULT, base_url, packing, request_id)

    def _account(self, interaction: str, status: int, seconds: float) -> None:
        """Count the request; what is slow is logged without address or content."""
        self._measures.add(interaction, status, seconds)
        if seconds >= _SLOW_SECONDS:
            log.event(
                "slow",
                level=logging.WARNING,
                kind=interaction,
                method=http.method,
                status=status,
                duration_ms=round(seconds * 1000),
            )

    def _capabilities(self) -> bytes:
        return self._statement

    @cached_property
    def _statement(self) -> bytes:
        services = self._services
        return render_json(
            capability_statement(
                services.definitions,
                services.registry,
                services.settings.fhir_base,
                conditional_delete=services.settings.conditional_delete,
            )
        )

    @cached_property
    def _openapi(self) -> bytes:
        return render_json(
            openapi_document(self._services.definitions, self._services.settings.fhir_base)
        )


def _outside(error: HTTPException) -> Response:
    """What is outside of the FHIR base and not served; a redirect stays one."""
    if error.code is not None and error.code < 400:
        return Response(error.get_body(), error.code, error.get_headers())
    problem = BridgeError("FB-4005", place="this address")
    reply = reply_of(problem)
    return Response(reply.body, error.code or 404, content_type="application/fhir+json")
