"""What an interaction works with: the record, the knowledge, the caller's access.

A context is made by the edge for one request.  Inside a transaction Bundle the same
context carries the open database transaction, so that every interaction sees what the
entries before it wrote.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from fhir_bridge.access import Access
from fhir_bridge.audit import ChangeAudit
from fhir_bridge.budget import urgent
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, Resource, parse_json
from fhir_bridge.interactions.conditions import require_holding
from fhir_bridge.interactions.failure import Validation, refuse_errors
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import ID, Route
from fhir_bridge.search import Plan, Registry
from fhir_bridge.security_labels import Labeller
from fhir_bridge.store import Page, Store, Stored, Transaction
from fhir_bridge.validation import Validator

__all__ = ["KEPT_TYPES", "Context", "RestSettings"]


KEPT_TYPES = frozenset({"AuditEvent"})
"""Types of which a client may add resources, and never change or delete one."""


class RestSettings(Protocol):
    """The settings that the interactions obey."""

    @property
    def referential_integrity(self) -> bool:
        """Refuse a reference inside a transaction that leads nowhere."""

    @property
    def conditional_delete(self) -> Literal["single", "multiple"]:
        """Whether a delete by condition may find more than one."""

    @property
    def require_if_match(self) -> bool:
        """Refuse an update that does not say which version it changes."""

    @property
    def max_bundle_entries(self) -> int:
        """Most entries of a batch or transaction."""

    @property
    def max_page(self) -> int:
        """Most matches on one search page."""


@dataclass(frozen=True, slots=True)
class Context:
    """One request's surroundings.  `base_url` has no slash at its end.

    `audit` writes what is changed into the access log, in the same transaction; None: nobody keeps
    one.  `labeller` knows what is sensitive.  `operate` carries out an operation, `render_error` makes the reply of an error and
    `capabilities` tells what is served; the edge gives them, since operations and
    interactions do not know each other and errors are rendered in one place.
    """

    store: Store
    registry: Registry
    definitions: Definitions
    validator: Validator
    settings: RestSettings
    access: Access
    base_url: str
    operate: Callable[[Request, Route, Context], Reply]
    render_error: Callable[[Exception], Reply]
    capabilities: Callable[[], bytes]
    validation: Validation = "full"
    transaction: Transaction | None = None
    deadline: float = math.inf
    audit: ChangeAudit | None = None
    labeller: Labeller | None = None

    def require_time(self) -> None:
        """Refuse to go on when the request has taken longer than it may (FB-4027)."""
        if time.monotonic() > self.deadline:
            raise BridgeError("FB-4027")

    def check(self, resource: Resource) -> None:
        """Refuse a resource that must not be stored (FB-30xx)."""
        refuse_errors(self.validator.check(resource), self.validation)

    def labelled(self, resource: Resource) -> Resource:
        """A resource that is to be written, with the security labels of the site's rules."""
        if self.labeller is None:
            return resource
        return self.labeller.label(resource, self._born)

    def _born(self, patient_id: str) -> str:
        if self.transaction is None or not ID.fullmatch(patient_id):
            return ""
        patient = self.transaction.read("Patient", patient_id)
        body = parse_json(patient.body) if patient is not None and patient.body else {}
        return str(body.get("birthDate", ""))

    def transact(
        self,
        work: Callable[[Context, Transaction], Reply],
        before: Callable[[], None] = lambda: None,
    ) -> Reply:
        """`work` inside the open transaction, or in one of its own that then commits.

        One of its own is tried again after a collision with another writer, so `work` must
        not change what it was given.  What is long and needs no lock is done `before`, each
        time: in the transaction every other writer of the embedded database waits.
        """
        if self.transaction is not None:
            return work(self, self.transaction)

        def run(transaction: Transaction) -> Reply:
            self.watch(transaction)
            with urgent():
                return work(replace(self, transaction=transaction), transaction)

        return self.store.run(run, before=before)

    def watch(self, transaction: Transaction) -> None:
        """What a client changes in a transaction is logged, and the log itself is not changed."""
        transaction.watch(KEPT_TYPES, self.audit.changed if self.audit is not None else None)

    def find(self, plan: Plan, cursor: str = "") -> Page:
        """A page of the search `plan`, of what the caller may see."""
        if self.transaction is not None:
            return self.transaction.find(plan, self.access, cursor)
        return self.store.find(plan, self.access, cursor)

    def read(self, resource_type: str, id_: str, interaction: str = "r") -> Stored:
        """The present version, within reach of an interaction (a letter of ``cruds``).

        Raises BridgeError FB-4001 when there is none (or none that the caller may know of),
        FB-4002 when it was deleted, and FB-4201 when the caller may read it and no more.
        """
        self.access.require(resource_type, interaction)
        found = self.find_stored(resource_type, id_, interaction)
        if found is None:
            raise BridgeError("FB-4001", resource_type=resource_type, id=id_[:64])
        if found.deleted:
            raise BridgeError("FB-4002", resource_type=resource_type, id=id_)
        return found

    def find_stored(self, resource_type: str, id_: str, interaction: str = "r") -> Stored | None:
        """The present version, a deletion included; None where there is none to be known of.

        Raises BridgeError FB-4201 for what the caller may read, and the interaction may not reach.
        """
        if not ID.fullmatch(id_):
            return None
        found = self._within_reach(resource_type, id_, interaction)
        if found is None and interaction != "r" and self._within_reach(resource_type, id_, "r"):
            raise BridgeError("FB-4201")
        return found

    def _within_reach(self, resource_type: str, id_: str, interaction: str) -> Stored | None:
        if self.transaction is None:
            return self.store.read(resource_type, id_, self.access, interaction)
        found = self.transaction.read(resource_type, id_)
        if found is None or not self.access.is_limited(resource_type, interaction):
            return found
        seen = self.transaction.reaches(self.access, interaction, resource_type, id_)
        return found if seen else None

    def require_conditions(self, headers: Mapping[str, str], resource_type: str, id_: str) -> None:
        """Refuse a change whose ``If-Match`` or ``If-None-Match`` does not hold (FB-4031)."""
        if "if-match" in headers or "if-none-match" in headers:
            present = self.find_stored(resource_type, id_, "u")
            require_holding(headers, f"{resource_type}/{id_}", present)

    def require_version(self, headers: Mapping[str, str], resource_type: str, id_: str) -> None:
        """Refuse an update of what is there that names no version, where the settings ask for one.

        ``If-Match: *`` names none: it would overwrite whatever was written meanwhile (FB-4033).
        """
        if self.settings.require_if_match and headers.get("if-match", "*").strip() in ("", "*"):
            present = self.find_stored(resource_type, id_, "u")
            if present is not None and not present.deleted:
                raise BridgeError("FB-4033", place=f"{resource_type}/{id_}")

    def require_reach(self, interaction: str, resource_type: str, id_: str) -> None:
        """Refuse to leave behind what is out of reach of the interaction, a letter (FB-4201).

        Asked inside the transaction after a change is written, which is then undone: a change may not
        make what the caller could not have changed.
        """
        opened, access = self.transaction, self.access
        if opened is None or not access.is_limited(resource_type, interaction):
            return
        if not opened.reaches(access, interaction, resource_type, id_):
            raise BridgeError("FB-4201")

    def require_changeable(self, resource_type: str, id_: str) -> None:
        """Refuse to put a resource over one that the caller may not update (FB-4201)."""
        opened = self.transaction
        if opened is None or not self.access.is_limited(resource_type, "u"):
            return
        if opened.read(resource_type, id_) is not None:
            self.require_reach("u", resource_type, id_)
