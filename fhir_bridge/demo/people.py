"""Who signs in at a demo that runs closed: a resident, their doctor, an operator, and one token.

They are made for this record alone, with passwords that nobody had before.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.accounts import Accounts, Binding
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json, parse_reference
from fhir_bridge.search import parse_search, plan
from fhir_bridge.sign_in import Gate
from fhir_bridge.smart import App, Grant
from fhir_bridge.store import Store

__all__ = ["People", "SignIn", "make_people"]

_PROOF = "made for the demo"
_SCOPES = "launch/patient patient/*.rs"


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person: `role` as on the pages."""

    role: str
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class People:
    """The persons, the id of the resident's Patient, and a token of an app of theirs."""

    sign_ins: tuple[SignIn, ...]
    patient: str
    token: str


def make_people(gate: Gate, store: Store) -> People:
    """Accounts with new passwords; a demo that goes on with its record has the same names."""
    patient, practitioner = _agreement(store)
    bindings = [Binding("operator", proof=_PROOF)]
    if patient:
        bindings.append(Binding("resident", patient=patient, proof=_PROOF))
    if practitioner:
        bindings.append(Binding("doctor", practitioner=practitioner, proof=_PROOF))
    sign_ins = tuple(_sign_in(gate.accounts, each) for each in bindings)
    token = _token(gate, patient) if patient else ""
    return People(sign_ins, patient, token)


def _agreement(store: Store) -> tuple[str, str]:
    """(Patient, Practitioner) of an agreement in force today, as far as there is one."""
    today = clock.now().astimezone(store.registry.zone).date().isoformat()
    for contract in _contracts(store, [("status", "executed"), ("_count", "200")]):
        applies = contract.get("applies", {})
        if not applies.get("start", "")[:10] <= today <= (applies.get("end", "9999")[:10]):
            continue
        subject = _ids(
            [each.get("reference", "") for each in contract.get("subject", ())], "Patient"
        )
        parties = [
            each.get("party", {}).get("reference", "") for each in contract.get("signer", ())
        ]
        doctors = _ids(parties, "Practitioner")
        if subject and doctors:
            return subject[0], doctors[0]
    return "", ""


def _contracts(store: Store, query: list[tuple[str, str]]) -> Iterator[Resource]:
    search = parse_search("Contract", query, store.registry)
    for match in store.find(plan(search, store.registry)).matches:
        yield parse_json(match.body)


def _ids(references: list[str], resource_type: str) -> list[str]:
    parsed = [parse_reference(each) for each in references]
    return [each.id for each in parsed if each and each.resource_type == resource_type and each.id]


def _sign_in(accounts: Accounts, binding: Binding) -> SignIn:
    password = secrets.token_urlsafe(12)
    try:
        account = accounts.by_name(binding.role)
        accounts.set_password(account.id, password)
    except BridgeError:
        account = accounts.add(binding.role, password=password)
    accounts.bind(account.id, binding)
    return SignIn(binding.role, account.name, password)


def _token(gate: Gate, patient: str) -> str:
    """A token as the resident's app would hold it, for an hour."""
    smart = gate.smart
    app, _ = smart.apps.register(
        App("", "Demo", "public", _SCOPES, redirect_uris=("http://127.0.0.1/demo",))
    )
    account = gate.accounts.by_name("resident")
    grant = Grant(clock.fresh_id(), app.client_id, account.id, _SCOPES, patient)
    smart.grants.begin(grant, secrets.token_urlsafe(32), redirect_uri="", challenge="", nonce="")
    token = secrets.token_urlsafe(32)
    smart.grants.issue(grant, access=token)
    return token
