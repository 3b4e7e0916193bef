"""A closed site with two residents, people and apps, and a browser that signs in to it.

The site is the whole product behind a real socket; the browser follows links and sends forms as
they stand on the pages, and runs nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from argon2 import PasswordHasher
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fhir_bridge import clock
from fhir_bridge.accounts import Accounts, Binding, Passwords
from fhir_bridge.api import serve
from fhir_bridge.app import Services, build, web_application
from fhir_bridge.config import load_settings
from fhir_bridge.smart import App, Smart
from tests.app.conftest import free_port

PASSWORD = "long enough: 密码 9"
BACK = "https://app.example/back"
SCOPES = "openid fhirUser launch/patient offline_access patient/*.cruds"
NUMBER_SYSTEM = "urn:oid:2.16.156.10011.1.3"


def patient(patient_id: str, name: str, born: str) -> dict[str, Any]:
    """A resident."""
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "identifier": [{"system": "urn:numbers", "value": patient_id}],
        "name": [{"text": name}],
        "birthDate": born,
    }


def agreement(patient_id: str) -> dict[str, Any]:
    """An agreement of a resident that is in force."""
    return {
        "resourceType": "Contract",
        "id": f"agreement-{patient_id}",
        "status": "executed",
        "applies": {"start": "2020-01-01", "end": "2099-12-31"},
        "subject": [{"reference": f"Patient/{patient_id}"}],
    }


def guardian_of(patient_id: str, guardian: str) -> dict[str, Any]:
    """Somebody who answers for a child, known by the number of their own Patient."""
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "GUARD"}
    return {
        "resourceType": "RelatedPerson",
        "id": f"{guardian}-of-{patient_id}",
        "identifier": [{"system": "urn:numbers", "value": guardian}],
        "patient": {"reference": f"Patient/{patient_id}"},
        "relationship": [{"coding": [role]}],
    }


def observation(observation_id: str, patient_id: str) -> dict[str, Any]:
    """A result of a resident."""
    return {
        "resourceType": "Observation",
        "id": observation_id,
        "status": "final",
        "code": {"text": "血压"},
        "subject": {"reference": f"Patient/{patient_id}"},
    }


@dataclass
class Site:
    """What the tests know of the running site."""

    services: Services
    root: str
    apps: dict[str, App] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    keys: dict[str, RSAKey | ECKey] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The FHIR service."""
        return f"{self.root}/fhir"

    @property
    def accounts(self) -> Accounts:
        """People, for what a test does behind the pages."""
        assert self.services.gate is not None
        return self.services.gate.accounts

    @property
    def smart(self) -> Smart:
        """Apps, for what a test does behind the pages."""
        assert self.services.gate is not None
        return self.services.gate.smart

    def person(self, name: str, *bindings: Binding) -> str:
        """An account; its id."""
        account = self.accounts.add(name, display=name.title(), password=PASSWORD)
        for each in bindings:
            self.accounts.bind(account.id, each)
        return account.id

    def register(self, key: str, **said: Any) -> App:
        """An app, known to the tests by `key`."""
        app = App(client_id="", **{"name": f"App {key}", "scopes": SCOPES, **said})
        self.apps[key], self.secrets[key] = self.smart.apps.register(app)
        return self.apps[key]

    def assertion(self, key: str, **claims: Any) -> str:
        """A signed assertion of an app with a key; a claim of None is left out."""
        app, signing = self.apps[key], self.keys[key]
        algorithm = "RS384" if isinstance(signing, RSAKey) else "ES384"
        now = int(time.time())
        said = {
            "iss": app.client_id,
            "sub": app.client_id,
            "aud": f"{self.root}/auth/token",
            "exp": now + 240,
            "iat": now,
            "jti": secrets.token_urlsafe(16),
        } | claims
        header = {"alg": algorithm, "kid": signing.kid, "typ": "JWT"}
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(header, kept, signing, algorithms=[algorithm])

    def token(self, form: dict[str, str], **options: Any) -> requests.Response:
        """``POST /auth/token``."""
        return requests.post(f"{self.root}/auth/token", data=form, timeout=120, **options)

    def get(self, path: str, token: str = "", **headers: str) -> requests.Response:
        """A FHIR request."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return requests.get(f"{self.base}/{path}", headers=headers, timeout=120)


@contextmanager
def running(folder: Path, **chosen: Any) -> Iterator[Site]:
    """A site over an empty record, with cheap hashes; `chosen` are settings."""
    port = free_port()
    settings = load_settings(
        {}, data=folder, port=port, access="closed", log_level="ERROR", **chosen
    )
    services = build(settings)
    assert services.gate is not None
    cheap = Accounts(services.store.storage, services.secret, Passwords(PasswordHasher(1, 64, 1)))
    services.gate.accounts = services.gate.smart.accounts = cheap
    server = serve(web_application(services), "127.0.0.1", port, 8)
    try:
        yield Site(services, f"http://127.0.0.1:{port}")
    finally:
        server.close()
        services.store.close()


def fill(site: Site) -> None:
    """Two residents with a result each, people, and an app of each kind."""
    with site.services.store.transaction() as transaction:
        child = str(clock.now().year - 5)
        for patient_id, name, born in (
            ("p1", "张三", "1980-01-01"), ("p2", "李四", "1980-01-01"), ("p3", "张小", child),
            ("p4", "王五", "1980-01-01"),
        ):  # fmt: skip
            transaction.put(patient(patient_id, name, born))
            transaction.put(observation(f"o-{patient_id}", patient_id))
            transaction.put(agreement(patient_id))
        transaction.put(guardian_of("p3", "p4"))
    site.person("zhang", Binding("resident", patient="p1", proof="number and code"))
    site.person("li", Binding("resident", patient="p2", proof="number and code"))
    site.person("parent", Binding("resident", patient="p4"))
    site.person("op", Binding("operator"))
    site.person("nobody")
    site.keys |= {"asymmetric": ECKey.generate_key("P-384", auto_kid=True)}
    site.keys |= {"system": RSAKey.generate_key(2048, auto_kid=True)}
    jwks = {key: {"keys": [each.as_dict(private=False)]} for key, each in site.keys.items()}
    web = {"redirect_uris": (BACK,)}
    site.register("public", kind="public", owner="App Example", **web)
    site.register("symmetric", kind="symmetric", introspects=True, **web)
    site.register("other", kind="symmetric", **web)
    site.register("asymmetric", kind="asymmetric", jwks=jwks["asymmetric"], **web)
    site.register(
        "online", kind="public", scopes="launch/patient online_access patient/*.rs", **web
    )
    site.register(
        "portal",
        kind="public",
        scopes="openid fhirUser launch launch/patient user/*.rs patient/*.rs",
        launches=True,
        launch_uri="https://app.example/launch",
        **web,
    )
    site.register(
        "system", kind="asymmetric", jwks=jwks["system"], system=True, scopes="system/*.rs"
    )


def forget_tries(site: Site) -> None:
    """What one check tried wrongly, or was let have, is no matter of the next one."""
    with site.services.store.writing() as session:
        session.run("DELETE FROM sign_in_delay")
        session.run("DELETE FROM app_consent")


class _Forms(HTMLParser):
    """The forms of a page: action, fields as they stand, buttons, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, list[tuple[str, str]]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found.get("action", ""), []))
        is_sent = found.get("type") != "checkbox" or "checked" in found
        if tag == "input" and self.forms and found.get("name") and is_sent:
            self.forms[-1][1].append((found["name"], found.get("value", "")))

    def handle_data(self, data: str) -> None:
        """Collects."""
        self.text += data


class Browser:
    """A person's browser: cookies, forms, redirects within the site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.web = requests.Session()
        self.web.headers["Accept-Language"] = "en"
        self.page = requests.Response()

    def open(self, path: str, **options: Any) -> requests.Response:
        """Go to a page; stops before an address of another site."""
        self.page = self.web.get(
            urljoin(self.site.root, path), allow_redirects=False, timeout=120, **options
        )
        return self._followed()

    @property
    def text(self) -> str:
        """What can be read on the page."""
        return _Forms(self.page.text).text

    def send(
        self, form: int = 0, leave_out: tuple[str, ...] = (), **values: str
    ) -> requests.Response:
        """Send a form of the page with `values` in its fields; `leave_out` are ticks taken away."""
        action, fields = _Forms(self.page.text).forms[form]
        kept = [(n, v) for n, v in fields if n not in values and v not in leave_out]
        self.page = self.web.post(
            urljoin(self.page.url, action),
            data=[*kept, *values.items()],
            allow_redirects=False,
            timeout=120,
        )
        return self._followed()

    def sign_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        """Sign in by the page; a page that asks for it already is used."""
        if not self.page.content or 'name="password"' not in self.page.text:
            self.open("/sign-in")
        return self.send(name=name, password=password)

    def _followed(self) -> requests.Response:
        while self.page.status_code in (302, 303):
            target = urljoin(self.page.url, self.page.headers["Location"])
            if not target.startswith(self.site.root + "/"):
                break
            self.page = self.web.get(target, allow_redirects=False, timeout=120)
        return self.page


@dataclass
class Launch:
    """One authorization of an app, step by step."""

    site: Site
    app: str = "public"
    scope: str = SCOPES
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(8))

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """Those of the authorization request; a change to None takes one away."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        said = {
            "response_type": "code",
            "client_id": self.site.apps[self.app].client_id,
            "redirect_uri": BACK,
            "scope": self.scope,
            "state": self.state,
            "aud": self.site.base,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in said.items() if value is not None}

    def path(self, **changes: str | None) -> str:
        """The address of the authorization request."""
        return f"/auth/authorize?{urlencode(self.parameters(**changes))}"

    def ask(self, browser: Browser | None = None, **changes: str | None) -> requests.Response:
        """Open the authorization request."""
        return (browser or Browser(self.site)).open(self.path(**changes))

    def code(
        self, name: str = "zhang", browser: Browser | None = None, **changes: str | None
    ) -> str:
        """Sign in, agree to everything; the code that the app is sent."""
        browser = browser or Browser(self.site)
        page = self.ask(browser, **changes)
        if 'name="password"' in page.text:
            page = browser.sign_in(name)
        if page.status_code == 200:
            page = browser.send(answer="allow")
        return returned(page)["code"]

    def redeem(self, code: str, **changes: str | None) -> requests.Response:
        """Exchange a code for tokens, proving the app as it is registered."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": self.verifier,
        }
        return self._send(form, changes)

    def refresh(self, token: str, **changes: str | None) -> requests.Response:
        """Exchange a refresh token."""
        return self._send({"grant_type": "refresh_token", "refresh_token": token}, changes)

    def tokens(self, name: str = "zhang", **changes: str | None) -> dict[str, Any]:
        """The whole way; the token answer."""
        answer = self.redeem(self.code(name, **changes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _send(
        self, form: dict[str, str | None], changes: dict[str, str | None]
    ) -> requests.Response:
        app = self.site.apps[self.app]
        options: dict[str, Any] = {}
        if app.kind == "public":
            form["client_id"] = app.client_id
        elif app.kind == "symmetric":
            options["auth"] = (app.client_id, self.site.secrets[self.app])
        else:
            form |= proof(self.site.assertion(self.app))
        sent = {name: value for name, value in (form | changes).items() if value is not None}
        return self.site.token(sent, **options)


def proof(assertion: str) -> dict[str, str | None]:
    """The parameters that carry an assertion."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": kind, "client_assertion": assertion}


def returned(page: requests.Response) -> dict[str, str]:
    """What an app is sent back with; fails when the browser stayed here."""
    location = page.headers.get("Location", "")
    assert location.startswith(BACK), (page.status_code, location, page.text[:2000])
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
