"""The registered applications of one record."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from fhir_bridge import clock
from fhir_bridge.access import read_scopes
from fhir_bridge.accounts import digest
from fhir_bridge.database import Row, Storage, instant_of, milliseconds
from fhir_bridge.errors import BridgeError
from fhir_bridge.smart.app import App, is_loopback, require_redirect_uri
from fhir_bridge.smart.jose import require_public_keys

__all__ = ["Apps"]

_KEPT = (
    "name", "kind", "scopes", "redirect_uris", "launch_uri", "owner", "jwks", "jwks_url",
    "id_token_algorithm", "system", "introspects", "launches",
)  # fmt: skip
_ID_TOKEN_ALGORITHMS = ("RS256", "ES384")


class Apps:
    """Registers, lists, ends."""

    def __init__(self, storage: Storage, resource_types: Collection[str]) -> None:
        self._storage = storage
        self._resource_types = resource_types

    def register(self, app: App) -> tuple[App, str]:
        """The app with its new id, and its secret (told once; "" for those without).

        Raises BridgeError FB-7312 when something about it cannot be allowed.
        """
        _require_sound(app, self._resource_types)
        secret = secrets.token_urlsafe(32) if app.kind == "symmetric" else ""
        client_id = app.client_id or clock.fresh_id()
        now = milliseconds(clock.now())
        body = json.dumps({name: getattr(app, name) for name in _KEPT}, ensure_ascii=False)
        with self._storage.writing() as session:
            added = session.run(
                "INSERT INTO app (client_id, secret, body, created, revoked) VALUES (?,?,?,?,0)"
                " ON CONFLICT (client_id) DO NOTHING",
                (client_id, digest(secret) if secret else None, body, now),
            )
        if not added:
            raise BridgeError("FB-7312", reason=f"the id {client_id[:64]} is taken")
        return replace(app, client_id=client_id, created=instant_of(now)), secret

    def get(self, client_id: str) -> App | None:
        """An app that may still act; None for an unknown one and one that was ended."""
        app = self._read(client_id)
        return app if app is not None and not app.revoked else None

    def list(self) -> list[App]:
        """All apps, those that were ended too."""
        with self._storage.reading() as session:
            rows = session.all(f"{_SELECT} ORDER BY created, client_id")
        return [_app(row) for row in rows]

    def revoke(self, client_id: str) -> None:
        """End an app: nothing it holds works any more.  Raises BridgeError FB-7311."""
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            changed = session.run(
                "UPDATE app SET revoked = ? WHERE client_id = ? AND revoked = 0", (now, client_id)
            )
            session.run(
                "UPDATE app_grant SET revoked = ? WHERE client_id = ? AND revoked = 0",
                (now, client_id),
            )
        if not changed:
            raise BridgeError("FB-7311", id=client_id[:64])

    def is_origin(self, origin: str) -> bool:
        """Whether a page of `origin` belongs to a registered app."""
        return any(not app.revoked and origin in app.origins for app in self.list())

    def _read(self, client_id: str) -> App | None:
        with self._storage.reading() as session:
            row = session.one(f"{_SELECT} WHERE client_id = ?", (client_id,))
        return _app(row) if row else None


_SELECT = "SELECT client_id, secret, body, created, revoked FROM app"


def _app(row: Row) -> App:
    client_id, secret, body, created, revoked = row
    kept: dict[str, Any] = json.loads(body)
    kept["redirect_uris"] = tuple(kept["redirect_uris"])
    return App(
        client_id=client_id,
        **kept,
        created=instant_of(created),
        revoked=instant_of(revoked) if revoked else "",
        secret=bytes(secret) if secret is not None else None,
    )


def _require_sound(app: App, resource_types: Collection[str]) -> None:
    def refuse(reason: str) -> None:
        raise BridgeError("FB-7312", reason=reason)

    if not 1 <= len(app.name.strip()) <= 200:
        refuse("an app has a name of up to 200 characters")
    scopes = read_scopes(app.scopes, resource_types)
    if scopes.refused or not (scopes.resources or scopes.others):
        refuse(f"the scopes cannot be given: {' '.join(scopes.refused)[:200] or 'there are none'}")
    if not app.redirect_uris and not app.system:
        refuse("an app needs a redirect address, or is a system")
    for address in app.redirect_uris:
        require_redirect_uri(address)
    if app.system and app.kind != "asymmetric":
        refuse("a system proves itself by a key: give its JWKS or where it is")
    if app.kind == "asymmetric" and bool(app.jwks) == bool(app.jwks_url):
        refuse("an app with a key has either its JWKS or where it is")
    if app.jwks is not None:
        require_public_keys(app.jwks)
    if app.jwks_url:
        _require_jwks_address(app.jwks_url)
    if app.id_token_algorithm not in _ID_TOKEN_ALGORITHMS:
        refuse(f"identity tokens are signed by {' or '.join(_ID_TOKEN_ALGORITHMS)}")


def _require_jwks_address(address: str) -> None:
    parts = urlsplit(address)
    is_own = parts.scheme == "http" and is_loopback(parts.hostname)
    if parts.scheme != "https" and not is_own:
        raise BridgeError("FB-7312", reason="the address of a JWKS is https")
    if not parts.hostname or parts.fragment or "@" in parts.netloc:
        reason = "the address of a JWKS names a host, no user and no fragment"
        raise BridgeError("FB-7312", reason=reason)
