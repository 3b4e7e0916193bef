"""Accounts over the same real databases as the record, with hashes that cost little."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from fhir_bridge.accounts import Accounts, Passwords
from fhir_bridge.store import Store
from tests.store.conftest import database, opening, registry, store  # noqa: F401 - fixtures

SECRET = b"a secret of this test's site"


@pytest.fixture
def accounts(store: Store) -> Accounts:  # noqa: F811 - the fixture
    """No account yet."""
    return Accounts(store.storage, SECRET, Passwords(PasswordHasher(1, 64, 1)))
