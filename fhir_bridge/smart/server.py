"""The authorization server: Authlib's grants, made as strict as SMART asks.

https://docs.authlib.org/en/latest/, https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html.
Only here is Authlib imported, and this module only where somebody can sign in.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Payload,
    OAuth2Request,
    UnsupportedGrantTypeError,
)

from fhir_bridge import clock
from fhir_bridge.access import Scopes, read_scopes
from fhir_bridge.accounts import Accounts, Limit
from fhir_bridge.smart.app import App
from fhir_bridge.smart.apps import Apps
from fhir_bridge.smart.assertions import ASSERTION_TYPE, Assertions
from fhir_bridge.smart.endpoints import Introspection, Revocation
from fhir_bridge.smart.exchange import Answer, AuthorizationRequest, Decision, OAuthRequest, Refusal
from fhir_bridge.smart.flows import AuthorizationCode, ClientCredentials, Refresh, SmartRules
from fhir_bridge.smart.grants import ACCESS_SECONDS, SYSTEM_SECONDS, Grant, Grants
from fhir_bridge.smart.identity_token import IdentityTokens
from fhir_bridge.smart.jose import InvalidTokenError
from fhir_bridge.smart.launches import Launches
from fhir_bridge.smart.metadata import Addresses
from fhir_bridge.smart.token_check import TokenCheck

__all__ = ["Server"]

_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials"})
_FREE_TRIES = 10
_NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class Server(AuthorizationServer):  # type: ignore[misc] # Authlib has no types
    """One record's authorization server; shared by all threads."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        apps: Apps,
        grants: Grants,
        launches: Launches,
        accounts: Accounts,
        assertions: Assertions,
        identity_tokens: IdentityTokens,
        token_check: TokenCheck,
        resource_types: Collection[str],
    ) -> None:
        super().__init__()
        self.addresses, self.apps, self.grants, self.launches = addresses, apps, grants, launches
        self.accounts, self._assertions = accounts, assertions
        self.identity_tokens, self._resource_types = identity_tokens, resource_types
        self.token_check = token_check
        self.register_client_auth_method("private_key_jwt", self._by_assertion)
        rules = SmartRules()
        self.register_grant(AuthorizationCode, [rules, identity_tokens.extension])
        self.register_grant(Refresh, [identity_tokens.extension])
        self.register_grant(ClientCredentials)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)

    # -- authorization ----------------------------------------------------------------------

    def authorization_request(self, request: OAuthRequest) -> AuthorizationRequest | Answer:
        """What is asked for; or the answer that sends the browser back with an error.

        Raises Refusal as long as the app and its address are not known to belong together.
        """
        app = self._trusted_app(request)
        checked = _Request(request, self._at("authorize"))
        parameters = checked.payload.data
        redirect_uri = parameters.get("redirect_uri") or app.get_default_redirect_uri()
        error = _early_error(parameters)
        if error is not None:
            error.redirect_uri, error.state = redirect_uri, parameters.get("state")
            return self._sent_back(error)
        try:
            grant = self.get_consent_grant(request)
        except OAuth2Error as problem:
            if not problem.redirect_uri:
                raise Refusal(problem.description or problem.error) from None
            return self._sent_back(problem)
        return AuthorizationRequest(
            app=app,
            redirect_uri=grant.redirect_uri,
            scopes=self.scopes(grant.request.scope),
            launch=grant.launch,
            prompt=frozenset(parameters.get("prompt", "").split()),
            max_age=_seconds(parameters.get("max_age", "")),
            parameters=parameters,
        )

    def decide(self, request: OAuthRequest, decision: Decision | None) -> Answer:
        """The answer that sends the browser back: with a code, or (None) with access_denied.

        Raises Refusal.
        """
        checked = self.authorization_request(request)
        if isinstance(checked, Answer):
            return checked
        grant = self.get_consent_grant(request)
        launch = checked.launch
        if decision is not None and launch is not None and launch.account_id != decision.account_id:
            decision = None
        answer: Answer = self.create_authorization_response(grant.request, decision, grant)
        return answer

    def error(self, checked: AuthorizationRequest, code: str, description: str) -> Answer:
        """The answer that sends the browser back with an error of OpenID Connect."""
        problem = OAuth2Error(
            error=code,
            description=description,
            redirect_uri=checked.redirect_uri,
            state=checked.parameters.get("state"),
        )
        return self._sent_back(problem)

    def _sent_back(self, problem: Any) -> Answer:
        answer: Answer = self.handle_error_response(None, problem)
        return answer

    # -- tokens -----------------------------------------------------------------------------

    def token(self, request: OAuthRequest) -> Answer:
        """``/auth/token``."""
        return self._guarded(request, lambda: self.create_token_response(request))

    def introspect(self, request: OAuthRequest) -> Answer:
        """``/auth/introspect`` (RFC 7662)."""
        return self._guarded(
            request, lambda: self.create_endpoint_response("introspection", request)
        )

    def revoke(self, request: OAuthRequest) -> Answer:
        """``/auth/revoke`` (RFC 7009)."""
        return self._guarded(request, lambda: self.create_endpoint_response("revocation", request))

    def _guarded(self, request: OAuthRequest, answer: Any) -> Answer:
        """What every endpoint of apps asks first; wrong tries wait, by app and by address."""
        limits = _limits(request)
        try:
            _require_plain(request)
            if self.accounts.delays.waits(limits):
                raise InvalidClientError(status_code=401, description="Too many tries, wait.")
        except OAuth2Error as problem:
            return self._sent_back(problem)
        answered: Answer = answer()
        if (answered.body or {}).get("error") in {"invalid_client", "invalid_grant"}:
            self.accounts.delays.admit(limits)
        elif self.accounts.delays.has_tries(limits):
            self.accounts.delays.clear(limits)
        return answered

    # -- what Authlib asks for --------------------------------------------------------------

    def query_client(self, client_id: str) -> App | None:
        """The app that may act under an id."""
        return self.apps.get(client_id)

    def create_oauth2_request(self, request: OAuthRequest) -> OAuth2Request:
        """A request in Authlib's form."""
        return request if isinstance(request, OAuth2Request) else _Request(request, self._at(""))

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """An answer of Authlib's as a value; nothing of it is kept, and it says who sends it."""
        pairs = [(str(name), str(value)) for name, value in headers]
        pairs = [pair for pair in pairs if pair[0] not in {"Cache-Control", "Pragma"}]
        pairs = [
            (name, _with_issuer(value, self.addresses.issuer) if name == "Location" else value)
            for name, value in pairs
        ]
        shown = body if isinstance(body, Mapping) else None
        return Answer(303 if shown is None else status, shown, (*pairs, *_NO_STORE))

    def send_signal(self, name: str, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    def validate_requested_scope(self, scope: str | None) -> None:
        """Raises InvalidScopeError for what is no scope here, or would be given wider than it reads."""
        refused = self.scopes(scope or "").refused
        if any("/" in word for word in refused):
            raise InvalidScopeError("A scope cannot be given.")

    def generate_token(
        self, grant_type: str, *, scope: str | None = None, **_: Any
    ) -> dict[str, Any]:
        """A token answer, without what depends on the grant (see `save_token`)."""
        seconds = SYSTEM_SECONDS if grant_type == "client_credentials" else ACCESS_SECONDS
        return {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": scope or "",
        }

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Keep a token, with a refresh token where the grant lasts; tell the launch context."""
        if request.payload.grant_type == "client_credentials":
            grant = Grant(clock.fresh_id(), request.client.client_id, "", token["scope"])
            self.grants.begin_system(grant, access=token["access_token"])
            return
        spent = request.refresh_token
        grant = spent.grant if spent is not None else request.authorization_code.grant
        if grant.is_renewable:
            token["refresh_token"] = secrets.token_urlsafe(32)
        kept = self.grants.issue(
            grant,
            access=token["access_token"],
            refresh=token.get("refresh_token", ""),
            scopes=token["scope"],
            instead_of=spent.digest if spent is not None else b"",
        )
        if not kept:
            raise InvalidGrantError
        if grant.patient:
            token |= {"patient": grant.patient, "need_patient_banner": True}
        if grant.encounter:
            token["encounter"] = grant.encounter

    # -- helpers ----------------------------------------------------------------------------

    def scopes(self, text: str) -> Scopes:
        """Scopes as values."""
        return read_scopes(text, self._resource_types)

    def _at(self, name: str) -> str:
        return self.addresses.endpoint(name)

    def _trusted_app(self, request: OAuthRequest) -> App:
        """The app of an authorization request whose address to return to is its own."""
        pairs = (*request.query, *request.form)
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Refusal("A parameter is sent twice.")
        if not all(value.isascii() and value.isprintable() for _, value in pairs):
            raise Refusal("A parameter holds what cannot be sent back.")
        data = dict(pairs)
        app = self.apps.get(data.get("client_id", ""))
        if app is None:
            raise Refusal("The app is not registered here.")
        asked_for = data.get("redirect_uri", "")
        if not (app.check_redirect_uri(asked_for) if asked_for else app.get_default_redirect_uri()):
            raise Refusal("The address to return to is not one of the app's.")
        return app

    def _by_assertion(self, query_client: Any, request: OAuth2Request) -> App | None:
        form = request.form
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            return None
        try:
            app = self._assertions.app(form["client_assertion"], query_client)
        except InvalidTokenError:
            raise InvalidClientError(description="The assertion is not accepted.") from None
        if form.get("client_id", app.client_id) != app.client_id:
            raise InvalidClientError(description="The assertion is of another app.")
        return app


class _Payload(OAuth2Payload):  # type: ignore[misc] # Authlib has no types
    """Parameters by name; a name that stands twice was refused before."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self._data = dict(pairs)

    @property
    def data(self) -> dict[str, str]:
        """The parameters."""
        return self._data

    @property
    def datalist(self) -> dict[str, list[str]]:
        """The parameters, each as a list."""
        return {name: [value] for name, value in self._data.items()}


class _Request(OAuth2Request):  # type: ignore[misc] # Authlib has no types
    """A request in Authlib's form: a token is asked for by the form alone, never by the address."""

    def __init__(self, request: OAuthRequest, uri: str) -> None:
        super().__init__(request.method, uri, headers=dict(request.headers))
        self._form = dict(request.form)
        is_token = "grant_type" in self._form or "token" in self._form
        self.payload = _Payload(request.form if is_token else (*request.query, *request.form))

    @property
    def args(self) -> dict[str, str]:
        """The parameters."""
        data: dict[str, str] = self.payload.data
        return data

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the body."""
        return self._form


def _early_error(parameters: Mapping[str, str]) -> OAuth2Error | None:
    """What is wrong before Authlib looks: it answers some of these otherwise than the standards."""
    if "request" in parameters:
        return OAuth2Error(error="request_not_supported")
    if "request_uri" in parameters:
        return OAuth2Error(error="request_uri_not_supported")
    if not parameters.get("response_type"):
        return InvalidRequestError("response_type is missing.")
    if parameters["response_type"] != "code":
        return OAuth2Error(error="unsupported_response_type")
    if parameters.get("response_mode", "query") != "query":
        return InvalidRequestError("Only the response mode query is supported.")
    return None


def _require_plain(request: OAuthRequest) -> None:
    """Raises OAuth2Error for a request of an app that is ambiguous or carries secrets openly."""
    names = [name for name, _ in request.form]
    if len(set(names)) != len(names):
        raise InvalidRequestError("A parameter is sent twice.")
    if not all(value.isascii() and value.isprintable() for _, value in request.form):
        raise InvalidRequestError("A parameter holds what cannot be read.")
    if any(
        name in {"client_secret", "client_assertion", "code", "token"} for name, _ in request.query
    ):
        raise InvalidRequestError("Secrets do not travel in an address.")
    secret_names = ("client_secret", "client_assertion")
    proofs: list[str] = [name for name in secret_names if name in names]
    if "Authorization" in request.headers:
        proofs.append("Authorization")
    if len(proofs) > 1:
        raise InvalidRequestError("An app proves itself in one way only.")
    form = dict(request.form)
    if "token" not in form:
        if not form.get("grant_type"):
            raise InvalidRequestError("grant_type is missing.")
        if form["grant_type"] not in _GRANT_TYPES:
            raise UnsupportedGrantTypeError("unknown")


def _limits(request: OAuthRequest) -> list[Limit]:
    client_id = dict(request.form).get("client_id", "")[:100]
    limits = [Limit(f"address:token:{request.address}", 3 * _FREE_TRIES)]
    if client_id:
        limits.append(Limit(f"app:{client_id}:{request.address}", _FREE_TRIES))
    return limits


def _seconds(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _with_issuer(location: str, issuer: str) -> str:
    """The address with ``iss`` (RFC 9207)."""
    joint = "&" if urlsplit(location).query else "?"
    return f"{location}{joint}{urlencode({'iss': issuer})}"
