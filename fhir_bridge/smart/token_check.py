"""Who holds an access token: asked at each request, so it must cost next to nothing.

An answer is kept for a second; so long a token may still open something after its grant, its app
or its person was ended (60 seconds is what SMART allows).
"""

from __future__ import annotations

import time
from collections.abc import Collection

from fhir_bridge import clock
from fhir_bridge.access import Caller, Role, read_scopes
from fhir_bridge.accounts import digest
from fhir_bridge.database import Storage, milliseconds

__all__ = ["TokenCheck"]

_KEPT_SECONDS, _MAX_KEPT = 1.0, 10_000

_QUERY = (
    "SELECT t.scopes, t.expires, g.grant_id, g.client_id, g.account_id, g.patient, g.encounter"
    " FROM app_token t JOIN app_grant g ON g.grant_id = t.grant_id"
    " JOIN app p ON p.client_id = g.client_id"
    " LEFT JOIN account a ON a.account_id = g.account_id"
    " WHERE t.digest = ? AND t.kind = 0 AND t.spent = 0 AND t.expires > ? AND g.revoked = 0"
    " AND p.revoked = 0 AND (g.account_id = '' OR (a.locked = 0 AND a.changed <= g.created))"
)


class TokenCheck:
    """Access tokens to callers, for one process."""

    def __init__(self, storage: Storage, resource_types: Collection[str]) -> None:
        self._storage = storage
        self._resource_types = resource_types
        self._kept: dict[str, tuple[float, int, Caller]] = {}

    def caller(self, token: str) -> Caller | None:
        """Who holds `token`; None when it opens nothing."""
        kept = self._kept.get(token)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[2] if kept[1] > milliseconds(clock.now()) else None
        return self._looked_up(token)

    def roles(self, account_id: str) -> tuple[Role, ...]:
        """What an account stands for now."""
        with self._storage.reading() as session:
            rows = session.all(
                "SELECT role, patient, practitioner, organization FROM account_binding"
                " WHERE account_id = ? ORDER BY binding_id",
                (account_id,),
            )
        return tuple(Role(*row) for row in rows)

    def _looked_up(self, token: str) -> Caller | None:
        self._kept.pop(token, None)
        if not 40 <= len(token) <= 64:
            return None
        began, key = time.monotonic(), digest(token)
        with self._storage.reading() as session:
            row = session.one(_QUERY, (key, milliseconds(clock.now())))
        if row is None:
            return None
        scopes, expires, grant_id, client_id, account_id, patient, encounter = row
        caller = Caller(
            account=account_id,
            client=client_id,
            roles=self.roles(account_id) if account_id else (Role("system"),),
            scopes=read_scopes(scopes, self._resource_types),
            patient=patient,
            encounter=encounter,
            token=f"{grant_id[:8]}.{key.hex()[:8]}",
        )
        if len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
        self._kept[token] = (began + _KEPT_SECONDS, expires, caller)
        return caller
