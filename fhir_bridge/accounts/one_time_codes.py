"""Codes that are used once: links that set an account up, and codes that bind it to a record.

By a binding code an institution says that the person before it is the one whose record it holds.

It is worth nothing without the identifier that it was made for: both together are
kept as one keyed digest, so that neither can be tried alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.accounts.account import Binding
from fhir_bridge.accounts.sealing import Seal, digest
from fhir_bridge.database import Row, Storage, milliseconds

__all__ = ["OneTimeCodes", "SetUp"]

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No letter or digit that is read as another one."""
_BINDING_LENGTH = 10
_HOUR = 3_600_000
SET_UP_HOURS, BINDING_HOURS = 24, 24 * 14


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a set-up link is for: an account that gets its password, or ("") a first one."""

    digest: bytes
    account_id: str
    role: str


class OneTimeCodes:
    """The codes of one record."""

    def __init__(self, storage: Storage, seal: Seal) -> None:
        self._storage = storage
        self._seal = seal

    def set_up_link(self, account_id: str = "", role: str = "") -> str:
        """The secret of a link that lets one person choose a password; earlier ones end."""
        secret = secrets.token_urlsafe(32)
        with self._storage.writing() as session:
            session.run(
                "DELETE FROM one_time_code WHERE kind = 'set-up' AND account_id = ?", (account_id,)
            )
        self._keep(digest(secret), "set-up", Binding(role), SET_UP_HOURS, account_id)
        return secret

    def set_up(self, secret: str) -> SetUp | None:
        """What a link is for, as long as it can be used."""
        row = self._row(digest(secret), "set-up")
        return SetUp(digest(secret), row[0], row[1]) if row else None

    def binding_code(self, identifier: str, binding: Binding) -> str:
        """A code for the person whom `identifier` (system|value) names, to be given in person."""
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_BINDING_LENGTH))
        self._keep(self._binding_key(identifier, code), "bind", binding, BINDING_HOURS)
        return f"{code[:5]}-{code[5:]}"

    def use_binding(self, identifiers: tuple[str, ...], code: str) -> Binding | None:
        """What the code stands for with one of `identifiers`; it is spent by this."""
        for identifier in identifiers:
            key = self._binding_key(identifier, code)
            row = self._row(key, "bind")
            if row is not None and self.spend(key):
                _, role, patient, practitioner, organization = row
                system = identifier.partition("|")[0]
                proof = f"identifier of {system} and a code of the institution"
                return Binding(role, patient, practitioner, organization, proof)
        return None

    def spend(self, key: bytes) -> bool:
        """Use a code up; False when somebody was first."""
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            changed = session.run(
                "UPDATE one_time_code SET used = ? WHERE digest = ? AND used = 0 AND expires > ?",
                (now, key, now),
            )
        return changed == 1

    def restore(self, key: bytes) -> None:
        """What a code was used for did not come about: it can be used again."""
        with self._storage.writing() as session:
            session.run("UPDATE one_time_code SET used = 0 WHERE digest = ?", (key,))

    def _row(self, key: bytes, kind: str) -> Row | None:
        with self._storage.reading() as session:
            return session.one(
                "SELECT account_id, role, patient, practitioner, organization FROM one_time_code"
                " WHERE digest = ? AND kind = ? AND used = 0 AND expires > ?",
                (key, kind, milliseconds(clock.now())),
            )

    def _keep(self, key: bytes, kind: str, of: Binding, hours: int, account_id: str = "") -> None:
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            session.run("DELETE FROM one_time_code WHERE expires < ?", (now,))
            session.run(
                "INSERT INTO one_time_code (digest, kind, account_id, role, patient, practitioner,"
                " organization, expires, used) VALUES (?,?,?,?,?,?,?,?,0)",
                (key, kind, account_id, of.role, of.patient, of.practitioner, of.organization,
                 now + hours * _HOUR),
            )  # fmt: skip

    def _binding_key(self, identifier: str, code: str) -> bytes:
        letters = "".join(each for each in code.upper() if each in _ALPHABET)
        return self._seal.mark("bind", identifier.strip().casefold(), letters)
