"""The routes of the pages.

Every answer carries a Content-Security-Policy without scripts, is not kept by caches, and may
not be framed.  A page that does not exist and one that may not be seen look alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from flask import Blueprint, Response, g, request
from flask import Request as HttpRequest
from flask.sansio.blueprints import BlueprintSetupState
from jinja2 import Environment
from markupsafe import Markup

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.console.pages.overview import OverviewPages, ReadConditions
from fhir_bridge.console.pages.page import MAX_ID, message
from fhir_bridge.console.pages.quarantine import QuarantinePages
from fhir_bridge.console.pages.residents import ResidentPages
from fhir_bridge.console.pages.resources import ResourcePages
from fhir_bridge.console.services import Services
from fhir_bridge.console.text.identifier_names import IdentifierNames
from fhir_bridge.console.text.issue_text import in_language
from fhir_bridge.console.text.language import LANGUAGES, choose, words
from fhir_bridge.errors import BridgeError

__all__ = ["create_console", "page_language"]

_LANGUAGE_COOKIE = "fhir_bridge_language"
_MAX_WIDTH = 4_000
"""Characters of one value on a page; the whole of it is in the resource."""
_ENTRY = f"<int(max={MAX_ID}):entry_id>"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

View = Callable[..., Any]


def create_console(
    services: Services, *, artifacts: Artifacts | None = None, told: ReadConditions | None = None
) -> Blueprint:
    """The blueprint: ``/`` and everything under ``/console``.

    `told` says what is wrong now with each feed that receives by itself, and with all ("").
    """
    console = Blueprint(
        "console",
        "fhir_bridge.console",
        template_folder="templates",
        static_folder="static",
        static_url_path="/console/static",
    )
    places = artifacts or Artifacts()
    names = IdentifierNames.from_artifacts(places)
    overview = OverviewPages(services, places, names, told or dict)
    residents, resources = ResidentPages(services, names), ResourcePages(services)
    quarantine = QuarantinePages(services)
    for path, name, view in (
        ("/", "overview", overview.overview),
        ("/console/residents", "residents", residents.residents),
        ("/console/residents/<resident_id>", "record", residents.record),
        ("/console/resources/<resource_type>", "resources", resources.resources),
        ("/console/resources/<resource_type>/<resource_id>", "resource", resources.resource),
        ("/console/quarantine", "quarantine", quarantine.quarantine),
        (f"/console/quarantine/{_ENTRY}", "entry", quarantine.entry),
        ("/console/unread", "unread", overview.unread),
    ):
        console.add_url_rule(path, name, _guarded(view), methods=["GET"])
    console.add_url_rule(
        f"/console/quarantine/{_ENTRY}/replay",
        "replay",
        _guarded(quarantine.replay),
        methods=["POST"],
    )
    console.record_once(_compile_templates)
    console.before_request(partial(_prepare, services))
    console.after_request(_seal)
    return console


def _compile_templates(state: BlueprintSetupState) -> None:
    """Before the first reader comes: compiling the first page costs more than showing it."""
    environment: Environment = getattr(state.app, "jinja_env")  # noqa: B009 - of Flask, not of its base
    environment.finalize = _of_bounded_width
    for name in ("base.html", "parts.html", "overview.html"):
        environment.get_template(name)


def _of_bounded_width(value: Any) -> Any:
    """Any text of the record as a page prints it: what is too long to be read is cut."""
    if isinstance(value, str) and len(value) > _MAX_WIDTH and not isinstance(value, Markup):
        return f"{value[:_MAX_WIDTH]}…"
    return value


def _guarded(view: View) -> View:
    """A refusal and a missing record become the same page; other trouble keeps its sentence."""

    @wraps(view)
    def guarded(**places: Any) -> Any:
        try:
            return view(**places)
        except BridgeError as error:
            refused = error.entry.http_status in {401, 403, 404, 410}
            sentence = (
                g.words("not_found")
                if refused
                else in_language(error.issues[0], g.words.language).sentence
            )
            return message(sentence, 404 if refused else error.entry.http_status)

    return guarded


def _prepare(services: Services) -> None:
    """What every page needs: its words and links to itself."""
    g.words = words(page_language(request, services.settings.language))


def page_language(asked: HttpRequest, default: str) -> str:
    """The language of a page: as its address, the cookie or the browser wants it."""
    return choose(
        asked.args.get("lang"),
        asked.cookies.get(_LANGUAGE_COOKIE),
        asked.headers.get("Accept-Language", ""),
        default,
    )


def _seal(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "console.static":
        response.headers["Cache-Control"] = "no-store"
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(
            _LANGUAGE_COOKIE,
            request.args["lang"],
            max_age=365 * 86_400,
            httponly=True,
            samesite="Lax",
        )
    return response
