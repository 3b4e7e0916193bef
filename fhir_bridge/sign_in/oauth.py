"""What apps send and get: tokens, keys, what the server says of itself, launches.

Everything here is for programs; the pages for people are in `entering`, `deciding` and `apps`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from flask import Request as HttpRequest
from flask import Response, request

from fhir_bridge.errors import BridgeError
from fhir_bridge.sign_in.services import SignInServices
from fhir_bridge.smart import (
    Answer,
    Launch,
    OAuthRequest,
    openid_configuration,
    smart_configuration,
)

__all__ = ["OAuth", "answered", "oauth_request"]

_MAX_FORM_BYTES = 65_536
_FORM = "application/x-www-form-urlencoded"


class OAuth:
    """The endpoints of apps."""

    def __init__(self, services: SignInServices) -> None:
        self._services, self._smart = services, services.smart

    def token(self) -> Response:
        """``POST /auth/token``."""
        return self._for_pages(answered(self._smart.server.token(oauth_request(request))))

    def introspect(self) -> Response:
        """``POST /auth/introspect``."""
        return answered(self._smart.server.introspect(oauth_request(request)))

    def revoke(self) -> Response:
        """``POST /auth/revoke``."""
        return self._for_pages(answered(self._smart.server.revoke(oauth_request(request))))

    def userinfo(self) -> Response:
        """``/auth/userinfo`` (OpenID Connect)."""
        if request.method == "OPTIONS":
            return self._for_pages(Response(status=204))
        try:
            caller = self._services.gate.bearer(request)
        except BridgeError as error:
            return self._for_pages(_refused(error))
        scopes = str(caller.scopes or "")
        if not caller.account or "openid" not in scopes.split():
            challenge = 'Bearer error="insufficient_scope"'
            return self._for_pages(Response(status=403, headers={"WWW-Authenticate": challenge}))
        said = {"sub": caller.account}
        said |= self._smart.identity_tokens.person(caller.account, scopes)
        return self._for_pages(_json(said, [("Cache-Control", "no-store")]))

    def jwks(self) -> Response:
        """``GET /auth/jwks``."""
        return _for_all(_json(self._smart.keys.jwks(), [("Cache-Control", "max-age=300")]))

    def smart_configuration(self) -> Response:
        """``GET [base]/.well-known/smart-configuration``: JSON whatever is accepted."""
        return _for_all(_json(smart_configuration(self._smart.addresses)))

    def openid_configuration(self) -> Response:
        """``GET [base]/.well-known/openid-configuration``, also the metadata of RFC 8414."""
        return _for_all(_json(openid_configuration(self._smart.addresses)))

    def launch(self) -> Response:
        """``POST /auth/launch``: a signed-in app makes a handle by which another one is launched."""
        try:
            caller = self._services.gate.bearer(request)
        except BridgeError as error:
            return _refused(error)
        maker = self._smart.apps.get(caller.client)
        wanted = request.get_json(silent=True, cache=False)
        if maker is None or not maker.launches or not caller.account:
            return _json({"error": "unauthorized_client"}, status=403)
        if not isinstance(wanted, dict):
            return _json({"error": "invalid_request"}, status=400)
        texts = [wanted.get(name, "") for name in ("client_id", "patient", "encounter")]
        app = (
            self._smart.apps.get(texts[0]) if all(isinstance(each, str) for each in texts) else None
        )
        if app is None or not self._may_see(caller, texts[1], texts[2]):
            return _json({"error": "invalid_request"}, status=400)
        handle = self._smart.launches.make(Launch(texts[0], caller.account, texts[1], texts[2]))
        said = {"launch": handle, "iss": self._smart.addresses.base, "launch_uri": app.launch_uri}
        return _json(said, [("Cache-Control", "no-store")])

    def _may_see(self, caller: Any, patient: str, encounter: str) -> bool:
        access = self._services.access_of(caller)
        read = self._services.store.read
        wanted = [("Patient", patient), ("Encounter", encounter)]
        found = [read(name, each, access) for name, each in wanted if each]
        return all(stored is not None and not stored.deleted for stored in found)

    def _for_pages(self, response: Response) -> Response:
        """Pages of registered apps, and of nobody else, may read the answer."""
        origin = request.headers.get("Origin", "")
        response.headers.add("Vary", "Origin")
        if origin and self._services.gate.is_app_origin(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, POST"
                response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
                response.headers["Access-Control-Max-Age"] = "600"
        return response

    def preflight(self) -> Response:
        """``OPTIONS`` of an endpoint that pages of apps use."""
        return self._for_pages(Response(status=204))


def oauth_request(sent: HttpRequest, *, form: bool = True) -> OAuthRequest:
    """A request as a value, each parameter as often as it was sent."""
    pairs: list[tuple[str, str]] = []
    if form and sent.method == "POST" and (sent.mimetype == _FORM):
        if (sent.content_length or 0) > _MAX_FORM_BYTES:
            raise BridgeError("FB-1003", limit=_MAX_FORM_BYTES)
        body = sent.get_data(cache=True)[: _MAX_FORM_BYTES + 1]
        pairs = _pairs(body.decode("utf-8", "replace"))
    header = sent.environ.get("HTTP_AUTHORIZATION")
    return OAuthRequest(
        method="GET" if not form else sent.method,
        query=tuple(_pairs(sent.query_string.decode("utf-8", "replace"))),
        form=tuple(pairs),
        headers={"Authorization": header} if header else {},
        address=sent.remote_addr or "",
    )


def answered(answer: Answer) -> Response:
    """The HTTP response of an answer."""
    body = "" if answer.body is None else json.dumps(answer.body)
    headers = [pair for pair in answer.headers if pair[0] != "Content-Type"]
    if answer.body is None:
        headers.append(("Referrer-Policy", "no-referrer"))
        return Response(body, answer.status, headers, content_type="text/plain; charset=utf-8")
    return Response(body, answer.status, headers, content_type="application/json")


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise BridgeError("FB-1003", limit=_MAX_FORM_BYTES) from None


def _json(value: Any, headers: Iterable[tuple[str, str]] = (), *, status: int = 200) -> Response:
    return Response(json.dumps(value), status, list(headers), content_type="application/json")


def _refused(error: BridgeError) -> Response:
    is_known = error.code == "FB-4202"
    challenge = "Bearer" if is_known else 'Bearer error="invalid_token"'
    return Response(status=401, headers={"WWW-Authenticate": challenge})


def _for_all(response: Response) -> Response:
    """What is public may be read by pages of any origin; no credentials are involved."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
