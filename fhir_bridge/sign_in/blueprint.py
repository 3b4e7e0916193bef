"""The routes of sign-in and of the authorization server."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, g, request

from fhir_bridge.errors import BridgeError
from fhir_bridge.sign_in.deciding import DecidingPages
from fhir_bridge.sign_in.entering import EnteringPages
from fhir_bridge.sign_in.my_apps import MyAppsPages
from fhir_bridge.sign_in.oauth import OAuth
from fhir_bridge.sign_in.page import Pages, texts
from fhir_bridge.sign_in.registering import RegisteringPages
from fhir_bridge.sign_in.services import SignInServices

__all__ = ["create_sign_in"]

_GET, _POST, _BOTH = ("GET",), ("POST",), ("GET", "POST")
View = Callable[[], Response]


def create_sign_in(services: SignInServices) -> Blueprint:
    """``/sign-in…``, ``/auth/…`` and the well-known addresses."""
    sign_in = Blueprint(
        "sign_in",
        "fhir_bridge.sign_in",
        template_folder="templates",
        static_folder="static",
        static_url_path="/sign-in/static",
    )
    entering, deciding = EnteringPages(services), DecidingPages(services)
    apps, oauth = MyAppsPages(services), OAuth(services)
    registering = RegisteringPages(services)
    pages: tuple[tuple[str, View, tuple[str, ...]], ...] = (
        ("/sign-in", entering.sign_in, _BOTH),
        ("/sign-in/code", entering.second, _BOTH),
        ("/sign-in/out", entering.sign_out, _POST),
        ("/sign-in/set-up", entering.set_up, _BOTH),
        ("/sign-in/account", entering.account, _GET),
        ("/sign-in/password", entering.password, _BOTH),
        ("/sign-in/second-factor", entering.second_factor, _BOTH),
        ("/sign-in/bind", entering.bind, _BOTH),
        ("/sign-in/apps", apps.my_apps, _GET),
        ("/sign-in/apps/take-back", apps.take_back, _POST),
        ("/sign-in/registered", registering.registered, _GET),
        ("/sign-in/registered/add", registering.register, _POST),
        ("/sign-in/registered/end", registering.end, _POST),
        ("/auth/authorize", deciding.authorize, _BOTH),
        ("/auth/decide", deciding.decide, _POST),
    )
    common = Pages(services)
    for path, view, methods in pages:
        sign_in.add_url_rule(
            path, path[1:].replace("/", "_"), _guarded(common, view), methods=methods
        )
    for path, view, methods in (
        ("/auth/token", oauth.token, _POST),
        ("/auth/introspect", oauth.introspect, _POST),
        ("/auth/revoke", oauth.revoke, _POST),
        ("/auth/userinfo", oauth.userinfo, _BOTH),
        ("/auth/launch", oauth.launch, _POST),
        ("/auth/jwks", oauth.jwks, _GET),
        ("/fhir/.well-known/smart-configuration", oauth.smart_configuration, _GET),
        ("/fhir/.well-known/openid-configuration", oauth.openid_configuration, _GET),
        ("/.well-known/oauth-authorization-server/fhir", oauth.openid_configuration, _GET),
    ):
        name = path[1:].replace("/", "_").replace(".", "_")
        sign_in.add_url_rule(path, name, view, methods=methods, provide_automatic_options=False)
    for path in ("/auth/token", "/auth/revoke", "/auth/userinfo"):
        name = f"preflight_{path.rpartition('/')[2]}"
        sign_in.add_url_rule(path, name, oauth.preflight, methods=("OPTIONS",))

    def prepare() -> None:
        g.words = texts(services.language(request))

    sign_in.before_request(prepare)
    sign_in.after_request(_seal)
    return sign_in


def _guarded(common: Pages, view: View) -> View:
    @wraps(view)
    def guarded(**_: Any) -> Response:
        try:
            return view()
        except BridgeError as error:
            key = "form_refused" if error.code == "FB-4203" else "went_wrong"
            return common.message(key, status=error.entry.http_status, code=error.code)

    return guarded


def _seal(response: Response) -> Response:
    """Nothing of these pages is kept, framed, or told to where a link leads."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    if request.endpoint != "sign_in.static" and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return response
