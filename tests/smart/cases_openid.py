"""OpenID Connect: the flows of the basic and configuration certification, run by our own browser."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.smart.cases import case
from tests.smart.cases_oauth import later
from tests.smart.site import BACK, Browser, Launch, Site, returned

SCOPE = "openid fhirUser launch/patient offline_access patient/*.cruds"


def claims(site: Site, token: str) -> dict[str, Any]:
    """The claims of an identity token, verified by the published keys."""
    keys = requests.get(f"{site.root}/auth/jwks", timeout=120).json()
    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256", "ES384"])
    found: dict[str, Any] = decoded.claims
    return found


def userinfo(site: Site, token: str, method: str = "GET", **options: Any) -> requests.Response:
    """What the server says of the person."""
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(
        method, f"{site.root}/auth/userinfo", timeout=120, **{"headers": headers, **options}
    )


def flow(
    site: Site, app: str = "public", **changes: str
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The happy flow with further parameters: the token answer and the claims."""
    said = Launch(site, app, SCOPE).tokens(**changes)
    return said, claims(site, said["id_token"])


@case(
    "oidcc-server", "oidcc-idtoken-signature", "oidcc-alternate-happy-flow",
    "oidcc-ensure-request-with-valid-pkce-succeeds",
)  # fmt: skip
def happy_flow(site: Site) -> None:
    """The identity token is right, signed by a published key, and userinfo says the same person."""
    launch = Launch(site)
    said, found = flow(site, nonce="n-1")
    header = jwt.decode(said["id_token"], _keys(site), algorithms=["RS256"]).header
    assert (header["alg"], bool(header["kid"])) == ("RS256", True)
    assert found["iss"] == site.base
    assert found["aud"] == launch.parameters()["client_id"]
    assert found["nonce"] == "n-1"
    assert found["exp"] - found["iat"] <= 3600
    assert found["fhirUser"] == f"{site.base}/Patient/p1"
    assert 0 < len(found["sub"]) <= 255
    half = hashlib.sha256(said["access_token"].encode()).digest()[:16]
    assert found["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    answer = userinfo(site, said["access_token"])
    assert answer.json()["sub"] == found["sub"]
    assert site.get("Patient/p1", said["access_token"]).status_code == 200


def _keys(site: Site) -> KeySet:
    return KeySet.import_key_set(requests.get(f"{site.root}/auth/jwks", timeout=120).json())


@case("oidcc-response-type-missing")
def response_type_missing(site: Site) -> None:
    """An error."""
    assert returned(Launch(site).ask(response_type=None))["error"] == "invalid_request"


@case("oidcc-idtoken-unsigned")
def unsigned(site: Site) -> None:
    """No app gets unsigned tokens, and the metadata does not offer them."""
    offered = site.get(".well-known/openid-configuration").json()
    assert "none" not in offered["id_token_signing_alg_values_supported"]
    said, _ = flow(site)
    assert said["id_token"].split(".")[2]


@case("oidcc-userinfo-post-header")
def userinfo_by_post(site: Site) -> None:
    """By POST with the header."""
    said, found = flow(site)
    assert userinfo(site, said["access_token"], "POST").json()["sub"] == found["sub"]


@case("oidcc-userinfo-post-body")
def userinfo_by_body(site: Site) -> None:
    """A token in a body is one way too many: it is refused (RFC 6750 makes it optional)."""
    said, _ = flow(site)
    answer = requests.post(
        f"{site.root}/auth/userinfo", {"access_token": said["access_token"]}, timeout=120
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@case("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
def without_nonce(site: Site) -> None:
    """It is optional."""
    _, found = flow(site)
    assert "nonce" not in found


@case("oidcc-scope-profile")
def profile_scope(site: Site) -> None:
    """The name, for whom the app was registered with the scope."""
    site.register(
        "profile",
        kind="public",
        redirect_uris=(BACK,),
        scopes="openid profile launch/patient patient/*.rs",
    )
    launch = Launch(site, "profile", "openid profile launch/patient patient/*.rs")
    said = launch.tokens()
    assert userinfo(site, said["access_token"]).json()["name"] == "Zhang"


@case("oidcc-scope-email", "oidcc-scope-address", "oidcc-scope-phone", "oidcc-scope-all")
def other_scopes(site: Site) -> None:
    """What is not known of a person is neither granted nor a fault."""
    for scope in ("email", "address", "phone", "profile email address phone"):
        said = Launch(site, scope=f"{SCOPE} {scope}").tokens()
        assert "email" not in said["scope"]
        assert claims(site, said["id_token"])["sub"]


@case(
    "oidcc-display-popup", "oidcc-login-hint", "oidcc-ui-locales", "oidcc-claims-locales",
    "oidcc-ensure-request-with-unknown-parameter-succeeds", "oidcc-claims-essential",
)  # fmt: skip
def ignored_parameters(site: Site) -> None:
    """They do no harm."""
    for changes in (
        {"display": "popup"}, {"login_hint": "zhang@app.example"}, {"ui_locales": "zh en"},
        {"claims_locales": "zh"}, {"extra": "foobar"},
        {"claims": '{"userinfo":{"name":{"essential":true}}}'},
    ):  # fmt: skip
        _, found = flow(site, **changes)
        assert found["sub"]


@case("oidcc-prompt-login")
def prompt_login(site: Site) -> None:
    """Sign in anew, although somebody is signed in; then go on without a circle."""
    browser, launch = Browser(site), Launch(site, "other", SCOPE)
    browser.sign_in("zhang")
    first = claims(site, launch.redeem(launch.code(browser=browser)).json()["id_token"])
    with later(seconds=3):
        page = launch.ask(browser, prompt="login")
        assert 'name="password"' in page.text
        page = browser.sign_in("zhang")
        said = launch.redeem(returned(page)["code"]).json()
    again = claims(site, said["id_token"])
    assert again["auth_time"] > first["auth_time"]
    assert again["sub"] == first["sub"]


@case("oidcc-prompt-none-not-logged-in")
def prompt_none_nobody(site: Site) -> None:
    """An error, no page."""
    assert returned(Launch(site).ask(prompt="none"))["error"] == "login_required"


@case("oidcc-prompt-none-logged-in", "oidcc-id-token-hint")
def prompt_none(site: Site) -> None:
    """No page, the same person."""
    browser, launch = Browser(site), Launch(site, "other", SCOPE)
    browser.sign_in("li")
    first = launch.redeem(launch.code(browser=browser)).json()
    sent = returned(launch.ask(browser, prompt="none", id_token_hint=first["id_token"]))
    second = launch.redeem(sent["code"]).json()
    assert claims(site, first["id_token"])["sub"] == claims(site, second["id_token"])["sub"]


@case("oidcc-max-age-1", "oidcc-max-age-10000")
def max_age(site: Site) -> None:
    """An old sign-in is not enough; a recent one is."""
    browser, launch = Browser(site), Launch(site, "other", SCOPE)
    browser.sign_in("zhang")
    launch.code(browser=browser)
    with later(seconds=5):
        page = launch.ask(browser, max_age="10000")
        first = claims(site, launch.redeem(returned(page)["code"]).json()["id_token"])
        assert 'name="password"' in launch.ask(browser, max_age="1").text
        page = browser.sign_in("zhang")
        second = claims(site, launch.redeem(returned(page)["code"]).json()["id_token"])
    assert second["auth_time"] > first["auth_time"]


@case("oidcc-codereuse")
def code_reuse(site: Site) -> None:
    """It fails."""
    launch = Launch(site)
    code = launch.code()
    assert launch.redeem(code).status_code == 200
    assert launch.redeem(code).json()["error"] == "invalid_grant"


@case("oidcc-ensure-registered-redirect-uri")
def unregistered_redirect(site: Site) -> None:
    """An error page."""
    page = Launch(site).ask(redirect_uri="https://elsewhere.example/")
    assert page.status_code == 400
    assert "Location" not in page.headers


@case("oidcc-ensure-post-request-succeeds")
def authorize_by_post(site: Site) -> None:
    """The same request as a form."""
    browser, launch = Browser(site), Launch(site)
    browser.sign_in("zhang")
    answer = browser.web.post(
        f"{site.root}/auth/authorize", launch.parameters(), allow_redirects=False, timeout=120
    )
    assert answer.status_code == 303
    page = browser.open(answer.headers["Location"])
    if page.status_code == 200:
        page = browser.send(answer="allow")
    assert launch.redeem(returned(page)["code"]).status_code == 200


@case("oidcc-server-client-secret-post")
def secret_by_post(site: Site) -> None:
    """The secret in the body."""
    launch, app = Launch(site, "symmetric"), site.apps["symmetric"]
    form = {
        "grant_type": "authorization_code", "code": launch.code(), "redirect_uri": BACK,
        "code_verifier": launch.verifier, "client_id": app.client_id,
        "client_secret": site.secrets["symmetric"],
    }  # fmt: skip
    assert site.token(form).status_code == 200


@case(
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    "oidcc-ensure-request-object-with-redirect-uri",
)
def request_objects(site: Site) -> None:
    """Refused by the errors that are made for it; nothing is fetched."""
    sent = returned(Launch(site).ask(request_uri="https://app.example/request.jwt"))
    assert sent["error"] == "request_uri_not_supported"
    sent = returned(Launch(site).ask(request="e30.e30."))
    assert sent["error"] == "request_not_supported"


@case("oidcc-refresh-token")
def refreshed(site: Site) -> None:
    """The same issuer, person and app."""
    launch = Launch(site)
    first = launch.tokens()
    second = launch.refresh(first["refresh_token"]).json()
    before, after = claims(site, first["id_token"]), claims(site, second["id_token"])
    for name in ("iss", "sub", "aud", "auth_time"):
        assert before[name] == after[name]


@case("oidcc-discovery-endpoint-verification")
def discovery(site: Site) -> None:
    """One source: issuer, addresses that answer, the algorithms that are used."""
    said = site.get(".well-known/openid-configuration").json()
    assert said["issuer"] == site.base
    assert requests.get(said["jwks_uri"], timeout=120).status_code == 200
    assert "RS256" in said["id_token_signing_alg_values_supported"]
    assert said["response_types_supported"] == ["code"]
    assert said["subject_types_supported"] == ["public"]
    smart = site.get(".well-known/smart-configuration").json()
    for name in set(said) & set(smart):
        assert said[name] == smart[name]
