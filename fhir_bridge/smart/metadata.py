"""What the authorization server says of itself, from one source.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html,
https://openid.net/specs/openid-connect-discovery-1_0.html, https://www.rfc-editor.org/rfc/rfc8414
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Addresses", "openid_configuration", "security", "smart_configuration"]

_CAPABILITIES = (
    "launch-ehr", "launch-standalone", "authorize-post", "client-public",
    "client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect",
    "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient",
    "permission-offline", "permission-online", "permission-patient", "permission-user",
    "permission-v1", "permission-v2",
)  # fmt: skip
_SCOPES = (
    "openid",
    "fhirUser",
    "profile",
    "launch",
    "launch/patient",
    "offline_access",
    "online_access",
)
_LETTERS = ("rs", "cruds", "read", "write", "*")
_EXTENSION = "http://fhir-registry.smarthealthit.org/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is.  `base` is the FHIR service and the issuer; `root` where pages are."""

    base: str
    root: str

    @property
    def issuer(self) -> str:
        """Who issues tokens."""
        return self.base

    def endpoint(self, name: str) -> str:
        """The address of an endpoint: authorize, token, …"""
        return f"{self.root}/auth/{name}"


def smart_configuration(addresses: Addresses) -> dict[str, Any]:
    """``[base]/.well-known/smart-configuration``."""
    return {
        **_common(addresses),
        "management_endpoint": f"{addresses.root}/sign-in/apps",
        "capabilities": list(_CAPABILITIES),
    }


def openid_configuration(addresses: Addresses) -> dict[str, Any]:
    """``[issuer]/.well-known/openid-configuration``, also the RFC 8414 metadata."""
    return {
        **_common(addresses),
        "userinfo_endpoint": addresses.endpoint("userinfo"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES384"],
        "claims_supported": [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "amr",
            "at_hash",
            "fhirUser",
            "name",
        ],
        "prompt_values_supported": ["none", "login", "consent"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def security(addresses: Addresses, *, cross_origin: bool) -> dict[str, Any]:
    """``CapabilityStatement.rest.security``."""
    endpoints = {
        "authorize": "authorize",
        "token": "token",
        "introspect": "introspect",
        "revoke": "revoke",
    }
    parts = [
        {"url": name, "valueUri": addresses.endpoint(path)} for name, path in endpoints.items()
    ]
    parts.append({"url": "manage", "valueUri": f"{addresses.root}/sign-in/apps"})
    coding = {
        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
        "code": "SMART-on-FHIR",
        "display": "SMART-on-FHIR",
    }
    return {
        "extension": [{"url": f"{_EXTENSION}oauth-uris", "extension": parts}],
        "cors": cross_origin,
        "service": [{"coding": [coding], "text": "OAuth2 using SMART-on-FHIR profile"}],
    }


def _common(addresses: Addresses) -> dict[str, Any]:
    algorithms = ["RS384", "ES384"]
    by_level = [
        f"{level}/*.{letters}" for level in ("patient", "user", "system") for letters in _LETTERS
    ]
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    return {
        "issuer": addresses.issuer,
        "authorization_endpoint": addresses.endpoint("authorize"),
        "token_endpoint": addresses.endpoint("token"),
        "jwks_uri": addresses.endpoint("jwks"),
        "introspection_endpoint": addresses.endpoint("introspect"),
        "revocation_endpoint": addresses.endpoint("revoke"),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*methods, "none"],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": [*methods, "none"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": [*_SCOPES, *by_level],
    }
