"""How the entries of a transaction refer to each other, and to what a search finds.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references

Addresses of entries are replaced before anything is written, since every id is known by
then.  Conditional references and references to one version of an entry wait until what
they speak of is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.bundle.change import Change, at_entry
from fhir_bridge.interactions.bundle.links import Rewriter, conditional_references
from fhir_bridge.interactions.conditional import find_matches
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.request import split_url

__all__ = ["is_settled", "link"]


def link(changes: Sequence[Change], base_url: str) -> None:
    """Addresses of entries become ``Type/id`` everywhere in the new resources.

    Raises BridgeError FB-4016 when two entries have one address.
    """
    targets: dict[str, str] = {}
    for change in changes:
        address = change.entry.full_url
        if not address or not change.id or change.kind == "delete":
            continue
        if targets.setdefault(address, change.target) != change.target:
            reason = "its fullUrl is that of another entry"
            raise BridgeError("FB-4016", change.entry.where, reason=reason)
    versions = dict(_versions(changes, base_url))
    for address in [each for each, target in targets.items() if each in _own(target, base_url)]:
        del targets[address]
    for change in changes:
        if change.resource is not None:
            rewriter = Rewriter(targets, change.entry.full_url, versions)
            change.resource = rewriter.copy(change.resource, change.resource_type)
            change.references, change.pinned = rewriter.references, rewriter.pinned


def is_settled(change: Change, context: Context, *, strict: bool) -> bool:
    """Whether each reference of the change that had to wait could be replaced.

    With `strict` nothing more will come: the version of an entry that itself waits is the
    next one, and a search that does not find one resource raises BridgeError FB-4018.
    """
    return _settle_versions(change, context, strict=strict) and _settle_conditions(
        change, context, strict=strict
    )


def _versions(changes: Iterable[Change], base_url: str) -> Iterator[tuple[str, Change]]:
    """The addresses by which entries that say their version are referred to with it."""
    for change in changes:
        meta = (change.resource or {}).get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        if isinstance(version, str) and version:
            own = _own(change.target, base_url) if change.kind == "update" else ()
            for address in {change.entry.full_url, *own} - {""}:
                yield f"{address}/_history/{version}", change


def _own(target: str, base_url: str) -> tuple[str, str]:
    """The addresses that a resource of this server has already."""
    return target, f"{base_url}/{target}"


def _settle_versions(change: Change, context: Context, *, strict: bool) -> bool:
    for holder, target in change.pinned:
        if target.reply is not None:
            version = target.reply.version
        elif strict:
            present = context.find_stored(target.resource_type, target.id, "u")
            version = present.version + 1 if present else 1
        else:
            return False
        holder["reference"] = f"{target.target}/_history/{version}"
    return True


def _settle_conditions(change: Change, context: Context, *, strict: bool) -> bool:
    found = conditional_references(change.references, context.base_url)
    for holder, resource_type, query in found:
        with at_entry(change.entry):
            matches = find_matches(context, resource_type, split_url(f"?{query}")[1], 2)
            if len(matches) > 1 or (strict and not matches):
                count = "several" if matches else "no"
                raise BridgeError("FB-4018", reference=holder["reference"][:200], count=count)
        if not matches:
            return False
        holder["reference"] = f"{resource_type}/{matches[0].id}"
    return True
