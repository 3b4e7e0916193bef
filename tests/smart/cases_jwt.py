"""Attacks on signed tokens (RFC 8725), tried where we take one: the assertion of an app.

Nothing here is an input that gets past anybody: each is refused by the site, and the forged ones
are made at the moment of the test with keys of the test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fhir_bridge.errors import BridgeError
from tests.smart.cases import case
from tests.smart.cases_oauth import later
from tests.smart.site import BACK, Launch, Site, proof

_FORM = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}


def encoded(data: bytes | str | dict[str, Any]) -> str:
    """Base64url without padding; an object as JSON."""
    raw = json.dumps(data) if isinstance(data, dict) else data
    return (
        base64.urlsafe_b64encode(raw.encode() if isinstance(raw, str) else raw)
        .rstrip(b"=")
        .decode()
    )


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = token.split(".")
    return (
        json.loads(base64.urlsafe_b64decode(head + "==")),
        json.loads(base64.urlsafe_b64decode(body + "==")),
        signature,
    )


def _signed(
    site: Site, header: dict[str, Any] | str, payload: str | dict[str, Any], key: str = "system"
) -> str:
    """A token with any header and payload, rightly signed by an app's key."""
    from joserfc.jws import JWSRegistry

    signing = site.keys[key]
    algorithm = "RS384" if isinstance(signing, RSAKey) else "ES384"
    text = f"{encoded(header)}.{encoded(payload)}"
    signature = JWSRegistry.algorithms[algorithm].sign(text.encode(), signing)
    return f"{text}.{encoded(signature)}"


def refused(site: Site, token: str, seconds: float = 5.0) -> None:
    """``invalid_client``, soon, and no token."""
    began = time.perf_counter()
    answer = site.token(_FORM | proof(token))
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"] in {"invalid_client", "invalid_request"}
    assert "access_token" not in answer.text
    assert time.perf_counter() - began < seconds


def taken(site: Site, token: str) -> None:
    """The counter-example: what is right is taken, so a refusal says something."""
    answer = site.token(_FORM | proof(token))
    assert answer.status_code == 200, answer.text


def _with_header(site: Site, **changes: Any) -> str:
    header, claims, _ = _parts(site.assertion("system"))
    kept = {name: value for name, value in (header | changes).items() if value is not None}
    return _signed(site, kept, claims)


@case("J-01")
def algorithm_none(site: Site) -> None:
    """With and without something in the place of the signature."""
    header, claims, _ = _parts(site.assertion("system"))
    for name in ("none", "None", "NONE", ""):
        text = f"{encoded(header | {'alg': name})}.{encoded(claims)}."
        for token in (text, f"{text}AA"):
            refused(site, token)


@case("J-04")
def public_key_as_secret(site: Site) -> None:
    """A public key is no HMAC secret, in whichever form it is written."""
    header, claims, _ = _parts(site.assertion("system"))
    key = site.keys["system"]
    pem = key.as_pem(private=False)
    for secret in (pem, pem.rstrip(b"\n"), json.dumps(key.as_dict(private=False)).encode()):
        for name, algorithm in (("HS256", "sha256"), ("HS384", "sha384")):
            text = f"{encoded(header | {'alg': name})}.{encoded(claims)}"
            mark = hmac.new(secret, text.encode(), algorithm).digest()
            refused(site, f"{text}.{encoded(mark)}")


@case("J-08", "J-39")
def changed_payload(site: Site) -> None:
    """A bit, or the claims themselves."""
    head, body, signature = site.assertion("system").split(".")
    flipped = bytearray(base64.urlsafe_b64decode(body + "=="))
    flipped[len(flipped) // 2] ^= 1
    refused(site, f"{head}.{encoded(bytes(flipped))}.{signature}")
    _, claims, _ = _parts(f"{head}.{body}.{signature}")
    refused(site, f"{head}.{encoded(claims | {'scope': 'system/*.cruds'})}.{signature}")


@case("J-09")
def embedded_key(site: Site) -> None:
    """A key in the token is never trusted: not an attacker's, not even the right one."""
    attacker = RSAKey.generate_key(2048, auto_kid=True)
    header, claims, _ = _parts(site.assertion("system"))
    own = header | {"jwk": attacker.as_dict(private=False)}
    refused(site, jwt.encode(own, claims, attacker, algorithms=["RS384"]))
    refused(site, _with_header(site, jwk=site.keys["system"].as_dict(private=False)))
    refused(site, _with_header(site, x5c=["AAAA"]))
    refused(site, _with_header(site, x5u="https://good.example/x"))


@case("J-11")
def foreign_key_address(site: Site) -> None:
    """Only the registered address, character by character."""
    for address in (
        "https://good.example@evil.example/jwks",
        "https://good.example.evil.example/jwks",
    ):
        refused(site, _with_header(site, jku=address))
    with pytest.raises(BridgeError):
        site.register(
            "tricky",
            kind="asymmetric",
            jwks_url="https://good.example@evil.example/jwks",
            redirect_uris=(BACK,),
        )


@case("J-15")
def kid_with_a_command(site: Site) -> None:
    """A name that nobody has, and no more."""
    for kid in ("key; sleep 5", "' OR 1=1 --", "../../../../dev/null", "x" * 5_000):
        refused(site, _with_header(site, kid=kid), seconds=4)


@case("J-16")
def kid_left_out(site: Site) -> None:
    """It is required, whether one key is published or several."""
    refused(site, _with_header(site, kid=None))
    refused(site, _with_header(site, kid=7))
    taken(site, _with_header(site))


@case("J-17", "J-18")
def critical_headers(site: Site) -> None:
    """None is understood, so none is taken."""
    refused(site, _with_header(site, crit=["exp2"], exp2=1))
    refused(site, _with_header(site, crit=[]))
    refused(site, _with_header(site, b64=False, crit=["b64"]))
    refused(site, _with_header(site, b64=False))


@case("J-19")
def claims_twice(site: Site) -> None:
    """Refused, so that nobody reads another one than we do."""
    header, claims, _ = _parts(site.assertion("system"))
    text = json.dumps(claims)
    refused(site, _signed(site, header, text.replace("{", '{"exp": 99999999999, ', 1)))
    refused(site, _signed(site, header, text.replace("{", '{"iss": "other", ', 1)))
    taken(site, _signed(site, header, text))


@case("J-20", "J-22", "J-23")
def times(site: Site) -> None:
    """It expires, soon, and is of the present."""
    now = int(time.time())
    for wrong in (
        {"exp": None}, {"exp": now - 60}, {"exp": now + 3600}, {"exp": "soon"}, {"exp": True},
        {"exp": 10**400}, {"nbf": now + 120}, {"iat": now + 10**6}, {"nbf": "x"},
    ):  # fmt: skip
        refused(site, site.assertion("system", **wrong))
    header, claims, _ = _parts(site.assertion("system"))
    refused(site, _signed(site, header, json.dumps(claims).replace(str(claims["exp"]), "NaN")))


@case("J-24")
def audiences(site: Site) -> None:
    """Ours, alone or among others."""
    own = f"{site.root}/auth/token"
    for wrong in (None, "", "https://other.example/token", ["https://other.example"], {"x": own}):
        refused(site, site.assertion("system", aud=wrong))
    taken(site, site.assertion("system", aud=["https://other.example/token", own]))


@case("J-25")
def other_issuers(site: Site) -> None:
    """An app speaks for itself only, also when both are known here."""
    other = site.apps["asymmetric"].client_id
    refused(site, site.assertion("system", iss=other))
    refused(site, site.assertion("system", sub=other))
    refused(site, site.assertion("system", iss=other, sub=other))
    refused(site, site.assertion("system", iss=None))
    refused(site, site.assertion("system", iss=["x"]))


@case("J-26", "J-40")
def identity_token_as_access_token(site: Site) -> None:
    """An identity token opens nothing; neither does any JWT of ours or of others."""
    said = Launch(site).tokens()
    for token in (said["id_token"], site.assertion("system")):
        assert site.get("Patient/p1", token).status_code == 401
    refused(site, said["id_token"])


@case("J-28")
def zero_signature(site: Site) -> None:
    """R = 0, s = 0."""
    header, claims, _ = _parts(site.assertion("asymmetric"))
    for length in (96, 64, 1, 0):
        token = f"{encoded(header)}.{encoded(claims)}.{encoded(bytes(length))}"
        refused(site, token)


@case("J-29")
def signature_in_another_form(site: Site) -> None:
    """DER, with zeros before, too long, too short."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    head, body, signature = site.assertion("asymmetric").split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    half = len(raw) // 2
    der = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    for form in (der, b"\0" + raw, raw + b"\0", raw[:-1], b"\0" + raw[:half] + b"\0" + raw[half:]):
        refused(site, f"{head}.{body}.{encoded(form)}")


@case("J-30")
def wrong_curves(site: Site) -> None:
    """Other curves and points that lie on none cannot be registered."""
    good = ECKey.generate_key("P-384").as_dict(private=False)
    off = {**good, "y": encoded(b"\1" * 48)}
    for jwk in (
        {**good, "crv": "secp256k1"},
        {**good, "crv": "P-192"},
        off,
        {**good, "crv": "P-256"},
    ):
        with pytest.raises(BridgeError):
            site.register("curve", kind="asymmetric", jwks={"keys": [jwk]}, redirect_uris=(BACK,))


@case("J-32")
def other_base64(site: Site) -> None:
    """One text, one token: no padding, no other alphabet, no blanks, no bits left over."""
    head, body, signature = site.assertion("system").split(".")
    last = signature[-1]
    for changed in (
        f"{head}=.{body}.{signature}", f"{head}.{body}=.{signature}", f"{head}.{body}.{signature}==",
        f" {head}.{body}.{signature}", f"{head}.{body}.{signature}\n", f"{head}. {body}.{signature}",
        f"{head}.{body}.{signature[:-1]}+", f"{head}.{body}.{signature[:-1]}/",
    ):  # fmt: skip
        refused(site, changed)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(signature) % 4 in (2, 3):
        beside = alphabet[alphabet.index(last) ^ 1]
        refused(site, f"{head}.{body}.{signature[:-1]}{beside}")


@case("J-33")
def odd_headers(site: Site) -> None:
    """Refused in under a second."""
    _, claims, _ = _parts(site.assertion("system"))
    for header in (
        "x",
        "[]",
        '"x"',
        "1",
        "",
        "\ufeff{}",
        '{"alg":"RS384"',
        "[" * 10_000,
        '{"a":' * 3_000,
    ):
        refused(site, _signed(site, header, claims), seconds=4)
    for payload in ("x", "[]", "1", "", "null", "[" * 10_000):
        header, _, _ = _parts(site.assertion("system"))
        refused(site, _signed(site, header, payload), seconds=4)


@case("J-35", "J-36")
def encrypted_tokens(site: Site) -> None:
    """Nothing is decrypted or unpacked."""
    for header in (
        {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 10_000_000, "p2s": "AAAA"},
        {"alg": "dir", "enc": "A128GCM", "zip": "DEF"},
        {"alg": "RSA-OAEP", "enc": "A256GCM"},
    ):
        refused(site, f"{encoded(header)}.AAAA.AAAA.AAAA.AAAA", seconds=4)
    refused(site, _with_header(site, zip="DEF"))


@case("J-37")
def guessed_secrets(site: Site) -> None:
    """There is no shared secret to guess."""
    header, claims, _ = _parts(site.assertion("system"))
    for secret in ("secret", "changeme", "your-256-bit-secret", ""):
        text = f"{encoded(header | {'alg': 'HS256'})}.{encoded(claims)}"
        mark = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
        refused(site, f"{text}.{encoded(mark)}")


@case("J-41")
def rotated_keys(site: Site) -> None:
    """The key before is published for a day, and then no more."""
    address = f"{site.root}/auth/jwks"
    with site.services.store.writing() as session:  # of checks that went to other times
        session.run("DELETE FROM signing_key")
    before = {key["kid"] for key in requests.get(address, timeout=120).json()["keys"]}
    site.smart.keys.rotate()
    after = {key["kid"] for key in requests.get(address, timeout=120).json()["keys"]}
    assert before < after
    with later(days=2):
        kept = {key["kid"] for key in requests.get(address, timeout=120).json()["keys"]}
    assert kept.isdisjoint(before)
    assert kept


@case("J-42")
def published_keys(site: Site) -> None:
    """Public parts of asymmetric keys, and nothing else."""
    keys = requests.get(f"{site.root}/auth/jwks", timeout=120).json()["keys"]
    assert {key["kty"] for key in keys} == {"RSA", "EC"}
    for key in keys:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert key["use"] == "sig"
    secret = {"keys": [{"kty": "oct", "k": "AAAA", "kid": "x"}]}
    with pytest.raises(BridgeError):
        site.register("oct", kind="asymmetric", jwks=secret, redirect_uris=(BACK,))
