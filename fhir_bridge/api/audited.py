"""What an answer shows is in the access log before it is sent; what cannot be logged is not sent.

https://profiles.ihe.net/ITI/BALP/volume-1.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fhir_bridge import clock
from fhir_bridge.access import Caller
from fhir_bridge.api.errors import reply_of
from fhir_bridge.audit import (
    AccessLog,
    Agent,
    AuditRecord,
    ChangeAudit,
    add_events,
    agent_of,
    patients_in,
    patients_of_query,
    resources_in,
)
from fhir_bridge.database import milliseconds
from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions import Reply, Request, Route
from fhir_bridge.store import Store

__all__ = ["Audited", "Auditing"]

_IN_TRANSACTION = frozenset(
    {
        "create",
        "update",
        "update-conditional",
        "patch",
        "patch-conditional",
        "delete",
        "delete-conditional",
    }
)
"""What is logged with the change itself, when it succeeds."""
_ERROR = re.compile(rb"FB-\d{4}")
_OF_ONE = frozenset({"read", "vread", "history-instance", "operation"})
"""What is about one resource, even where the answer names nobody."""
_NOT_LOGGED = frozenset({"capabilities"})
_MAX_ANONYMOUS = 60
"""Refusals of callers who are nobody, each minute: they must not fill the disk."""


class Auditing:
    """The access log of a process, for the requests that it answers."""

    def __init__(self, log: AccessLog, store: Store, base_url: str) -> None:
        self._log = log
        self._store = store
        self._base_url = base_url
        self._minute, self._anonymous = 0, 0

    def of(self, caller: Caller | None, environ: Mapping[str, Any], request_id: str) -> Audited:
        """The audit of one request; `caller` None is nobody who is known."""
        agent = agent_of(caller or Caller(), str(environ.get("REMOTE_ADDR", "")))
        return Audited(self, agent, request_id)

    def write(self, record: AuditRecord, *, at_once: bool) -> None:
        """Keeps a record; `at_once` as events in the store.  Raises BridgeError FB-4206."""
        if record.agent.account or record.agent.client or not self._is_too_many(record.at):
            try:
                if at_once:
                    self._store.run(
                        lambda opened: add_events(
                            opened, record, self._base_url, "at once", record.request_id
                        )
                    )
                else:
                    self._log.append(record)
            except OSError:
                raise BridgeError("FB-4206") from None

    def change_audit(self, agent: Agent, request_id: str) -> ChangeAudit:
        """What logs the changes of one request."""
        return ChangeAudit(agent, self._base_url, request_id)

    def _is_too_many(self, at: int) -> bool:
        minute = at // 60_000
        if minute != self._minute:
            self._minute, self._anonymous = minute, 0
        self._anonymous += 1
        return self._anonymous > _MAX_ANONYMOUS


class Audited:
    """One request of one agent."""

    def __init__(self, auditing: Auditing, agent: Agent, request_id: str) -> None:
        self._auditing = auditing
        self._agent = agent
        self._request_id = request_id
        self.changes = auditing.change_audit(agent, request_id)

    def logged(
        self, environ: Mapping[str, Any], request: Request | None, found: Route | None, reply: Reply
    ) -> Reply:
        """The answer, when it is in the log; else the refusal to answer (FB-4206)."""
        try:
            self._log(environ, request, found, reply)
        except Exception as error:
            return reply_of(error)
        return reply

    def _log(
        self, environ: Mapping[str, Any], request: Request | None, found: Route | None, reply: Reply
    ) -> None:
        interaction = found.interaction if found is not None else "unknown"
        done = reply.status < 400
        if interaction in _NOT_LOGGED or (done and interaction in _IN_TRANSACTION):
            return
        patients, unresolved = _shown(request, found, reply) if done else ((), ())
        record = AuditRecord(
            milliseconds(clock.now()),
            self._agent,
            interaction.removesuffix("-conditional"),
            reply.status,
            found.resource_type if found is not None else "",
            found.id if found is not None else "",
            found.version if found is not None else "",
            patients,
            unresolved,
            _query(environ, request) if interaction not in ("read", "vread") else "",
            code=_code(reply),
            request_id=self._request_id,
        )
        self._auditing.write(record, at_once=self._agent.purpose == "BTG")


def _shown(
    request: Request | None, found: Route | None, reply: Reply
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The patients whom an answer shows, and the resources of which that must be looked up."""
    if found is None or request is None:
        return (), ()
    named = patients_of_query(found.resource_type, request.query)
    own = (found.id,) if "Patient" in (found.resource_type, found.compartment) and found.id else ()
    patients = tuple(dict.fromkeys([*own, *patients_in(reply.body), *named]))
    if not any(name in ("_elements", "_summary") for name, _ in request.query):
        is_unseen = found.interaction in _OF_ONE and found.id and not patients
        return patients, (f"{found.resource_type}/{found.id}",) if is_unseen else ()
    if found.id and not found.compartment:
        return patients, (f"{found.resource_type}/{found.id}",)
    return patients, resources_in(reply.body)


def _query(environ: Mapping[str, Any], request: Request | None) -> str:
    """The request line, with a form as the query that it is."""
    line = f"{environ.get('REQUEST_METHOD', '')} {environ.get('PATH_INFO', '')}"
    sent = str(environ.get("QUERY_STRING", ""))
    if request is not None and request.method == "POST" and request.query:
        sent = urlencode(request.query)
    return f"{line}?{sent}" if sent else line


def _code(reply: Reply) -> str:
    """The code of the error that was answered."""
    if reply.status < 400:
        return ""
    match = _ERROR.search(reply.body)
    return match[0].decode() if match else ""
