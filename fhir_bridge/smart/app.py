"""A client application as it is registered.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#register-app-with-ehr

A *public* app has no secret, a *symmetric* one has one that it sends, an *asymmetric* one signs
with a key that never leaves it.  The methods with long names are what Authlib asks a client.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from fhir_bridge.access import read_scopes
from fhir_bridge.accounts import digest
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions

__all__ = ["App", "Kind", "is_loopback", "require_redirect_uri"]

Kind = Literal["public", "symmetric", "asymmetric"]
_METHODS: dict[Kind, frozenset[str]] = {
    "public": frozenset({"none"}),
    "symmetric": frozenset({"client_secret_basic", "client_secret_post"}),
    "asymmetric": frozenset({"private_key_jwt"}),
}
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


@dataclass(frozen=True, slots=True)
class App:
    """One registered application.

    `scopes` is the most it may be given.  `jwks` are its public keys, or `jwks_url` where they
    are.  `origins` are those of its pages in a browser.  `system` says that it may have tokens
    without a person, `introspects` that it may ask about tokens of others, `launches` that it may
    make launch handles for other apps.  `revoked` is empty or the instant it ended.
    """

    client_id: str
    name: str
    kind: Kind
    scopes: str
    redirect_uris: tuple[str, ...] = ()
    launch_uri: str = ""
    owner: str = ""
    jwks: Mapping[str, Any] | None = None
    jwks_url: str = ""
    id_token_algorithm: str = "RS256"  # noqa: S105 - a name
    system: bool = False
    introspects: bool = False
    launches: bool = False
    created: str = ""
    revoked: str = ""
    secret: bytes | None = field(default=None, repr=False)

    @property
    def origins(self) -> frozenset[str]:
        """The origins that its pages have in a browser: those of its redirect addresses."""
        parts = map(urlsplit, self.redirect_uris)
        return frozenset(f"{each.scheme}://{each.netloc}" for each in parts if each.netloc)

    def get_default_redirect_uri(self) -> str | None:
        """The one address, when there is exactly one."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is registered, character by character."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the secret, in time that does not tell how much of it."""
        return self.secret is not None and hmac.compare_digest(self.secret, digest(client_secret))

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Of what is asked for that which the app may have at most; None for nothing."""
        types = definitions().resource_types
        most, wanted = read_scopes(self.scopes, types), read_scopes(scope or self.scopes, types)
        resources = [
            each.text
            for each in wanted.resources
            if any(one.covers(each) for one in most.resources)
        ]
        return " ".join([*sorted(wanted.others & most.others), *resources]) or None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's signature
        """Whether the app may prove itself in this way."""
        return method in _METHODS[self.kind]

    def check_response_type(self, response_type: str) -> bool:
        """Only the authorization code flow, for apps that have a place to return to."""
        return response_type == "code" and bool(self.redirect_uris)

    def check_grant_type(self, grant_type: str) -> bool:
        """What the app may exchange for tokens."""
        if grant_type == "client_credentials":
            return self.system and self.kind == "asymmetric"
        return grant_type in {"authorization_code", "refresh_token"} and bool(self.redirect_uris)


def require_redirect_uri(address: str) -> None:
    """Raises BridgeError FB-7312 for an address that an answer must not be sent to.

    Allowed are https, http on this machine (RFC 8252 section 7.3) and private schemes with a dot
    (section 7.1); never a fragment, a pattern or a scheme that runs in a browser.
    """
    parts = urlsplit(address)
    reason = ""
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        reason = "a redirect address is printable ASCII without blanks"
    elif "#" in address or "*" in address or "@" in parts.netloc:
        reason = "a redirect address has no fragment, no pattern and no user"
    elif parts.scheme == "http" and not is_loopback(parts.hostname):
        reason = "http is for this machine only; use https"
    elif parts.scheme in {"http", "https"}:
        reason = "" if parts.hostname else "a redirect address names its host"
    elif not _PRIVATE_SCHEME.fullmatch(parts.scheme):
        reason = "a private scheme has a dot, as in com.example.app:/back"
    if reason:
        raise BridgeError("FB-7312", reason=f"{reason} ({address[:100]})")


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
