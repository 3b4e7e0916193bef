"""What it costs to know who holds an access token: kept for a second, and asked of the database.

Prints microseconds of the processor for one check, the least of several rounds.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from pathlib import Path

from fhir_bridge.accounts import Accounts
from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.smart import Addresses, App, Grant, Smart
from fhir_bridge.store import open_store

ROUNDS, CHECKS = 7, 2_000


def main() -> None:
    """Measure on an embedded database with a thousand tokens."""
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(definitions())
        store = open_store(f"sqlite:///{Path(folder)}/record.sqlite3", registry=registry)
        accounts = Accounts(store.storage, b"bench")
        smart = Smart(
            store.storage,
            b"bench",
            addresses=Addresses("http://127.0.0.1/fhir", "http://127.0.0.1"),
            accounts=accounts,
            resource_types=definitions().resource_types,
            fetch=lambda _: ({}, 0),
        )
        scopes = "launch/patient offline_access patient/*.rs"
        app, _ = smart.apps.register(
            App("", "Bench", "public", scopes, redirect_uris=("https://app.example/back",))
        )
        account = accounts.add("bench")
        tokens = [secrets.token_urlsafe(32) for _ in range(1_000)]
        for number, token in enumerate(tokens):
            grant = Grant(f"g{number}", app.client_id, account.id, scopes, "p1")
            code = secrets.token_urlsafe(32)
            smart.grants.begin(grant, code, redirect_uri="", challenge="", nonce="")
            smart.grants.issue(grant, access=token)
        warm, cold = [], []
        for _ in range(ROUNDS):
            smart.tokens.caller(tokens[0])
            began = time.process_time()
            for _ in range(CHECKS):
                smart.tokens.caller(tokens[0])
            warm.append((time.process_time() - began) / CHECKS)
            smart.tokens._kept.clear()  # noqa: SLF001 - what is measured is the way without it
            began = time.process_time()
            for token in tokens:
                smart.tokens.caller(token)
            cold.append((time.process_time() - began) / len(tokens))
        print(f"token check: warm {min(warm) * 1e6:.1f} us, cold {min(cold) * 1e6:.0f} us")
        store.close()


if __name__ == "__main__":
    main()
