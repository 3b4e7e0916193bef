"""The accounts of one record: made, listed, locked, removed; who signs in is checked here.

No answer tells whether a name exists: an unknown name, a wrong password, a locked account and
one that has to wait give the same answer, and all but the last cost the same work.
"""

from __future__ import annotations

from fhir_bridge import clock
from fhir_bridge.accounts.account import Account, Binding, account_name
from fhir_bridge.accounts.delays import Delays, Limit
from fhir_bridge.accounts.one_time_codes import OneTimeCodes
from fhir_bridge.accounts.passwords import Passwords
from fhir_bridge.accounts.sealing import Seal
from fhir_bridge.accounts.second_factor import accepted_step
from fhir_bridge.accounts.sessions import Sessions
from fhir_bridge.database import Row, Session, Storage, instant_of, milliseconds
from fhir_bridge.errors import BridgeError

__all__ = ["Accounts"]

_FREE_OF_ACCOUNT, _FREE_OF_ADDRESS = 5, 30
_COLUMNS = "account_id, name, display, password, totp IS NOT NULL, created, changed, locked"


class Accounts:
    """What a site knows of the people who sign in."""

    def __init__(self, storage: Storage, secret: bytes, passwords: Passwords | None = None) -> None:
        self._storage = storage
        self._seal = Seal(secret)
        self._passwords = passwords or Passwords()
        self.sessions = Sessions(storage)
        self.delays = Delays(storage)
        self.codes = OneTimeCodes(storage, self._seal)

    def add(self, name: str, *, display: str = "", password: str = "") -> Account:
        """A new account; without a password nobody can sign in to it yet.

        Raises BridgeError FB-7302 when the name is taken, FB-7303 when name or password cannot
        be used.
        """
        kept, account_id = account_name(name), clock.fresh_id()
        hashed = self._passwords.hashed(password, kept) if password else ""
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            added = session.run(
                "INSERT INTO account (account_id, name, display, password, totp_step, created,"
                " changed, locked) VALUES (?,?,?,?,0,?,?,0) ON CONFLICT (name) DO NOTHING",
                (account_id, kept, display.strip()[:200] or kept, hashed, now, now),
            )
        if not added:
            raise BridgeError("FB-7302", name=kept)
        return self.get(account_id)

    def get(self, account_id: str) -> Account:
        """The account with an id.  Raises BridgeError FB-7301."""
        found = self._find("account_id", account_id)
        if found is None:
            raise BridgeError("FB-7301", name=account_id[:64])
        return found[0]

    def by_name(self, name: str) -> Account:
        """The account with a name.  Raises BridgeError FB-7301."""
        found = self._find("name", account_name(name))
        if found is None:
            raise BridgeError("FB-7301", name=name[:64])
        return found[0]

    def list(self) -> list[Account]:
        """All accounts, by name."""
        with self._storage.reading() as session:
            rows = session.all(f"SELECT {_COLUMNS} FROM account ORDER BY name")  # noqa: S608 - fixed text
            return [_account(session, row) for row in rows]

    def is_empty(self) -> bool:
        """Whether nobody could sign in: there is no account that has a password."""
        with self._storage.reading() as session:
            return session.one("SELECT 1 FROM account WHERE password <> ''") is None

    def check(self, name: str, password: str, address: str) -> Account | None:
        """The account that name and password open; None for everything else, alike."""
        try:
            kept = account_name(name)
        except BridgeError:
            kept = ""
        limits = [
            Limit(f"account:{kept}", _FREE_OF_ACCOUNT),
            Limit(f"address:{address}", _FREE_OF_ADDRESS),
        ]
        if not self.delays.admit(limits):
            return None
        found = self._find("name", kept)
        right = self._passwords.holds(found[1] if found else "", password)
        if found is None or not right or found[0].locked:
            return None
        self.delays.clear(limits)
        if self._passwords.is_outdated(found[1]):
            self._change_hash(found[0].id, self._passwords.hashed(password))
        return found[0]

    def check_second(self, account_id: str, code: str) -> bool:
        """Whether `code` is one of the account's authenticator now; each counts once."""
        limits = [Limit(f"second:{account_id}", _FREE_OF_ACCOUNT)]
        if not self.delays.admit(limits):
            return False
        with self._storage.reading() as session:
            row = session.one(
                "SELECT totp, totp_step FROM account WHERE account_id = ?", (account_id,)
            )
        if row is None or row[0] is None:
            return False
        secret = self._seal.open(bytes(row[0]))
        now = milliseconds(clock.now())
        step = accepted_step(secret, code, now_ms=now, after_step=row[1])
        if step is None or not self._advance(account_id, step):
            return False
        self.delays.clear(limits)
        return True

    def set_password(self, account_id: str, password: str) -> None:
        """Change the password; every session ends and the app grants with it (see `changed`)."""
        account = self.get(account_id)
        self._change_hash(account_id, self._passwords.hashed(password, account.name))
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            session.run("UPDATE account SET changed = ? WHERE account_id = ?", (now, account_id))
            session.run("DELETE FROM account_session WHERE account_id = ?", (account_id,))
            session.run("DELETE FROM sign_in_delay WHERE key = ?", (f"account:{account.name}",))

    def set_second_factor(self, account_id: str, secret: str) -> None:
        """From now on sign-in asks for a code of `secret`, too; "" asks no more."""
        sealed = self._seal.close(secret) if secret else None
        with self._storage.writing() as session:
            session.run(
                "UPDATE account SET totp = ?, totp_step = 0 WHERE account_id = ?",
                (sealed, account_id),
            )

    def bind(self, account_id: str, binding: Binding) -> None:
        """The account stands for one thing more; said twice it is one thing."""
        of = (binding.role, binding.patient, binding.practitioner, binding.organization)
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            session.run(
                "DELETE FROM account_binding WHERE account_id = ? AND role = ? AND patient = ?"
                " AND practitioner = ? AND organization = ?",
                (account_id, *of),
            )
            session.run(
                "INSERT INTO account_binding (account_id, role, patient, practitioner,"
                " organization, proof, since) VALUES (?,?,?,?,?,?,?)",
                (account_id, *of, binding.proof, now),
            )

    def lock(self, account_id: str, *, locked: bool = True) -> None:
        """Nobody signs in to it any more, and who is signed in is out; or the other way round."""
        account = self.get(account_id)
        if locked:
            self._require_operator_left(account)
        with self._storage.writing() as session:
            session.run(
                "UPDATE account SET locked = ? WHERE account_id = ?", (int(locked), account_id)
            )
            if locked:
                session.run("DELETE FROM account_session WHERE account_id = ?", (account_id,))
            session.run("DELETE FROM sign_in_delay WHERE key = ?", (f"account:{account.name}",))

    def remove(self, account_id: str) -> None:
        """Forget the account; what it did stays in the access log under its id."""
        account = self.get(account_id)
        self._require_operator_left(account)
        with self._storage.writing() as session:
            for table in ("account_session", "account_binding", "one_time_code", "account"):
                session.run(f"DELETE FROM {table} WHERE account_id = ?", (account_id,))  # noqa: S608 - fixed text

    def _require_operator_left(self, account: Account) -> None:
        """Raises BridgeError FB-7305 when nobody would be left who can let others in."""
        if not account.has_role("operator"):
            return
        others = (each for each in self.list() if each.id != account.id and not each.locked)
        if not any(each.has_role("operator") and each.has_password for each in others):
            raise BridgeError("FB-7305", name=account.name)

    def _find(self, column: str, value: str) -> tuple[Account, str] | None:
        with self._storage.reading() as session:
            row = session.one(f"SELECT {_COLUMNS} FROM account WHERE {column} = ?", (value,))  # noqa: S608 - fixed text
            return (_account(session, row), row[3]) if row else None

    def _change_hash(self, account_id: str, hashed: str) -> None:
        with self._storage.writing() as session:
            session.run(
                "UPDATE account SET password = ? WHERE account_id = ?", (hashed, account_id)
            )

    def _advance(self, account_id: str, step: int) -> bool:
        with self._storage.writing() as session:
            changed = session.run(
                "UPDATE account SET totp_step = ? WHERE account_id = ? AND totp_step < ?",
                (step, account_id, step),
            )
        return changed == 1


def _account(session: Session, row: Row) -> Account:
    account_id, name, display, password, second, created, changed, locked = row
    bound = session.all(
        "SELECT role, patient, practitioner, organization, proof, since FROM account_binding"
        " WHERE account_id = ? ORDER BY binding_id",
        (account_id,),
    )
    return Account(
        str(account_id),
        str(name),
        str(display),
        instant_of(created),
        instant_of(changed),
        locked=bool(locked),
        second_factor=bool(second),
        has_password=bool(password),
        bindings=tuple(_binding(each) for each in bound),
    )


def _binding(row: Row) -> Binding:
    role, patient, practitioner, organization, proof, since = row
    return Binding(role, patient, practitioner, organization, proof, instant_of(since))
