"""Where the library's defaults are looser than SMART: each guard of ours, by itself."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from joserfc.jwk import RSAKey

from fhir_bridge.clients import fetch_key_set
from fhir_bridge.errors import BridgeError
from fhir_bridge.smart.app import App
from fhir_bridge.smart.flows import Refresh, SmartRules
from fhir_bridge.smart.jose import InvalidTokenError, has_structured_primes, verified_payload
from fhir_bridge.smart.key_sets import KeySets


def test_the_floor_of_the_library_is_the_release_with_all_its_mended_weaknesses():
    """Open redirect, trusted ``jwk`` header, loopback test: 1.9.10 has none of them."""
    from importlib.metadata import requires, version

    (wanted,) = (each for each in requires("fhir-bridge") if each.lower().startswith("authlib"))
    assert ">=1.9.10" in wanted
    assert tuple(map(int, version("authlib").split("."))) >= (1, 9, 10)


def test_only_s256_is_known_to_the_code_challenge():
    """The library's own rule knows ``plain`` and takes it when no method is named."""
    assert SmartRules.SUPPORTED_CODE_CHALLENGE_METHOD == ["S256"]
    assert set(SmartRules.CODE_CHALLENGE_METHODS) == {"S256"}
    assert SmartRules.DEFAULT_CODE_CHALLENGE_METHOD == "S256"


def test_refresh_tokens_rotate():
    """Off by default in the library."""
    assert Refresh.INCLUDE_NEW_REFRESH_TOKEN is True


@pytest.mark.parametrize("algorithms", [(), ("HS256",), ("none",)])
def test_a_token_is_judged_by_our_list_of_algorithms(algorithms):
    """Neither the token's word nor that of the app's metadata widens it."""
    from joserfc import jwt

    key = RSAKey.generate_key(2048, auto_kid=True)
    token = jwt.encode({"alg": "RS384", "kid": key.kid}, {}, key, algorithms=["RS384"])
    public = [key.as_dict(private=False)]
    assert verified_payload(token, public, ("RS384",))[0]["alg"] == "RS384"
    with pytest.raises(InvalidTokenError):
        verified_payload(token, public, algorithms)


def test_a_modulus_of_structured_primes_is_weak():
    """The library takes such keys; ordinary ones are not mistaken for them."""
    primes = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
    assert has_structured_primes(pow(65_537, 12_345, math.prod(primes)) + 7 * math.prod(primes))
    for _ in range(5):
        numbers = RSAKey.generate_key(2048).public_key.public_numbers()
        assert not has_structured_primes(numbers.n)


def test_two_keys_with_one_name_are_none():
    """Which of them has signed cannot be known."""
    from joserfc import jwt

    key, other = (RSAKey.generate_key(2048, {"kid": "same"}) for _ in range(2))
    token = jwt.encode({"alg": "RS384", "kid": "same"}, {}, key, algorithms=["RS384"])
    with pytest.raises(InvalidTokenError):
        verified_payload(
            token, [key.as_dict(private=False), other.as_dict(private=False)], ("RS384",)
        )


def test_the_library_is_not_loaded_where_nobody_signs_in():
    """Open mode starts as fast as before."""
    code = "import fhir_bridge.app, fhir_bridge.console, sys; print([m for m in sys.modules if m.split('.')[0] in ('authlib', 'joserfc', 'argon2', 'pyotp')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


class _Keys:
    """A server of keys that counts who comes."""

    def __init__(self) -> None:
        self.count, self.status, self.control = 0, 200, "max-age=60"
        self.body = b""
        keys = self

        class Handler(BaseHTTPRequestHandler):
            """Handler."""

            def do_GET(self) -> None:
                """Do GET."""
                keys.count += 1
                self.send_response(keys.status)
                self.send_header("Cache-Control", keys.control)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                self.wfile.write(keys.body)

            def log_message(self, *_: object) -> None:
                """Silence."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/jwks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def published():
    """Keys at an address."""
    keys = _Keys()
    yield keys
    keys.server.shutdown()
    keys.server.server_close()


def _app(address: str) -> App:
    return App("id", "App", "asymmetric", "system/*.rs", jwks_url=address)


def _published(published, kid: str) -> None:
    key = RSAKey.generate_key(2048, {"kid": kid}).as_dict(private=False)
    published.body = json.dumps({"keys": [key]}).encode()


def test_fetched_keys_are_kept_as_long_as_they_may_be(published, monkeypatch):
    """And fetched once more for an unknown name, not again and again."""
    clock = [1_000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    sets = KeySets(fetch_key_set)
    _published(published, "a")
    app = _app(published.address)
    assert sets.of(app, "a")[0]["kid"] == "a"
    sets.of(app, "a")
    assert published.count == 1
    _published(published, "b")
    for _ in range(5):
        sets.of(app, "b")
    assert published.count == 1
    clock[0] += 11
    assert sets.of(app, "b")[0]["kid"] == "b"
    assert published.count == 2
    clock[0] += 61
    sets.of(app, "b")
    assert published.count == 3
    published.control = "no-store"
    clock[0] += 61
    sets.of(app, "b")
    sets.of(app, "b")
    assert published.count == 5


@pytest.mark.parametrize("wrong", ["redirect", "large", "no json", "no object", "private", "away"])
def test_what_is_no_key_set_is_no_key(published, wrong):
    """A redirect is not followed, nothing large is read."""
    _published(published, "a")
    address = published.address
    if wrong == "redirect":
        published.status = 302
    elif wrong == "large":
        published.body += b" " * 70_000
    elif wrong == "no json":
        published.body = b"<html>"
    elif wrong == "no object":
        published.body = b"[]"
    elif wrong == "private":
        published.body = json.dumps(
            {"keys": [RSAKey.generate_key(2048).as_dict(private=True)]}
        ).encode()
    else:
        address = "http://127.0.0.1:9/jwks"
    assert KeySets(fetch_key_set).of(_app(address), "a") == []
    if wrong != "private":
        with pytest.raises(BridgeError) as refused:
            fetch_key_set(address)
        assert refused.value.code == "FB-7313"
