"""Signed tokens of others, verified (https://www.rfc-editor.org/rfc/rfc8725).

joserfc does the cryptography.  What is decided before it is called is ours: the form to the last
character, the algorithm from a list of ours, no key and no address of a key from the token
itself, no header that must be understood, and exactly one key that has the token's `kid` and the
algorithm's type.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from fhir_bridge.errors import BridgeError

__all__ = [
    "ASYMMETRIC",
    "InvalidTokenError",
    "claims_of",
    "has_structured_primes",
    "require_public_keys",
    "unverified_payload",
    "verified_payload",
]

ASYMMETRIC = ("RS384", "ES384")
"""What SMART asks for (https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html)."""

_MAX_BYTES = 16_384
_MIN_RSA_BITS = 2_048
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
"""Primes modulo which the powers of 65537 are few."""
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)")
_NOT_TAKEN = ("crit", "b64", "jwk", "x5c", "x5u", "zip")
_KEYS: dict[str, tuple[str, str]] = {
    "RS256": ("RSA", ""), "RS384": ("RSA", ""), "RS512": ("RSA", ""),
    "PS256": ("RSA", ""), "PS384": ("RSA", ""), "PS512": ("RSA", ""),
    "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}  # fmt: skip


class InvalidTokenError(ValueError):
    """A token that is not taken; the text says why, without anything of the token."""


def verified_payload(
    token: str, keys: Sequence[Mapping[str, Any]], algorithms: Collection[str]
) -> tuple[dict[str, Any], bytes]:
    """(header, payload) of a compact JWS that one of `keys` (JWK) has signed.

    Raises InvalidTokenError for everything else.
    """
    header, payload, signature = _parts(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in _KEYS:
        raise InvalidTokenError("the algorithm is not allowed")
    if any(name in header for name in _NOT_TAKEN):
        raise InvalidTokenError("a header parameter is not allowed")
    if not signature:
        raise InvalidTokenError("there is no signature")
    key = _import(_key_for(header, keys, algorithm))
    try:
        jws.deserialize_compact(token, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidTokenError("the signature is not right") from error
    return header, payload


def unverified_payload(token: str) -> tuple[dict[str, Any], bytes]:
    """(header, payload) as they stand: only to learn whose keys to try.  Raises InvalidTokenError."""
    header, payload, _ = _parts(token)
    return header, payload


def claims_of(payload: bytes) -> dict[str, Any]:
    """The claims of a payload; one that is said twice is refused."""
    return _object(payload, "the payload is not an object of claims")


def require_public_keys(jwks: Mapping[str, Any]) -> None:
    """Raises BridgeError FB-7312 for a key set that is none, holds a secret or a weak key."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise BridgeError("FB-7312", reason="a JWKS is an object with a list of keys")
    for key in keys:
        if {"d", "p", "q", "k"} & set(key):
            raise BridgeError("FB-7312", reason="a JWKS holds public keys only")
        try:
            _import(key)
        except InvalidTokenError as error:
            raise BridgeError("FB-7312", reason=str(error)) from None


def has_structured_primes(modulus: int) -> bool:
    """Whether an RSA modulus has primes of the form that CVE-2017-15361 (ROCA) describes.

    Modulo each of these primes it is then a power of 65537; by chance that happens to one modulus
    among a hundred million.
    """
    return all(modulus % prime in _powers(prime) for prime in _ROCA_PRIMES)


@cache
def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(65_537, exponent, prime) for exponent in range(prime))


def _parts(token: str) -> tuple[dict[str, Any], bytes, bytes]:
    if len(token) > _MAX_BYTES:
        raise InvalidTokenError("it is too long")
    form = _COMPACT.fullmatch(token)
    if form is None:
        raise InvalidTokenError("it is no compact JWS")
    head, body, signature = map(_decoded, form.groups())
    return _object(head, "the header is not an object"), body, signature


def _decoded(part: str) -> bytes:
    """Base64url without padding, and nothing left in its last bits (RFC 4648 section 3.5)."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise InvalidTokenError("a part is not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise InvalidTokenError("a part is not base64url")
    return data


def _object(data: bytes, otherwise: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise InvalidTokenError("a name is said twice")
        return dict(pairs)

    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except InvalidTokenError:
        raise
    except (ValueError, RecursionError):
        raise InvalidTokenError(otherwise) from None
    if not isinstance(found, dict):
        raise InvalidTokenError(otherwise)
    return found


def _key_for(
    header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]], algorithm: str
) -> Mapping[str, Any]:
    """The one key for a token: by its `kid`, of the type and curve that the algorithm needs."""
    kty, curve = _KEYS[algorithm]
    kid = header.get("kid")
    fitting = [
        key
        for key in keys
        if key.get("kty") == kty
        and (not curve or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and "verify" in key.get("key_ops", ["verify"])
        and (kid is None or key.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise InvalidTokenError("no single key fits")
    return fitting[0]


def _import(key: Mapping[str, Any]) -> RSAKey | ECKey | OKPKey:
    try:
        if key.get("kty") == "RSA":
            public = {name: key[name] for name in ("kty", "n", "e")}
            imported = RSAKey.import_key(public)
            numbers = imported.public_key.public_numbers()
            is_short = imported.public_key.key_size < _MIN_RSA_BITS or numbers.e < 65_537
            if is_short or has_structured_primes(numbers.n):
                raise InvalidTokenError("an RSA key is too weak")
            return imported
        if key.get("kty") == "EC":
            return ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y")})
        if key.get("kty") == "OKP":
            return OKPKey.import_key({name: key[name] for name in ("kty", "crv", "x")})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, InvalidTokenError):
            raise
        raise InvalidTokenError("a key cannot be used") from error
    raise InvalidTokenError("a key is of a type that is not taken")
