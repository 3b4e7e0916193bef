"""What one person let one app do, with its codes and tokens, which all die with it.

A *grant* is the family of all tokens that come from one authorization.  Whatever is used a
second time that may be used once - a code, a refresh token - ends the family at once
(https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).  Nothing secret is kept: digests only.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.accounts import digest
from fhir_bridge.database import Row, Session, Storage, milliseconds

__all__ = ["ACCESS_SECONDS", "SYSTEM_SECONDS", "Code", "Grant", "Grants", "Token"]

CODE_MS = 60_000
ACCESS_SECONDS, SYSTEM_SECONDS = 3_600, 300
OFFLINE_MS, ONLINE_MS = 180 * 86_400_000, 12 * 3_600_000
_ACCESS, _REFRESH = 0, 1


@dataclass(frozen=True, slots=True)
class Grant:
    """`account_id` is empty for a system; `session` is the digest of the session it began in."""

    id: str
    client_id: str
    account_id: str
    scopes: str
    patient: str = ""
    encounter: str = ""
    session: bytes = b""
    methods: str = ""
    signed_in: int = 0
    created: int = 0
    revoked: int = 0
    last_used: int = 0

    @property
    def is_lasting(self) -> bool:
        """Whether it goes on without the person (``offline_access``)."""
        return "offline_access" in self.scopes.split()

    @property
    def is_renewable(self) -> bool:
        """Whether there is a refresh token at all."""
        return self.is_lasting or "online_access" in self.scopes.split()


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code as it was redeemed (Authlib reads `code_challenge` and the method)."""

    grant: Grant
    redirect_uri: str
    code_challenge: str
    nonce: str
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """The address that the code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was granted."""
        return self.grant.scopes


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is known; `is_refresh` tells its kind."""

    grant: Grant
    digest: bytes
    is_refresh: bool
    scopes: str
    issued: int
    expires: int
    spent: int

    @property
    def is_alive(self) -> bool:
        """Whether it still opens something."""
        return not self.spent and not self.grant.revoked and self.expires > _now()

    def check_client(self, client: object) -> bool:
        """Whether it was given to this app."""
        return getattr(client, "client_id", None) == self.grant.client_id

    def get_scope(self) -> str:
        """What was granted to the family: a refresh token always stands for all of it."""
        return self.grant.scopes if self.is_refresh else self.scopes

    def is_expired(self) -> bool:
        """For Authlib."""
        return not self.is_alive

    def is_revoked(self) -> bool:
        """For Authlib."""
        return not self.is_alive


class Grants:
    """The grants of one record."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def begin(
        self, grant: Grant, code: str, *, redirect_uri: str, challenge: str, nonce: str
    ) -> None:
        """Keep a grant, and the code by which its app fetches the first tokens."""
        now = _now()
        with self._storage.writing() as session:
            session.run("DELETE FROM app_code WHERE expires < ?", (now - ONLINE_MS,))
            _insert_grant(session, grant, now)
            session.run(
                "INSERT INTO app_code (digest, grant_id, client_id, redirect_uri, challenge, nonce,"
                " expires, used) VALUES (?,?,?,?,?,?,?,0)",
                (digest(code), grant.id, grant.client_id, redirect_uri, challenge, nonce,
                 now + CODE_MS),
            )  # fmt: skip

    def redeem(self, code: str, client_id: str) -> Code | None:
        """The code, used up by this; a second use ends the whole family.

        Whoever comes with it first uses it up, also an app that it was not made for.
        """
        key, now = digest(code), _now()
        with self._storage.writing() as session:
            claimed = session.run(
                "UPDATE app_code SET used = ? WHERE digest = ? AND used = 0", (now, key)
            )
            row = session.one(
                "SELECT grant_id, client_id, redirect_uri, challenge, nonce, expires FROM app_code"
                " WHERE digest = ?",
                (key,),
            )
            if row is None:
                return None
            grant_id, owner, redirect_uri, challenge, nonce, expires = row
            if not claimed:
                _revoke(session, "grant_id = ?", grant_id, now)
                return None
            grant = _grant(session, grant_id)
        if owner != client_id or expires <= now or grant is None or grant.revoked:
            return None
        return Code(grant, redirect_uri, challenge, nonce)

    def issue(
        self,
        grant: Grant,
        *,
        access: str,
        refresh: str = "",
        scopes: str = "",
        seconds: int = ACCESS_SECONDS,
        instead_of: bytes = b"",
    ) -> bool:
        """Keep new tokens; with `instead_of` a refresh token is spent for them.

        False when that one was spent already: then the whole family has ended.
        """
        now = _now()
        lasts = OFFLINE_MS if grant.is_lasting else ONLINE_MS
        with self._storage.writing() as session:
            if instead_of and not session.run(
                "UPDATE app_token SET spent = ? WHERE digest = ? AND spent = 0", (now, instead_of)
            ):
                _revoke(session, "grant_id = ?", grant.id, now)
                return False
            rows = [(access, _ACCESS, scopes or grant.scopes, now + seconds * 1000)]
            if refresh:
                rows.append((refresh, _REFRESH, grant.scopes, now + lasts))
            session.run("DELETE FROM app_token WHERE expires < ?", (now - 86_400_000,))
            session.many(
                "INSERT INTO app_token (digest, grant_id, kind, scopes, issued, expires, spent)"
                " VALUES (?,?,?,?,?,?,0)",
                [(digest(each), grant.id, kind, of, now, until) for each, kind, of, until in rows],
            )
            session.run("UPDATE app_grant SET last_used = ? WHERE grant_id = ?", (now, grant.id))
        return True

    def begin_system(self, grant: Grant, *, access: str) -> None:
        """Keep a grant without a person, and its one short token."""
        with self._storage.writing() as session:
            old = _now() - 86_400_000
            session.run("DELETE FROM app_grant WHERE account_id = '' AND created < ?", (old,))
            _insert_grant(session, grant, _now())
        self.issue(grant, access=access, seconds=SYSTEM_SECONDS)

    def token(self, secret: str) -> Token | None:
        """The token of a secret, whatever became of it."""
        key = digest(secret)
        with self._storage.reading() as session:
            row = session.one(
                "SELECT grant_id, kind, scopes, issued, expires, spent FROM app_token"
                " WHERE digest = ?",
                (key,),
            )
            grant = _grant(session, row[0]) if row else None
        if row is None or grant is None:
            return None
        _, kind, scopes, issued, expires, spent = row
        return Token(grant, key, kind == _REFRESH, scopes, issued, expires, spent)

    def revoke(self, grant_id: str) -> None:
        """End a grant and all that came of it."""
        self._end("grant_id = ?", grant_id)

    def revoke_session(self, session_digest: bytes) -> None:
        """End what began in a session and was not to outlast it."""
        now = _now()
        with self._storage.writing() as session:
            for row in session.all(
                "SELECT grant_id, scopes FROM app_grant WHERE session = ? AND revoked = 0",
                (session_digest,),
            ):
                if "offline_access" not in row[1].split():
                    _revoke(session, "grant_id = ?", row[0], now)

    def revoke_account(self, account_id: str) -> None:
        """End everything that a person let apps do."""
        self._end("account_id = ?", account_id)

    def revoke_app_of(self, account_id: str, client_id: str) -> None:
        """End everything that a person let one app do."""
        with self._storage.writing() as session:
            session.run(
                "UPDATE app_grant SET revoked = ? WHERE account_id = ? AND client_id = ?"
                " AND revoked = 0",
                (_now(), account_id, client_id),
            )

    def spend(self, token: Token) -> None:
        """End one access token alone."""
        with self._storage.writing() as session:
            session.run(
                "UPDATE app_token SET spent = ? WHERE digest = ? AND spent = 0",
                (_now(), token.digest),
            )

    def of_account(self, account_id: str) -> list[Grant]:
        """The grants of a person that live, the newest first."""
        with self._storage.reading() as session:
            rows = session.all(
                f"{_SELECT} WHERE account_id = ? AND revoked = 0 ORDER BY created DESC",
                (account_id,),
            )
        return [Grant(*_read(row)) for row in rows]

    def is_new_assertion(self, client_id: str, jti: str, expires: int) -> bool:
        """Whether an assertion was never seen in any process; it is seen from now on."""
        now, key = _now(), digest(f"{client_id}\x1f{jti}")
        with self._storage.writing() as session:
            session.run("DELETE FROM app_assertion WHERE expires < ?", (now - 3_600_000,))
            added = session.run(
                "INSERT INTO app_assertion (digest, expires) VALUES (?,?) ON CONFLICT DO NOTHING",
                (key, expires),
            )
        return added == 1

    def _end(self, condition: str, value: str) -> None:
        with self._storage.writing() as session:
            _revoke(session, condition, value, _now())


_FIELDS = (
    "grant_id, client_id, account_id, scopes, patient, encounter, session, methods, signed_in,"
    " created, revoked, last_used"
)
_SELECT = f"SELECT {_FIELDS} FROM app_grant"  # noqa: S608 - fixed text


def _now() -> int:
    return milliseconds(clock.now())


def _revoke(session: Session, condition: str, value: str, now: int) -> None:
    session.run(
        f"UPDATE app_grant SET revoked = ? WHERE {condition} AND revoked = 0",  # noqa: S608 - fixed text
        (now, value),
    )


def _insert_grant(session: Session, grant: Grant, now: int) -> None:
    session.run(
        f"INSERT INTO app_grant ({_FIELDS}) VALUES (?,?,?,?,?,?,?,?,?,?,0,0)",  # noqa: S608 - fixed text
        (grant.id, grant.client_id, grant.account_id, grant.scopes, grant.patient, grant.encounter,
         grant.session, grant.methods, grant.signed_in, now),
    )  # fmt: skip


def _read(row: Row) -> Row:
    return (*row[:6], bytes(row[6]), *row[7:])


def _grant(session: Session, grant_id: str) -> Grant | None:
    row = session.one(f"{_SELECT} WHERE grant_id = ?", (grant_id,))
    return Grant(*_read(row)) if row else None
