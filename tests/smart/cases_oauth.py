"""OAuth 2.0 by its best current practice (RFC 9700) and the standards that it stands on."""

from __future__ import annotations

import base64
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
import requests
from joserfc.jwk import ECKey

from fhir_bridge import clock
from fhir_bridge.accounts import Binding
from fhir_bridge.errors import BridgeError
from tests.smart.cases import case
from tests.smart.site import BACK, SCOPES, Browser, Launch, Site, forget_tries, proof, returned


def _stays(answer: requests.Response) -> None:
    """An error page of ours, no redirect."""
    assert answer.status_code == 400, answer.status_code
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html")


def _error(answer: requests.Response, error: str, status: int | tuple[int, ...] = 400) -> None:
    """An error of the token endpoint."""
    allowed = status if isinstance(status, tuple) else (status,)
    assert answer.status_code in allowed, (answer.status_code, answer.text)
    assert answer.json()["error"] == error, answer.text
    assert "access_token" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def _sent_back(answer: requests.Response, error: str) -> None:
    """An error that the app is told, with its state and our name."""
    said = returned(answer)
    assert said["error"] == error, said
    assert "code" not in said
    assert said["state"]
    assert said["iss"].endswith("/fhir")


def later(**by: float):
    """The time of the whole process, some time from now (the server runs in other threads)."""
    moment = clock.now() + timedelta(**by)
    return patch("fhir_bridge.clock.now", lambda: moment)


@case("RU-02")
def redirect_with_a_query(site: Site) -> None:
    """Exact string match."""
    _stays(Launch(site).ask(redirect_uri=f"{BACK}?x=1"))


@case("RU-03")
def redirect_with_a_way_up(site: Site) -> None:
    """Exact string match."""
    _stays(Launch(site).ask(redirect_uri=f"{BACK}/../evil"))


@case("RU-06")
def redirect_pattern(site: Site) -> None:
    """There are no patterns: neither at registration nor later."""
    with pytest.raises(BridgeError):
        site.register("pattern", kind="public", redirect_uris=("https://*.example/cb",))
    _stays(Launch(site).ask(redirect_uri="https://app.example.evil.example/back"))


@case("RU-07")
def redirect_without_tls(site: Site) -> None:
    """A scheme is part of the address."""
    _stays(Launch(site).ask(redirect_uri=BACK.replace("https:", "http:")))


@case("RU-09")
def redirect_left_out(site: Site) -> None:
    """With two registered addresses one must be named."""
    site.register("two", kind="public", redirect_uris=(BACK, f"{BACK}2"))
    _stays(Launch(site, "two").ask(redirect_uri=None))


@case("RU-10")
def redirect_twice(site: Site) -> None:
    """A parameter stands once."""
    _stays(Browser(site).open(f"{Launch(site).path()}&{urlencode({'redirect_uri': BACK})}"))


@case("RU-11")
def redirect_with_fragment(site: Site) -> None:
    """Neither asked for nor registered."""
    _stays(Launch(site).ask(redirect_uri=f"{BACK}#x"))
    with pytest.raises(BridgeError):
        site.register("fragment", kind="public", redirect_uris=(f"{BACK}#x",))


@case("RU-12")
def redirect_that_runs(site: Site) -> None:
    """Registration refuses what a browser would run or read."""
    for address in ("javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"):
        with pytest.raises(BridgeError) as refused:
            site.register("runs", kind="public", redirect_uris=(address,))
        assert refused.value.code == "FB-7312"


@case("RU-13")
def redirect_at_token(site: Site) -> None:
    """The same address in both steps."""
    launch = Launch(site)
    _error(launch.redeem(launch.code(), redirect_uri=f"{BACK}2"), "invalid_grant")


@case("PK-01")
def no_challenge(site: Site) -> None:
    """From every kind of app."""
    for app in ("public", "symmetric", "asymmetric"):
        answer = Launch(site, app).ask(code_challenge=None, code_challenge_method=None)
        _sent_back(answer, "invalid_request")


@case("PK-02")
def no_verifier(site: Site) -> None:
    """The code alone is worth nothing, also for an app with a secret."""
    for app in ("public", "symmetric"):
        launch = Launch(site, app)
        _error(launch.redeem(launch.code(), code_verifier=None), "invalid_grant")


@case("PK-03")
def wrong_verifier(site: Site) -> None:
    """And the code is spent by it."""
    launch = Launch(site)
    code = launch.code()
    _error(launch.redeem(code, code_verifier="x" * 64), "invalid_grant")
    _error(launch.redeem(code), "invalid_grant")


@case("PK-04")
def plain_challenge(site: Site) -> None:
    """Neither named nor by leaving the method out."""
    for method in ("plain", None, "s256", ""):
        answer = Launch(site).ask(code_challenge_method=method)
        _sent_back(answer, "invalid_request")


@case("PK-05")
def challenge_left_out(site: Site) -> None:
    """There is no code to come back with."""
    _sent_back(Launch(site).ask(code_challenge=None), "invalid_request")


@case("PK-06", "PK-07")
def malformed_verifier(site: Site) -> None:
    """43 to 128 unreserved characters."""
    for verifier in ("x" * 42, "x" * 129, "x" * 42 + "!", "x" * 43 + "\n"):
        launch = Launch(site, verifier=verifier)
        answer = launch.redeem(launch.code())
        assert answer.status_code == 400
        assert answer.json()["error"] in {"invalid_grant", "invalid_request"}


@case("PK-08")
def methods_in_metadata(site: Site) -> None:
    """S256 and nothing else."""
    said = site.get(".well-known/smart-configuration").json()
    assert said["code_challenge_methods_supported"] == ["S256"]


@case("CO-01")
def code_twice(site: Site) -> None:
    """The second time fails, and ends the tokens of the first."""
    launch = Launch(site)
    code = launch.code()
    first = launch.redeem(code).json()
    _error(launch.redeem(code), "invalid_grant")
    _error(launch.refresh(first["refresh_token"]), "invalid_grant")
    with later(seconds=2), patch("time.monotonic", _monotonic(2)):
        assert site.get("Patient/p1", first["access_token"]).status_code == 401


@case("CO-03")
def old_code(site: Site) -> None:
    """A minute, not ten."""
    for seconds in (61, 600):
        launch = Launch(site)
        code = launch.code()
        with later(seconds=seconds):
            _error(launch.redeem(code), "invalid_grant")


@case("CO-04")
def code_twice_at_once(site: Site) -> None:
    """At most one of many is served."""
    launch = Launch(site)
    code = launch.code()
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: launch.redeem(code).status_code, range(6)))
    assert answers.count(200) <= 1
    assert set(answers) <= {200, 400}


@case("CO-06")
def implicit(site: Site) -> None:
    """Tokens do not travel in addresses."""
    for kind in ("token", "id_token", "code token", "none"):
        _sent_back(Launch(site).ask(response_type=kind), "unsupported_response_type")


@case("CO-07", "CA-11")
def other_grant_types(site: Site) -> None:
    """Neither passwords nor anything unknown."""
    client_id = site.apps["public"].client_id
    form = {"client_id": client_id, "username": "zhang", "password": "long enough"}
    for kind in ("password", "implicit", 'x"y'):
        _error(site.token(form | {"grant_type": kind}), "unsupported_grant_type")
    _error(site.token(form), "invalid_request")


@case("CO-08")
def no_response_type(site: Site) -> None:
    """It is required."""
    _sent_back(Launch(site).ask(response_type=None), "invalid_request")


@case("MX-01", "MX-02")
def issuer_in_answers(site: Site) -> None:
    """In codes and in errors, and equal to the metadata."""
    said = site.get(".well-known/openid-configuration").json()
    assert said["authorization_response_iss_parameter_supported"]
    browser, launch = Browser(site), Launch(site)
    launch.ask(browser)
    browser.sign_in("zhang")
    assert returned(browser.send(answer="allow"))["iss"] == said["issuer"]
    assert returned(launch.ask(response_type="token"))["iss"] == said["issuer"]


@case("CS-02", "RF-01")
def pages_are_sealed(site: Site) -> None:
    """Sign-in and consent cannot be framed, run no script, and tell nobody where they are."""
    browser = Browser(site)
    for page in (Launch(site).ask(browser), browser.sign_in("li")):
        policy = page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert "<script" not in page.text


@case("CS-03")
def no_cors_at_authorize(site: Site) -> None:
    """People are sent there, programs do not read it."""
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    for method in ("OPTIONS", "GET"):
        answer = requests.request(
            method, f"{site.root}{Launch(site).path()}", headers=headers, timeout=120
        )
        assert "Access-Control-Allow-Origin" not in answer.headers


@case("RD-01")
def redirects_after_forms(site: Site) -> None:
    """303: the browser never sends a password on."""
    browser = Browser(site)
    with patch.object(Browser, "_followed", lambda self: self.page):
        browser.open("/sign-in")
        assert browser.sign_in("zhang").status_code == 303
        Launch(site, "symmetric").ask(browser)
        assert browser.send(answer="refuse").status_code == 303


@case("RD-02")
def unknown_app(site: Site) -> None:
    """No open redirector."""
    for client_id in ("nobody", "", "x' OR 1=1 --"):
        _stays(Launch(site).ask(client_id=client_id))


@case("RD-03")
def no_silent_redirect(site: Site) -> None:
    """Without a session or an earlier consent nothing is sent silently but an error, to a registered address."""
    site.register("fresh", kind="public", redirect_uris=(BACK,))
    _sent_back(Launch(site, "fresh").ask(prompt="none"), "login_required")
    browser = Browser(site)
    browser.sign_in("zhang")
    _sent_back(Launch(site, "fresh").ask(browser, prompt="none"), "consent_required")


@case("RT-02")
def refresh_token_twice(site: Site) -> None:
    """The family ends, also its newest member and its access token."""
    launch = Launch(site)
    first = launch.tokens()
    second = launch.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    _error(launch.refresh(first["refresh_token"]), "invalid_grant")
    _error(launch.refresh(second["refresh_token"]), "invalid_grant")
    with later(seconds=2), patch("time.monotonic", _monotonic(2)):
        assert site.get("Patient/p1", second["access_token"]).status_code == 401


@case("RT-03")
def refresh_token_of_another(site: Site) -> None:
    """Refused, and it stays its owner's."""
    launch = Launch(site, "symmetric")
    token = launch.tokens()["refresh_token"]
    _error(Launch(site, "other").refresh(token), "invalid_grant")
    _error(Launch(site, "public").refresh(token), "invalid_grant")
    assert launch.refresh(token).status_code == 200


@case("RT-04")
def refresh_wider(site: Site) -> None:
    """Scopes only shrink; the token is not spent by asking."""
    launch = Launch(site, scope="launch/patient offline_access patient/Observation.rs")
    token = launch.tokens()["refresh_token"]
    for scope in ("patient/Observation.cruds", "patient/*.rs", "user/Observation.rs", "openid"):
        _error(launch.refresh(token, scope=scope), "invalid_scope")
    assert launch.refresh(token).status_code == 200


@case("RT-05")
def refresh_narrower(site: Site) -> None:
    """For this access token only."""
    launch = Launch(site)
    narrow = launch.refresh(launch.tokens()["refresh_token"], scope="patient/Observation.rs").json()
    assert narrow["scope"] == "patient/Observation.rs"
    assert site.get("Patient/p1", narrow["access_token"]).status_code == 403 or (
        site.get("Patient/p1", narrow["access_token"]).status_code == 404
    )
    wide = launch.refresh(narrow["refresh_token"]).json()
    assert set(wide["scope"].split()) == set(SCOPES.split())


@case("RT-06")
def refresh_after_the_end(site: Site) -> None:
    """After sign-out, a new password, a lock, and taking the app back."""
    browser, launch = (
        Browser(site),
        Launch(site, "online", "launch/patient online_access patient/*.rs"),
    )
    browser.sign_in("zhang")
    token = launch.redeem(launch.code(browser=browser)).json()["refresh_token"]
    token = launch.refresh(token).json()["refresh_token"]
    browser.open("/sign-in/account")
    browser.send()
    _error(launch.refresh(token), "invalid_grant")

    name = f"user-{secrets.token_hex(4)}"
    account_id = site.person(name, Binding("resident", patient="p1"))
    launch = Launch(site)
    token = launch.tokens(name)["refresh_token"]
    with later(seconds=5):
        site.accounts.set_password(account_id, "another 密码 of length")
    _error(launch.refresh(token), "invalid_grant")
    site.accounts.lock(account_id)
    _error(launch.refresh(token), "invalid_grant")

    browser = Browser(site)
    browser.sign_in("li")
    token = launch.redeem(launch.code(browser=browser)).json()["refresh_token"]
    browser.open("/sign-in/apps")
    browser.send()
    _error(launch.refresh(token), "invalid_grant")


@case("RT-07")
def refresh_unused(site: Site) -> None:
    """It lasts more than ninety days, each use renews it, and it ends unused."""
    launch = Launch(site)
    token = launch.tokens()["refresh_token"]
    with later(days=91):
        token = launch.refresh(token).json()["refresh_token"]
    with later(days=182):
        token = launch.refresh(token).json()["refresh_token"]
    with later(days=182 + 181):
        _error(launch.refresh(token), "invalid_grant")


@case("RT-08")
def no_refresh_token(site: Site) -> None:
    """None without offline_access or online_access."""
    said = Launch(site, scope="launch/patient patient/*.rs").tokens()
    assert "refresh_token" not in said


@case("AT-01")
def token_of_another_base(site: Site) -> None:
    """Tokens are this record's: what another has given opens nothing."""
    assert site.get("Patient/p1", secrets.token_urlsafe(32)).status_code == 401


@case("AT-02", "AT-03")
def audience(site: Site) -> None:
    """It is required and is this server."""
    for aud in (None, "", "https://other.example/fhir", f"{site.base}/Patient", site.root):
        _sent_back(Launch(site).ask(aud=aud), "invalid_request")


@case("AT-05")
def revoked_token(site: Site) -> None:
    """Within seconds."""
    launch = Launch(site, "symmetric")
    token = launch.tokens()["access_token"]
    assert site.get("Patient/p1", token).status_code == 200
    auth = (site.apps["symmetric"].client_id, site.secrets["symmetric"])
    answer = requests.post(f"{site.root}/auth/revoke", {"token": token}, auth=auth, timeout=120)
    assert answer.status_code == 200
    with later(seconds=2), patch("time.monotonic", _monotonic(2)):
        refused = site.get("Patient/p1", token)
    assert refused.status_code == 401
    assert "invalid_token" in refused.headers["WWW-Authenticate"]


@case("AT-06")
def token_twice(site: Site) -> None:
    """Two headers, or a header and a parameter, are refused."""
    token = Launch(site).tokens()["access_token"]
    both = site.get("Patient/p1", Authorization=f"Bearer {token}, Bearer {token}")
    query = site.get(f"Patient/p1?access_token={token}", token)
    alone = site.get(f"Patient/p1?access_token={token}")
    form = requests.post(
        f"{site.base}/Patient/_search",
        {"access_token": token},
        headers={"Authorization": f"Bearer {token}"},
        timeout=120,
    )
    for answer in (both, query, alone, form):
        assert answer.status_code in (400, 401), answer.status_code


@case("CA-01")
def wrong_secret(site: Site) -> None:
    """401, and the way to do it right."""
    app = site.apps["symmetric"]
    form = {"grant_type": "authorization_code", "code": "x"}
    answer = site.token(form, auth=(app.client_id, "wrong"))
    _error(answer, "invalid_client", 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    _error(
        site.token(form | {"client_id": app.client_id, "client_secret": "x"}), "invalid_client", 401
    )
    _error(site.token(form | {"client_id": app.client_id}), "invalid_client", 401)


@case("CA-02")
def secret_in_the_address(site: Site) -> None:
    """It is not looked at there, and refused."""
    app, launch = site.apps["symmetric"], Launch(site, "symmetric")
    code = launch.code()
    query = urlencode({"client_id": app.client_id, "client_secret": site.secrets["symmetric"]})
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    form["code_verifier"] = launch.verifier
    answer = requests.post(f"{site.root}/auth/token?{query}", form, timeout=120)
    assert answer.status_code in (400, 401)
    assert "access_token" not in answer.text


@case("CA-03")
def two_proofs(site: Site) -> None:
    """One way only."""
    app, secret = site.apps["symmetric"], site.secrets["symmetric"]
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": app.client_id}
    answer = site.token(form | {"client_secret": secret}, auth=(app.client_id, secret))
    _error(answer, "invalid_request")


@case("CA-07")
def assertion_twice(site: Site) -> None:
    """Each counts once, in whichever process."""
    form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
    assertion = proof(site.assertion("system"))
    assert site.token(form | assertion).status_code == 200
    _error(site.token(form | assertion), "invalid_client", (400, 401))


@case("CA-09")
def assertion_by_another_key(site: Site) -> None:
    """Only the app's own keys count."""
    own = site.keys["asymmetric"]
    other = ECKey.generate_key("P-384", {"kid": own.kid})
    with patch.dict(site.keys, asymmetric=other):
        forged = proof(site.assertion("asymmetric"))
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    _error(site.token(form | forged), "invalid_client", (400, 401))


@case("CA-10")
def assertion_of_another_type(site: Site) -> None:
    """The type is part of the proof."""
    form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
    sent = proof(site.assertion("system")) | {"client_assertion_type": "urn:x"}
    _error(site.token(form | sent), "invalid_client", (400, 401))


@case("CA-14")
def hundred_wrong_secrets(site: Site) -> None:
    """They wait: also the right one does, for a while."""
    app, secret = site.register("tried", kind="symmetric", redirect_uris=(BACK,)), ""
    secret = site.secrets["tried"]
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": app.client_id}
    for _ in range(14):
        site.token(form | {"client_secret": secrets.token_urlsafe(32)})
    try:
        _error(site.token(form | {"client_secret": secret}), "invalid_client", 401)
    finally:
        forget_tries(site)
    _error(site.token(form | {"client_secret": secret}), "invalid_grant")


@case("MD-02")
def metadata_fields(site: Site) -> None:
    """All that is required, absolute, whatever is accepted."""
    for accept in ("application/json", "application/fhir+xml", "text/html", "*/*"):
        answer = site.get(".well-known/smart-configuration", Accept=accept)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
    said = answer.json()
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert said[name].startswith(site.root)
    for name in ("capabilities", "grant_types_supported", "code_challenge_methods_supported"):
        assert said[name]
    rfc8414 = requests.get(f"{site.root}/.well-known/oauth-authorization-server/fhir", timeout=120)
    assert rfc8414.json()["token_endpoint"] == said["token_endpoint"]


def introspected(site: Site, token: str, **options: object) -> requests.Response:
    """What the server says of a token."""
    auth = (site.apps["symmetric"].client_id, site.secrets["symmetric"])
    sent = {"auth": auth, "timeout": 120} | options
    return requests.post(f"{site.root}/auth/introspect", {"token": token}, **sent)


@case("TI-01")
def introspection(site: Site) -> None:
    """Everything that applies."""
    said = introspected(site, Launch(site).tokens()["access_token"]).json()
    assert said["active"] is True
    assert set(said["scope"].split()) == set(SCOPES.split())
    assert said["client_id"] == site.apps["public"].client_id
    assert said["patient"] == "p1"
    assert said["fhirUser"] == f"{site.base}/Patient/p1"
    assert said["iss"] == site.base
    assert said["sub"]
    assert said["exp"] > clock.now().timestamp()


@case("TI-02")
def introspection_of_what_is_over(site: Site) -> None:
    """And nothing else is said."""
    launch = Launch(site, "symmetric")
    token = launch.tokens()["access_token"]
    auth = (site.apps["symmetric"].client_id, site.secrets["symmetric"])
    with later(hours=2):
        assert introspected(site, token).json() == {"active": False}
    requests.post(f"{site.root}/auth/revoke", {"token": token}, auth=auth, timeout=120)
    with patch("time.monotonic", _monotonic(2)):
        assert introspected(site, token).json() == {"active": False}
    assert introspected(site, "random").json() == {"active": False}


@case("TI-03")
def introspection_by_nobody(site: Site) -> None:
    """Who asks proves who they are."""
    assert introspected(site, "x", auth=None).status_code == 401
    public = {"token": "x", "client_id": site.apps["public"].client_id}
    answer = requests.post(f"{site.root}/auth/introspect", public, timeout=120)
    assert answer.status_code == 401


@case("RV-01")
def revocation_of_nothing(site: Site) -> None:
    """There is nothing to learn."""
    auth = (site.apps["symmetric"].client_id, site.secrets["symmetric"])
    answer = requests.post(f"{site.root}/auth/revoke", {"token": "x"}, auth=auth, timeout=120)
    assert answer.status_code == 200


@case("RV-02")
def revocation_of_anothers(site: Site) -> None:
    """Refused, and the token stays."""
    token = Launch(site, "symmetric").tokens()["access_token"]
    auth = (site.apps["other"].client_id, site.secrets["other"])
    requests.post(f"{site.root}/auth/revoke", {"token": token}, auth=auth, timeout=120)
    with patch("time.monotonic", _monotonic(2)):
        assert site.get("Patient/p1", token).status_code == 200


@case("SC-01")
def scope_unticked(site: Site) -> None:
    """The token says what is left, and the rest is refused."""
    scope = "launch/patient patient/Observation.rs patient/Patient.rs"
    browser, launch = Browser(site), Launch(site, "asymmetric", scope)
    launch.ask(browser)
    browser.sign_in("li")
    sent = returned(browser.send(answer="allow", leave_out=("patient/Observation.rs",)))
    said = launch.redeem(sent["code"]).json()
    assert "patient/Observation.rs" not in said["scope"]
    assert site.get("Patient/p2", said["access_token"]).status_code == 200
    assert site.get("Observation?patient=p2", said["access_token"]).status_code in (403, 200)
    assert "o-p2" not in site.get("Observation", said["access_token"]).text


def handle(site: Site, name: str = "op", patient: str = "p1", app: str = "portal") -> str:
    """A launch handle, made by a signed-in portal."""
    portal = Launch(site, "portal", "openid user/*.rs").tokens(name)
    body = {"client_id": site.apps[app].client_id, "patient": patient}
    headers = {"Authorization": f"Bearer {portal['access_token']}"}
    made = requests.post(f"{site.root}/auth/launch", json=body, headers=headers, timeout=120)
    assert made.status_code == 200, made.text
    found: str = made.json()["launch"]
    return found


@case("LC-01")
def launch_handles(site: Site) -> None:
    """Unknown, used and foreign ones are refused."""
    scope = "launch patient/*.rs"
    launch = Launch(site, "portal", scope)
    for value in ("random", "", None):
        _sent_back(launch.ask(launch=value), "invalid_request")
    made = handle(site)
    browser = Browser(site)
    browser.sign_in("op")
    code = launch.code(browser=browser, launch=made)
    assert launch.redeem(code).json()["patient"] == "p1"
    _sent_back(launch.ask(browser, launch=made), "invalid_request")
    _sent_back(Launch(site, "public", scope).ask(browser, launch=handle(site)), "invalid_request")
    with later(minutes=6):
        made = handle(site)
    stranger = Browser(site)
    stranger.sign_in("li")
    assert returned(launch.ask(stranger, launch=handle(site)))["error"] == "access_denied"


@case("LC-02")
def chosen_patient(site: Site) -> None:
    """The one that the person chose, whatever the app sends beside."""
    browser, launch = Browser(site), Launch(site)
    launch.ask(browser, patient="p2", chosen="p2")
    page = browser.sign_in("zhang")
    assert "李四" not in page.text
    said = launch.redeem(returned(browser.send(answer="allow"))["code"]).json()
    assert said["patient"] == "p1"


def _monotonic(ahead: float):
    """A monotonic clock that is ahead, so that what was kept for a second is asked for anew."""
    import time

    real = time.monotonic
    return lambda: real() + ahead


def basic(client_id: str, secret: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
