"""SMART App Launch by the titles of the published Inferno test kits, as exchanges with a site."""

from __future__ import annotations

from functools import cache
from typing import Any

import requests

from tests.smart.cases import case
from tests.smart.cases_oauth import handle, introspected
from tests.smart.cases_openid import claims
from tests.smart.site import Browser, Launch, Site, proof, returned

SCOPES = "openid fhirUser launch/patient offline_access patient/*.rs"
_ORIGIN = {"Origin": "https://app.example"}


@cache
def _standalone(root: str) -> list[Any]:
    return []


def standalone(site: Site) -> tuple[Launch, dict[str, str], requests.Response]:
    """One standalone launch, used by many checks: the launch, what came back, the token answer."""
    kept = _standalone(site.root)
    if not kept:
        browser, launch = Browser(site), Launch(site, scope=SCOPES)
        launch.ask(browser)
        sent = returned(browser.sign_in("zhang") and browser.send(answer="allow"))
        kept += [launch, sent, launch.redeem(sent["code"])]
    return kept[0], kept[1], kept[2]


def well_known(site: Site) -> dict[str, Any]:
    """The SMART configuration."""
    answer = site.get(".well-known/smart-configuration", Accept="application/fhir+json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


@case("FHIR server makes SMART configuration available from well-known endpoint")
def configuration(site: Site) -> None:
    """JSON, without a token."""
    assert well_known(site)["token_endpoint"]


@case("Well-known configuration contains required fields")
def required_fields(site: Site) -> None:
    """With their types."""
    said = well_known(site)
    for name in ("authorization_endpoint", "token_endpoint", "issuer", "jwks_uri"):
        assert isinstance(said[name], str)
        assert said[name].startswith("http")
    for name in ("capabilities", "grant_types_supported", "code_challenge_methods_supported"):
        assert isinstance(said[name], list)
        assert said[name]
    assert "authorization_code" in said["grant_types_supported"]
    assert "S256" in said["code_challenge_methods_supported"]
    assert "plain" not in said["code_challenge_methods_supported"]


@case("Well-known configuration declares support for required capabilities")
def capabilities(site: Site) -> None:
    """Those of the certification."""
    wanted = {
        "launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric",
        "client-confidential-asymmetric", "sso-openid-connect", "context-standalone-patient",
        "permission-offline", "permission-patient", "permission-user", "permission-v1",
        "permission-v2", "authorize-post", "context-ehr-patient",
    }  # fmt: skip
    assert wanted <= set(well_known(site)["capabilities"])


@case(
    "SMART .well-known/smart-configuration Endpoint Enables Cross-Origin Resource Sharing (CORS)",
    "SMART metadata Endpoint Enables Cross-Origin Resource Sharing (CORS)",
)
def discovery_cors(site: Site) -> None:
    """Any page may learn where to go."""
    for place in (".well-known/smart-configuration", "metadata"):
        answer = site.get(place, **_ORIGIN)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", _ORIGIN["Origin"])


@case("SMART Token Endpoint Enables Cross-Origin Resource Sharing (CORS)")
def token_cors(site: Site) -> None:
    """Pages of registered apps, and of nobody else."""
    launch = Launch(site, scope=SCOPES)
    code = launch.code()
    form = {
        "grant_type": "authorization_code", "code": code, "code_verifier": launch.verifier,
        "redirect_uri": launch.parameters()["redirect_uri"],
        "client_id": launch.parameters()["client_id"],
    }  # fmt: skip
    answer = site.token(form, headers=_ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == _ORIGIN["Origin"]
    foreign = site.token(form, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers
    asked = {**_ORIGIN, "Access-Control-Request-Method": "POST"}
    preflight = requests.options(f"{site.root}/auth/token", headers=asked, timeout=120)
    assert preflight.headers["Access-Control-Allow-Origin"] == _ORIGIN["Origin"]


@case("SMART FHIR User REST API Endpoint Enables Cross-Origin Resource Sharing (CORS)")
def fhir_user_cors(site: Site) -> None:
    """The person's own resource can be read by the app's page."""
    said = standalone(site)[2].json()
    user = claims(site, said["id_token"])["fhirUser"].removeprefix(f"{site.base}/")
    answer = site.get(user, said["access_token"], **_ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == _ORIGIN["Origin"]


@case(
    "Conformance/CapabilityStatement provides OAuth 2.0 endpoints",
    "OAuth 2.0 Endpoints in the conformance statement match those from the well-known configuration",
)
def statement(site: Site) -> None:
    """The same addresses."""
    security = site.get("metadata").json()["rest"][0]["security"]
    (extension,) = security["extension"]
    said = {each["url"]: each["valueUri"] for each in extension["extension"]}
    found = well_known(site)
    assert said["authorize"] == found["authorization_endpoint"]
    assert said["token"] == found["token_endpoint"]


@case(
    "OAuth server redirects client browser to app redirect URI",
    "OAuth server sends code parameter",
)
def redirects_with_code(site: Site) -> None:
    """With code, state and issuer."""
    launch, sent, _ = standalone(site)
    assert sent["code"]
    assert sent["state"] == launch.state


@case(
    "OAuth token exchange request succeeds when supplied correct information",
    "Token exchange response body contains required information encoded in JSON",
    "Response includes correct HTTP Cache-Control and Pragma headers",
    "Patient-level access with OpenID Connect and Refresh Token scopes used.",
)
def token_answer(site: Site) -> None:
    """All fields, and nothing is kept by caches."""
    answer = standalone(site)[2]
    said = answer.json()
    assert answer.status_code == 200
    assert said["token_type"].lower() == "bearer"
    assert isinstance(said["expires_in"], int)
    assert said["access_token"]
    assert set(said["scope"].split()) == set(SCOPES.split())
    assert "no-store" in answer.headers["Cache-Control"]
    assert "no-cache" in answer.headers["Pragma"]


@case("Server rejects unauthorized access")
def unauthorized(site: Site) -> None:
    """401 without a token."""
    answer = site.get("Patient/p1")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@case("Patient from launch context can be retrieved", "Launch context contains need_patient_banner")
def launch_patient(site: Site) -> None:
    """The patient of the answer is there."""
    said = standalone(site)[2].json()
    assert said["need_patient_banner"] is True
    answer = site.get(f"Patient/{said['patient']}", said["access_token"])
    assert answer.json()["id"] == said["patient"]


@case(
    "OAuth token exchange response body contains encounter context and encounter resource can be retrieved"
)
def launch_encounter(site: Site) -> None:
    """An encounter that a portal launches with is in the answer, and can be read."""
    with site.services.store.transaction() as transaction:
        transaction.put(
            {
                "resourceType": "Encounter", "id": "e1", "status": "in-progress",
                "class": {"code": "AMB"}, "subject": {"reference": "Patient/p1"},
            }
        )  # fmt: skip
    said = ehr_launch(site, encounter="e1")
    assert said["encounter"] == "e1"
    assert site.get("Encounter/e1", said["access_token"]).status_code == 200


def ehr_launch(site: Site, **context: str) -> dict[str, Any]:
    """A launch from a portal by an operator; the token answer."""
    portal = Launch(site, "portal", "openid user/*.rs").tokens("op")
    body = {"client_id": site.apps["portal"].client_id, "patient": "p1", **context}
    headers = {"Authorization": f"Bearer {portal['access_token']}"}
    made = requests.post(f"{site.root}/auth/launch", json=body, headers=headers, timeout=120).json()
    assert made["iss"] == site.base
    browser = Browser(site)
    browser.sign_in("op")
    launch = Launch(site, "portal", "launch openid fhirUser user/*.rs patient/*.rs")
    found: dict[str, Any] = launch.redeem(
        launch.code(browser=browser, launch=made["launch"])
    ).json()
    return found


@case(
    "EHR server redirects client browser to Inferno app launch URI",
    "EHR server sends launch parameter",
    "User-level access with OpenID Connect and Refresh Token scopes used.",
)
def launched(site: Site) -> None:
    """The handle leads to the patient that the portal named."""
    assert handle(site)
    said = ehr_launch(site)
    assert said["patient"] == "p1"
    assert "user/*.rs" in said["scope"].split()


@case("OAuth token exchange response grants scope that is limited to those selected by user")
def selected_scopes(site: Site) -> None:
    """What is unticked is not given."""
    scope = "launch/patient patient/Patient.rs patient/Observation.rs patient/Condition.rs"
    browser, launch = Browser(site), Launch(site, "other", scope)
    launch.ask(browser)
    browser.sign_in("zhang")
    sent = returned(browser.send(answer="allow", leave_out=("patient/Condition.rs",)))
    said = launch.redeem(sent["code"]).json()
    assert "patient/Condition.rs" not in said["scope"]
    assert site.get("Condition?patient=p1", said["access_token"]).status_code == 403
    assert site.get("Observation?patient=p1", said["access_token"]).status_code == 200


@case(
    "ID token can be decoded",
    "ID token header contains required information",
    "ID token payload has required claims and a valid signature",
)
def id_token(site: Site) -> None:
    """RS256, a key that is published, the claims."""
    found = claims(site, standalone(site)[2].json()["id_token"])
    for name in ("iss", "sub", "aud", "exp", "iat", "fhirUser"):
        assert found[name]


@case(
    "OpenID Connect well-known configuration can be retrieved",
    "OpenID Connect well-known configuration contains all required fields",
)
def openid(site: Site) -> None:
    """At the issuer."""
    said = site.get(".well-known/openid-configuration").json()
    for name in (
        "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported",
        "subject_types_supported", "id_token_signing_alg_values_supported",
    ):  # fmt: skip
        assert said[name]
    assert said["issuer"] == site.base


@case("JWKS can be retrieved")
def jwks(site: Site) -> None:
    """With an RSA key."""
    keys = requests.get(well_known(site)["jwks_uri"], timeout=120).json()["keys"]
    assert any(key["kty"] == "RSA" for key in keys)


@case("FHIR resource representing the current user can be retrieved")
def fhir_user(site: Site) -> None:
    """Patient, Practitioner or another type that SMART names."""
    said = standalone(site)[2].json()
    user = claims(site, said["id_token"])["fhirUser"].removeprefix(f"{site.base}/")
    assert user.split("/")[0] in {"Patient", "Practitioner", "RelatedPerson", "Person"}
    assert site.get(user, said["access_token"]).status_code == 200


@case(
    "Server successfully refreshes the access token when optional scope parameter omitted",
    "Server successfully refreshes the access token when optional scope parameter provided",
    "Token refresh response contains all required fields",
)
def refreshes(site: Site) -> None:
    """With and without scopes."""
    launch = Launch(site, scope=SCOPES)
    said = launch.tokens()
    for scope in (None, SCOPES):
        answer = launch.refresh(said["refresh_token"], scope=scope)
        said = answer.json()
        assert answer.status_code == 200
        assert said["access_token"]
        assert said["refresh_token"]
        assert said["token_type"] == "Bearer"
        assert said["patient"] == "p1"
        assert "no-store" in answer.headers["Cache-Control"]
        assert site.get("Patient/p1", said["access_token"]).status_code == 200


@case("Refresh token exchange fails when supplied an invalid refresh token")
def invalid_refresh(site: Site) -> None:
    """400."""
    assert Launch(site).refresh("nonsense").status_code == 400


@case(
    "Token introspection endpoint returns a response when provided an invalid token",
    "Token introspection response for an invalid token contains required fields",
)
def introspect_invalid(site: Site) -> None:
    """Not active."""
    answer = introspected(site, "invalid")
    assert answer.status_code == 200
    assert answer.json() == {"active": False}


@case(
    "Token introspection response for an active token contains required fields",
    "Token introspection endpoint returns a response when provided an active token",
)
def introspect_active(site: Site) -> None:
    """The same as the token answer."""
    said = standalone(site)[2].json()
    found = introspected(site, said["access_token"]).json()
    assert found["active"] is True
    assert set(found["scope"].split()) == set(said["scope"].split())
    assert found["patient"] == said["patient"]
    assert found["sub"] == claims(site, said["id_token"])["sub"]


def backend(site: Site, **changes: str) -> requests.Response:
    """A request of a backend service."""
    form = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    return site.token({**form, **proof(site.assertion("system")), **changes})


@case(
    "Authorization request succeeds when supplied correct information",
    "Authorization request response body contains required information encoded in JSON",
)
def backend_succeeds(site: Site) -> None:
    """Five minutes, no refresh token."""
    said = backend(site).json()
    assert said["access_token"]
    assert said["token_type"].lower() == "bearer"
    assert 0 < said["expires_in"] <= 300
    assert said["scope"] == "system/*.rs"
    assert "refresh_token" not in said
    assert site.get("Patient/p2", said["access_token"]).status_code == 200


@case("Authorization request fails when client supplies invalid JWT token")
def backend_invalid(site: Site) -> None:
    """Refused."""
    assert backend(site, client_assertion="invalid").status_code in (400, 401)


@case("Authorization request fails when client supplies invalid grant_type")
def backend_grant_type(site: Site) -> None:
    """Refused."""
    assert backend(site, grant_type="not_a_grant_type").status_code == 400


@case("Authorization request fails when supplied invalid client_assertion_type")
def backend_assertion_type(site: Site) -> None:
    """Refused."""
    assert backend(site, client_assertion_type="not_a_type").status_code in (400, 401)


@case(
    "Server rejects requests with invalid aud",
    "OAuth server rejects invalid aud",
    "Authorization request fails when supplied invalid audience",
)
def invalid_audience(site: Site) -> None:
    """No code for another server."""
    assert "code" not in returned(Launch(site).ask(aud="https://other.example/fhir"))


@case("Granular Scope Selection", "Required granular scopes were granted")
def granular(site: Site) -> None:
    """Scopes with a search are shown, can be unticked, and stand in the token as they were asked for."""
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    scopes = [
        f"patient/Observation.rs?category={system}|{code}" for code in ("laboratory", "vital-signs")
    ]
    browser, launch = Browser(site), Launch(site, "other", " ".join(["launch/patient", *scopes]))
    launch.ask(browser)
    browser.sign_in("li")
    sent = returned(browser.send(answer="allow", leave_out=(scopes[1],)))
    said = launch.redeem(sent["code"]).json()
    assert scopes[0] in said["scope"].split()
    assert scopes[1] not in said["scope"].split()


@case("Requires authorization header")
def authorization_header(site: Site) -> None:
    """Of the export as of everything else."""
    assert site.get("$export").status_code == 401
    assert site.get("Patient/$export").status_code == 401


@case("Includes token_endpoint definition")
def token_endpoint(site: Site) -> None:
    """Where a backend service finds it."""
    assert well_known(site)["token_endpoint"] == f"{site.root}/auth/token"
