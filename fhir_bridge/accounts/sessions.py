"""Who is signed in: a secret of 256 bits in a cookie, its digest in the database.

A session ends after some time without use, and after an absolute time; between password and
second factor there is a short one that opens nothing.  Each stage has a secret of its own, so
that nobody can hand one out before the sign-in and use it after.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.accounts.sealing import digest
from fhir_bridge.database import Storage, milliseconds

__all__ = ["Session", "Sessions"]

_MINUTE = 60_000
IDLE_MS, ABSOLUTE_MS, HALF_MS = 30 * _MINUTE, 12 * 60 * _MINUTE, 5 * _MINUTE


@dataclass(frozen=True, slots=True)
class Session:
    """`began` in ms since 1970 is when the person proved who they are; `digest` names the row.

    `whole` is False as long as the second factor is awaited; `methods` are those of RFC 8176.
    """

    digest: bytes
    account_id: str
    began: int
    whole: bool
    methods: tuple[str, ...]

    @property
    def handle(self) -> str:
        """A short name for logs, never the secret."""
        return self.digest.hex()[:12]


class Sessions:
    """The sessions of one record."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def begin(
        self, account_id: str, methods: tuple[str, ...], *, whole: bool, instead_of: str = ""
    ) -> str:
        """A fresh session's secret; that of `instead_of` opens nothing any more."""
        secret, now = secrets.token_urlsafe(32), milliseconds(clock.now())
        with self._storage.writing() as session:
            session.run("DELETE FROM account_session WHERE began < ?", (now - ABSOLUTE_MS,))
            if instead_of:
                session.run("DELETE FROM account_session WHERE digest = ?", (digest(instead_of),))
            session.run(
                "INSERT INTO account_session (digest, account_id, began, last_seen, whole, methods)"
                " VALUES (?,?,?,?,?,?)",
                (digest(secret), account_id, now, now, int(whole), " ".join(methods)),
            )
        return secret

    def find(self, secret: str) -> Session | None:
        """The session of a secret, as long as it lives; its use is noted once a minute."""
        if not 40 <= len(secret) <= 64:
            return None
        key, now = digest(secret), milliseconds(clock.now())
        with self._storage.reading() as session:
            row = session.one(
                "SELECT s.account_id, s.began, s.last_seen, s.whole, s.methods"
                " FROM account_session s JOIN account a ON a.account_id = s.account_id"
                " WHERE s.digest = ? AND a.locked = 0",
                (key,),
            )
        if row is None:
            return None
        account_id, began, last_seen, whole, methods = row
        if now - began > (ABSOLUTE_MS if whole else HALF_MS) or now - last_seen > IDLE_MS:
            return None
        if now - last_seen > _MINUTE:
            with self._storage.writing() as session:
                session.run("UPDATE account_session SET last_seen = ? WHERE digest = ?", (now, key))
        return Session(key, account_id, began, bool(whole), tuple(methods.split()))

    def lives(self, key: bytes) -> bool:
        """Whether the session with this digest is still there and has not grown too old."""
        oldest = milliseconds(clock.now()) - ABSOLUTE_MS
        with self._storage.reading() as session:
            row = session.one(
                "SELECT 1 FROM account_session WHERE digest = ? AND began > ? AND whole = 1",
                (key, oldest),
            )
        return row is not None

    def end(self, secret: str) -> None:
        """The secret opens nothing any more."""
        with self._storage.writing() as session:
            session.run("DELETE FROM account_session WHERE digest = ?", (digest(secret),))
