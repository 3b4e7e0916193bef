"""Reference search parameters: who points to whom.

https://hl7.org/fhir/R4/search.html#reference.  A literal reference is indexed as ``Type/id``
when it is relative or below one of this server's own addresses, otherwise as it is written
(without the version); a logical one by its identifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhir_bridge.search.conditions import Condition, Posted, nothing
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, posting, text_key
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.search_type import (
    Index,
    Parameter,
    SearchType,
    Slot,
    Typed,
    expected,
)
from fhir_bridge.search.types.token_rows import any_system

__all__ = ["Reference", "ReferenceValue", "local", "target_type"]

_MAX_MEMO = 1 << 14
"""References that come again: within a batch many resources name the same few."""
_RELATIVE = re.compile(
    r"(?<![A-Za-z])([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/#]+)?(?:#.*)?"
)


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """The references, of which one is to be there, as they are indexed."""

    texts: tuple[str, ...]
    is_logical: bool = False


class Reference(SearchType[ReferenceValue]):
    """A Reference or a canonical."""

    is_shareable = True
    names_context = True

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """Every type that it may refer to is one."""
        return ("identifier", "missing", *parameter.targets)

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """``ne`` where there is at most one."""
        return ("eq", "re", "pr", *(("ne",) if parameter.is_single else ()))

    def read(self, parameter: Parameter, modifier: str, written: Written) -> ReferenceValue:
        """``id``, ``Type/id`` or a URL; with ``:identifier`` a token."""
        if modifier == "identifier":
            token = written.text if "|" in written.text else any_system(written.text)
            return ReferenceValue((_by_identifier(token),), is_logical=True)
        name, is_local = local(written.text, parameter.settings.own_bases)
        if is_local or "/" in name or ":" in name:
            if modifier and not name.startswith(f"{modifier}/"):
                raise expected(parameter, f"a reference to {modifier}")
            return ReferenceValue((name,))
        if modifier:
            return ReferenceValue((f"{modifier}/{name}",))
        return ReferenceValue((*(f"{target}/{name}" for target in parameter.targets), name))

    def match(self, index: Index, value: ReferenceValue) -> Condition:
        """One of the references that can be in the index."""
        texts = value.texts
        if not value.is_logical:
            texts = tuple(each for each in texts if index.may_hold(target_type(each)))
        return Posted(index.symbol, texts) if texts else nothing()

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """Postings of each reference; the resource joins the compartment of a Patient."""
        own_bases, without = parameter.settings.own_bases, parameter.indexes[0].without
        base = slot.number << VALUE_BITS
        for _, value in values:
            text, identifier = value, None
            if type(value) is dict:
                text, identifier = value.get("reference"), value.get("identifier")
                if text is None:
                    text = _itself(value)
            if isinstance(text, str) and text:
                target, key, is_local, canonical = _keys(text, own_bases)
                if target in without:
                    continue
                if text[0] != "#":
                    rows.postings.add(base | (key & VALUE_MASK))
                    if is_local:
                        joins = parameter.is_member and target == "Patient"
                        rows.references[key] = rows.references.get(key, False) or joins
                    elif canonical:  # one with its version is found without it too
                        rows.postings.add(base | (canonical & VALUE_MASK))
            if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
                system, code = identifier.get("system"), identifier["value"]
                rows.postings.add(posting(slot.number, _by_identifier(any_system(code))))
                rows.postings.add(posting(slot.number, _by_identifier(f"{system or ''}|{code}")))

    def context_values(self, kind: str, value: Any) -> Iterator[str]:
        """The reference as it is indexed."""
        written = value.get("reference") if isinstance(value, dict) else value
        if isinstance(written, str):
            yield local(written)[0]

    def context_texts(self, value: ReferenceValue) -> tuple[str, ...]:
        """Each reference that it may be."""
        return value.texts


def _by_identifier(token: str) -> str:
    """Index text of a logical reference; `token` is the index text of its identifier."""
    return f"\x03{token}"


def local(text: str, own_bases: tuple[str, ...] = ()) -> tuple[str, bool]:
    """The indexed form of a reference, and whether it is ``Type/id`` of this server.

    >>> local("Patient/1/_history/3")
    ('Patient/1', True)
    """
    for base in own_bases:
        if text.startswith(base):
            text = text[len(base) :].lstrip("/")
            break
    match = _RELATIVE.fullmatch(text)
    if match:
        return f"{match[1]}/{match[2]}", True
    return text.partition("/_history/")[0], False


@lru_cache(maxsize=_MAX_MEMO)
def target_type(text: str) -> str:
    """The resource type that a literal reference names, or ""."""
    match = _RELATIVE.search(text)
    return match[1] if match else ""


@lru_cache(maxsize=_MAX_MEMO)
def _keys(text: str, own_bases: tuple[str, ...]) -> tuple[str, int, bool, int]:
    """Type that a reference names, key of its indexed form, whether local, key without version."""
    name, is_local = local(text, own_bases)
    canonical = text_key(name.partition("|")[0]) if "|" in name and not is_local else 0
    target = name.partition("/")[0] if is_local else target_type(text)
    return target, text_key(name), is_local, canonical


def _itself(value: dict[str, Any]) -> str | None:
    """``Type/id`` of a whole resource, such as the Composition of a document."""
    return f"{value['resourceType']}/{value.get('id')}" if "resourceType" in value else None
