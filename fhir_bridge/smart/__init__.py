"""SMART App Launch 2.2: how apps are let at the record.

https://hl7.org/fhir/smart-app-launch/STU2.2/.  Read in this order: `app` and `apps` (who is
registered), `grants` (what a person let an app do, with its codes and tokens), `token_check` (who
holds a token), `jose` and `assertions` (apps that sign), `exchange`, `flows`, `endpoints` and
`server` (the authorization server, on Authlib), `keys` and `identity_token`, `launches`,
`metadata`, `smart` (all of it).  What an app may ask for is read in `fhir_bridge.access`.
"""

from fhir_bridge.smart.app import App, Kind
from fhir_bridge.smart.apps import Apps
from fhir_bridge.smart.exchange import (
    Answer,
    AuthorizationRequest,
    Decision,
    OAuthRequest,
    Refusal,
)
from fhir_bridge.smart.grants import Grant
from fhir_bridge.smart.launches import Launch
from fhir_bridge.smart.metadata import (
    Addresses,
    openid_configuration,
    security,
    smart_configuration,
)
from fhir_bridge.smart.smart import Smart

__all__ = [
    "Addresses",
    "Answer",
    "App",
    "Apps",
    "AuthorizationRequest",
    "Decision",
    "Grant",
    "Kind",
    "Launch",
    "OAuthRequest",
    "Refusal",
    "Smart",
    "openid_configuration",
    "security",
    "smart_configuration",
]
