"""The keys that sign identity tokens: RS256 for all, ES384 where an app asks for it.

A key is named by its thumbprint (RFC 7638).  A new one takes over every 90 days, or when an
operator says so; the one before is published for another day, so that tokens that it signed are
still verified.  Private keys are sealed in the database.
"""

from __future__ import annotations

import json
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fhir_bridge import clock
from fhir_bridge.accounts import Seal
from fhir_bridge.database import Storage, milliseconds

__all__ = ["SigningKeys"]

_DAY = 86_400_000
_ROTATED_MS, _OVERLAP_MS = 90 * _DAY, _DAY
ALGORITHMS = ("RS256", "ES384")


class SigningKeys:
    """The signing keys of one record, shared by all processes."""

    def __init__(self, storage: Storage, secret: bytes) -> None:
        self._storage = storage
        self._seal = Seal(secret)
        self._open: dict[str, RSAKey | ECKey] = {}

    def signed(self, claims: dict[str, Any], algorithm: str) -> str:
        """A JWT of `claims` by the present key of an algorithm."""
        kid, key = self._present(algorithm)
        header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
        return jwt.encode(header, claims, key, algorithms=[algorithm])

    def jwks(self) -> dict[str, Any]:
        """The public keys; at least one of each algorithm."""
        for algorithm in ALGORITHMS:
            self._present(algorithm)
        now = milliseconds(clock.now())
        with self._storage.reading() as session:
            rows = session.all(
                "SELECT kid, algorithm, private FROM signing_key"
                " WHERE retired = 0 OR retired > ? ORDER BY created DESC, kid",
                (now - _OVERLAP_MS,),
            )
        return {
            "keys": [
                self._opened(kid, bytes(private)).as_dict(private=False)
                | {"kid": kid, "alg": algorithm, "use": "sig"}
                for kid, algorithm, private in rows
            ]
        }

    def rotate(self) -> list[str]:
        """New keys take over now; their names."""
        return [self._make(algorithm) for algorithm in ALGORITHMS]

    def _present(self, algorithm: str) -> tuple[str, RSAKey | ECKey]:
        oldest = milliseconds(clock.now()) - _ROTATED_MS
        row = self._newest(algorithm, oldest)
        if row is None:
            self._make(algorithm)
            row = self._newest(algorithm, oldest)
        assert row is not None  # noqa: S101 - it was made above
        return row[0], self._opened(row[0], row[1])

    def _newest(self, algorithm: str, since: int) -> tuple[str, bytes] | None:
        with self._storage.reading() as session:
            row = session.one(
                "SELECT kid, private FROM signing_key WHERE algorithm = ? AND retired = 0"
                " AND created > ? ORDER BY created DESC, kid LIMIT 1",
                (algorithm, since),
            )
        return (row[0], bytes(row[1])) if row else None

    def _make(self, algorithm: str) -> str:
        key = RSAKey.generate_key(2048) if algorithm == "RS256" else ECKey.generate_key("P-384")
        kid, now = key.thumbprint(), milliseconds(clock.now())
        private = self._seal.close(json.dumps(key.as_dict(private=True)))
        with self._storage.writing() as session:
            session.run(
                "UPDATE signing_key SET retired = ? WHERE algorithm = ? AND retired = 0",
                (now, algorithm),
            )
            session.run(
                "INSERT INTO signing_key (kid, algorithm, private, created, retired)"
                " VALUES (?,?,?,?,0)",
                (kid, algorithm, private, now),
            )
        return kid

    def _opened(self, kid: str, private: bytes) -> RSAKey | ECKey:
        if kid not in self._open:
            parts = json.loads(self._seal.open(private))
            kind = RSAKey if parts["kty"] == "RSA" else ECKey
            self._open[kid] = kind.import_key(parts)
        return self._open[kid]
