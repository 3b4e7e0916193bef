"""Who may sign in and which apps there are outlive the database; sessions and tokens do not."""

from __future__ import annotations

from pathlib import Path

from argon2 import PasswordHasher

from fhir_bridge.accounts import Accounts, Binding, Passwords
from fhir_bridge.search import Registry
from fhir_bridge.smart import App
from fhir_bridge.smart.apps import Apps
from fhir_bridge.store import Store, maintenance, open_store
from tests.accounts.conftest import SECRET

PASSWORD = "long enough: 密码 9"


def test_a_restored_record_lets_the_same_people_and_apps_in(
    accounts: Accounts, store: Store, registry: Registry, tmp_path: Path
) -> None:
    """With their bindings; who was signed in signs in anew."""
    account = accounts.add("li.na", password=PASSWORD)
    accounts.bind(account.id, Binding("resident", patient="p1"))
    session = accounts.sessions.begin(account.id, ("pwd",), whole=True)
    types = registry.definitions.resource_types
    app, _ = Apps(store.storage, types).register(
        App("", "Diary", "public", "patient/*.rs", redirect_uris=("https://app.example/back",))
    )
    manifest = maintenance.back_up(store, tmp_path / "backup")
    assert manifest.counts["account"] == 1
    assert "app_token" not in manifest.counts

    other = open_store(f"sqlite:///{tmp_path}/other.sqlite3", registry=registry)
    there = Accounts(other.storage, SECRET, Passwords(PasswordHasher(1, 64, 1)))
    there.add("set.up.meanwhile")
    maintenance.restore(other, tmp_path / "backup")
    found = there.check("li.na", PASSWORD, "10.0.0.1")
    kept = Apps(other.storage, types).get(app.client_id)
    assert [each.name for each in there.list()] == ["li.na"]
    assert found is not None
    assert found.bindings[0].patient == "p1"
    assert kept == app
    assert there.sessions.find(session) is None
    other.close()
