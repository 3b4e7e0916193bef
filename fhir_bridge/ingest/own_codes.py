"""A sender's own code is never taken for a code of the list whose field it stands in.

https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.content,
http://hl7.org/fhir/R4/terminologies.html#system

HL7's user-defined tables, v3 code systems and the national lists that are at hand whole say
exactly which codes they hold.  A coding that claims one of them with another code means a
list of the sender's, and gets its name: ``…/sid/<sender>/v2-0069``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fhir_bridge.fhir.marks import is_null, is_usual, unmarked

__all__ = ["OwnCodes", "own_list"]

_OWN = "https://fhir-bridge.org/fhir/sid/"
_MAX_CODES = 20_000


class OwnCodes:
    """Gives codings that are in no list they name the system of their sender.

    `codes_of` answers the codes of a system that is at hand whole, None of any other.
    """

    def __init__(self, codes_of: Callable[[str], frozenset[str] | None]) -> None:
        self._codes_of = codes_of
        self._own: dict[tuple[str, str], bool] = {}

    def relabel(self, codings: Iterable[dict[str, Any]], sender: Callable[[], str]) -> None:
        """Change the codings that a map has just made, or what holds some; `sender` is a URI."""
        name = ""
        pending = list(codings)
        pop, push = pending.pop, pending.append
        while pending:
            value = pop()
            if "code" in value and "system" in value:
                system, code = value["system"], value["code"]
                if type(system) is str and type(code) is str and self._is_own(system, code):
                    name = name or sender()
                    value["system"] = own_list(name, unmarked(system))
                continue
            for item in value.values():
                if type(item) is dict:
                    push(item)
                elif type(item) is list:
                    for one in item:
                        if type(one) is dict:
                            push(one)

    def _is_own(self, system: str, code: str) -> bool:
        key = (system, code)
        found = self._own.get(key)
        if found is None:
            if is_null(code) or is_null(system):
                return False
            plain = unmarked(code) if is_usual(code) else code
            codes = self._codes_of(unmarked(system) if is_usual(system) else system)
            found = codes is not None and plain not in codes
            if len(self._own) < _MAX_CODES:
                self._own[key] = found
        return found


def own_list(sender: str, system: str) -> str:
    """The sender's own list behind the field for which `system` is meant.

    >>> own_list("https://fhir-bridge.org/fhir/sid/HIS", "http://terminology.hl7.org/CodeSystem/v2-0069")
    'https://fhir-bridge.org/fhir/sid/HIS/v2-0069'
    >>> own_list("urn:oid:1.2.3", "urn:oid:2.16.156.10011.2.3.3.8")
    'https://fhir-bridge.org/fhir/sid/1.2.3/2.16.156.10011.2.3.3.8'
    """
    base = (
        sender if sender.startswith(("http://", "https://")) else _OWN + sender.rpartition(":")[2]
    )
    return f"{base.rstrip('/')}/{system.rpartition('/')[2].rpartition(':')[2]}"
