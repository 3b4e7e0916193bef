"""Handles of launches from within another system, and what persons have let apps have before.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch: a handle says
who works on whose record; it is bound to one app and one person, lives five minutes and is used
once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.accounts import digest
from fhir_bridge.database import Storage, milliseconds

__all__ = ["GivenConsents", "Launch", "Launches"]

_LIFE_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Launch:
    """Which app is launched by whom, and on what."""

    client_id: str
    account_id: str
    patient: str = ""
    encounter: str = ""


class Launches:
    """The handles of one record."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def make(self, launch: Launch) -> str:
        """The handle of a launch."""
        handle, now = secrets.token_urlsafe(32), milliseconds(clock.now())
        with self._storage.writing() as session:
            session.run("DELETE FROM app_launch WHERE expires < ?", (now - _LIFE_MS,))
            session.run(
                "INSERT INTO app_launch (digest, client_id, account_id, patient, encounter,"
                " expires, used) VALUES (?,?,?,?,?,?,0)",
                (digest(handle), launch.client_id, launch.account_id, launch.patient,
                 launch.encounter, now + _LIFE_MS),
            )  # fmt: skip
        return handle

    def look(self, handle: str, client_id: str) -> Launch | None:
        """What a handle says, for the app that it was made for, as long as it can be used."""
        with self._storage.reading() as session:
            row = session.one(
                "SELECT client_id, account_id, patient, encounter FROM app_launch"
                " WHERE digest = ? AND client_id = ? AND used = 0 AND expires > ?",
                (digest(handle), client_id, milliseconds(clock.now())),
            )
        return Launch(*row) if row else None

    def use(self, handle: str) -> bool:
        """Use a handle up; False when it was used before."""
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            changed = session.run(
                "UPDATE app_launch SET used = ? WHERE digest = ? AND used = 0 AND expires > ?",
                (now, digest(handle), now),
            )
        return changed == 1


class GivenConsents:
    """Which scopes each person has let each app have."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def scopes(self, account_id: str, client_id: str) -> frozenset[str]:
        """Those that need not be asked for again."""
        with self._storage.reading() as session:
            row = session.one(
                "SELECT scopes FROM app_consent WHERE account_id = ? AND client_id = ?",
                (account_id, client_id),
            )
        return frozenset(row[0].split()) if row else frozenset()

    def remember(self, account_id: str, client_id: str, scopes: str) -> None:
        """The latest decision, in place of the one before."""
        with self._storage.writing() as session:
            session.run(
                "INSERT INTO app_consent (account_id, client_id, scopes, since) VALUES (?,?,?,?)"
                " ON CONFLICT (account_id, client_id)"
                " DO UPDATE SET scopes = excluded.scopes, since = excluded.since",
                (account_id, client_id, scopes, milliseconds(clock.now())),
            )

    def forget(self, account_id: str, client_id: str) -> None:
        """Ask again next time."""
        with self._storage.writing() as session:
            session.run(
                "DELETE FROM app_consent WHERE account_id = ? AND client_id = ?",
                (account_id, client_id),
            )
