"""The HTTP edge of the record: FHIR R4 REST over Flask.

Read in this order: `application` (one request, top to bottom), `read_request` and
`write_response` with `media_types` (HTTP and values), `operate` (operations), `errors`
(everything that goes wrong), `cross_origin` (apps in a browser), `monitoring`
(health and counts; `board` carries it to other processes), `capabilities` and `openapi` (what is served, said), `server`
(sockets and threads), `workers` (several processes on one socket), `services` (what the
wiring must give).
"""

from fhir_bridge.api.application import create_app
from fhir_bridge.api.board import Board, Conditions, ReadConditions
from fhir_bridge.api.capabilities import capability_statement
from fhir_bridge.api.connections import Limits
from fhir_bridge.api.errors import reply_of
from fhir_bridge.api.measures import Measures
from fhir_bridge.api.openapi import openapi_document
from fhir_bridge.api.server import Server, bind, serve
from fhir_bridge.api.services import ApiSettings, Services
from fhir_bridge.api.workers import WorkerApp, Workers

__all__ = [
    "ApiSettings",
    "Board",
    "Conditions",
    "Limits",
    "Measures",
    "ReadConditions",
    "Server",
    "Services",
    "WorkerApp",
    "Workers",
    "bind",
    "capability_statement",
    "create_app",
    "openapi_document",
    "reply_of",
    "serve",
]
