"""The Flask application: one door for every FHIR request, and what is beside it.

https://hl7.org/fhir/R4/http.html

A request is read, answered and written in one function, `Edge.fhir`, top to bottom;
whatever goes wrong on the way is rendered by `errors`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from flask import Blueprint, Flask, Response
from flask import request as http
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from fhir_bridge import clock
from fhir_bridge.access import Access
from fhir_bridge.api.audited import Audited, Auditing
from fhir_bridge.api.board import ReadConditions
from fhir_bridge.api.capabilities import capability_statement
from fhir_bridge.api.cross_origin import CrossOrigin
from fhir_bridge.api.errors import reply_of
from fhir_bridge.api.measures import Measures
from fhir_bridge.api.monitoring import Chinese, Monitor
from fhir_bridge.api.openapi import openapi_document
from fhir_bridge.api.operate import operate_with
from fhir_bridge.api.read_request import read_request, segments
from fhir_bridge.api.services import Services
from fhir_bridge.api.write_response import DEFAULT, Wanted, rendered, wanted, write_response
from fhir_bridge.budget import bounded
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import render_json
from fhir_bridge.interactions import (
    Context,
    Reply,
    Validation,
    allowed_methods,
    perform_route,
    route,
)
from fhir_bridge.lane import Lane, Turn

__all__ = ["Edge", "create_app", "fhir_blueprint"]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_GIVEN_ID = "fhir_bridge.request_id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")


def create_app(
    services: Services,
    *,
    validation: Validation = "full",
    measures: Measures | None = None,
    told: ReadConditions | None = None,
    chinese: Chinese | None = None,
    security: Mapping[str, Any] | None = None,
    is_app_origin: Callable[[str], bool] | None = None,
) -> Flask:
    """The application: the FHIR API below ``/fhir``, ``/health`` and ``/metrics``.

    `validation` says what a write refuses: "full" every error, "shape" only what cannot be
    read as FHIR.  `measures` is where it counts, when other processes count with it; `told` says
    how the feeds are, and `chinese` words an issue in Chinese, both for ``/health``.  `security`
    is what the CapabilityStatement says of tokens; `is_app_origin` knows the pages of apps.
    """
    app = Flask("fhir_bridge.api", static_folder=None)
    # An address is what the client sent: no redirect may reshape it.
    app.url_map.merge_slashes = False
    monitor = Monitor(services, measures, told, chinese)
    edge = Edge(services, validation, monitor, security, is_app_origin)
    app.register_blueprint(fhir_blueprint(edge), url_prefix="/fhir")
    app.add_url_rule("/health", "health", edge.monitor.health)
    app.add_url_rule("/metrics", "metrics", edge.monitor.metrics)
    app.register_error_handler(HTTPException, edge.outside)
    app.register_error_handler(Exception, edge.fault)
    return app


def fhir_blueprint(edge: Edge) -> Blueprint:
    """The FHIR API as a blueprint, to be registered at the path of its base URL."""
    blueprint = Blueprint("fhir", __name__)
    blueprint.add_url_rule("/openapi.json", "openapi", edge.openapi)
    blueprint.after_request(edge.tell_readers)
    for rule in ("", "/", "/<path:rest>"):
        blueprint.add_url_rule(rule, "fhir", edge.fhir, methods=_METHODS, strict_slashes=False)
    return blueprint


class Edge:
    """The services behind HTTP, with what is made of them once."""

    def __init__(
        self,
        services: Services,
        validation: Validation = "full",
        monitor: Monitor | None = None,
        security: Mapping[str, Any] | None = None,
        is_app_origin: Callable[[str], bool] | None = None,
    ) -> None:
        self._services, self._security = services, security
        self._validation: Validation = validation
        self._operate = operate_with(services.library)
        self.monitor = monitor or Monitor(services, None)
        self._stated: dict[tuple[bool, bool], bytes] = {}
        self._cross_origin = CrossOrigin(services.settings.cors_origins, is_app_origin)
        access_log, base_url = services.access_log, services.settings.fhir_base
        self._auditing: Auditing | None = None
        if access_log is not None:
            self._auditing = Auditing(access_log, services.store, base_url)
        self._lane = Lane(services.settings.long_evaluations)

    def fhir(self, rest: str = "") -> Response:
        """Answer one FHIR request; never raises."""
        if http.method == "OPTIONS":
            return self._options(rest)
        began = time.perf_counter()
        interaction, shape, settings = "unknown", DEFAULT, self._services.settings
        environ = http.environ
        request, found, audited = None, None, None
        try:
            audited = self._audited()
            access = self._services.access_for(http)
            if http.method in _CHANGING and not rest.endswith("_search"):
                self._cross_origin.require_own(environ, settings.fhir_base)
            request = read_request(http, rest, settings.max_request_bytes)
            shape = wanted(request, environ.get("HTTP_ACCEPT", ""))
            found = route(request.method, request.path, self._services.definitions.resource_types)
            interaction = found.interaction
            deadline = time.monotonic() + settings.max_request_seconds
            with bounded(settings.bounds(deadline, Turn(self._lane))):
                reply = perform_route(request, found, self._context(access, deadline, audited))
        except Exception as error:
            reply = reply_of(error)
        if audited is not None:
            reply = audited.logged(environ, request, found, reply)
        response = self._written(reply, shape, environ)
        self.monitor.account(interaction, reply.status, time.perf_counter() - began)
        return response

    def _options(self, rest: str) -> Response:
        """The methods of a place, for whoever asks; for a browser also who may send them."""
        methods = ", ".join(allowed_methods(segments(rest)))
        headers = self._cross_origin.preflight(http.environ, methods)
        response = Response(b"", 204, [*headers, ("Allow", methods)])
        del response.headers["Content-Type"]
        return response

    def tell_readers(self, response: Response) -> Response:
        """Adds to an answer which pages of other origins may read it."""
        if self._security is not None and http.path.rstrip("/") == "/fhir/metadata":
            response.headers["Access-Control-Allow-Origin"] = "*"
        elif http.method != "OPTIONS":
            for name, value in self._cross_origin.headers(http.environ):
                response.headers.add(name, value)
        return response

    def openapi(self) -> Response:
        """The OpenAPI document of this server, for whom ``/metadata`` is for."""
        try:
            self._services.access_for(http)
        except BridgeError as error:
            return self._written(reply_of(error), DEFAULT, http.environ)
        return Response(self._openapi, content_type="application/json")

    def fault(self, error: Exception) -> Response:
        """Whatever else goes wrong; Flask itself would log the address, which may name a patient."""
        reply = reply_of(error)
        return Response(reply.body, reply.status, content_type=DEFAULT.format.content_type)

    def outside(self, error: HTTPException) -> Response:
        """What Flask itself refuses, as an OperationOutcome; a redirect stays one."""
        if error.code is not None and error.code < 400:
            return Response(error.get_body(), error.code, error.get_headers())
        problem = _nothing_here()
        if isinstance(error, MethodNotAllowed):
            place = http.path.removeprefix("/fhir").strip("/")
            listed = allowed_methods(segments(place)) if http.path.startswith("/fhir") else []
            allowed = ", ".join(listed or sorted(error.valid_methods or ()))
            problem = BridgeError(
                "FB-4004", method=http.method[:20], place=place[:200] or "/", allowed=allowed
            )
        return self._written(reply_of(problem), DEFAULT, http.environ)

    def _audited(self) -> Audited | None:
        """The audit of the request at hand; None where access is open."""
        if self._auditing is None:
            return None
        environ = http.environ
        try:
            caller = self._services.caller_for(http)
        except BridgeError:  # refused, as `access_for` says in its turn
            caller = None
        return self._auditing.of(caller, environ, _request_id(environ))

    def _context(self, access: Access, deadline: float, audited: Audited | None) -> Context:
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
            deadline=deadline,
            audit=audited.changes if audited is not None else None,
            labeller=services.labeller,
        )

    def _written(self, reply: Reply, shape: Wanted, environ: dict[str, Any]) -> Response:
        """The response; a body that cannot take the wanted form becomes an error in JSON."""
        base_url = self._services.settings.fhir_base
        packing = environ.get("HTTP_ACCEPT_ENCODING", "")
        request_id = _request_id(environ)
        try:
            formed = self._formed(reply, shape)
            return write_response(formed, shape, base_url, packing, request_id)
        except BridgeError as error:
            return write_response(reply_of(error), DEFAULT, base_url, packing, request_id)
        except Exception as error:
            return self.fault(error)

    def _formed(self, reply: Reply, shape: Wanted) -> Reply:
        """What is said of the server itself has each of its forms made once."""
        if not reply.body or reply.body is not self.__dict__.get("_statement"):
            return reply
        form = shape.format.is_xml, shape.pretty
        if form not in self._stated:
            self._stated[form] = rendered(reply.body, shape)
        return replace(reply, body=self._stated[form], media=shape.format.content_type)

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
                require_if_match=services.settings.require_if_match,
                cross_origin=bool(services.settings.cors_origins),
                security=self._security,
            )
        )

    @cached_property
    def _openapi(self) -> bytes:
        return render_json(
            openapi_document(self._services.definitions, self._services.settings.fhir_base)
        )


def _request_id(environ: dict[str, Any]) -> str:
    """The id that the client gave the request, or one of ours; the same for the whole request."""
    known = environ.get(_GIVEN_ID)
    if known is None:
        asked = environ.get("HTTP_X_REQUEST_ID", "")
        known = asked if _REQUEST_ID.fullmatch(asked) else clock.fresh_id()
        environ[_GIVEN_ID] = known
    return str(known)


def _nothing_here() -> BridgeError:
    return BridgeError("FB-4005", place="this address")
