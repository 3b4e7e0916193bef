"""Conversion without a record: bytes in, Bundle and issues out.

The same parse, transform and validate as the pipeline, for the command line, the
``$convert``-like operations and tests; nothing is stored and no patient is linked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir_bridge import tables
from fhir_bridge.budget import INSTALLED, bounded
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.fhir.marks import strip_marks

from .detect import detect
from .feed import Feed
from .parse import parse
from .transform import MapLibrary, Transformer, is_refused
from .unread import Place, unread_issue, unread_places
from .validate import Validation

__all__ = ["Converted", "convert", "find_standard_feed"]


@dataclass(frozen=True, slots=True)
class Converted:
    """A Bundle (None when nothing could be made) and what was found on the way."""

    bundle: Resource | None
    issues: list[Issue] = field(default_factory=list)
    feed: str = ""


def convert(
    data: bytes,
    *,
    feeds: Mapping[str, Feed],
    library: MapLibrary,
    feed: Feed | None = None,
    validation: Validation | None = None,
) -> Converted:
    """The Bundle that `data` becomes by `feed`, or by the standard feed of its format.

    Trouble is never raised: a BridgeError ends up as issues.  Records of a table or
    batch that fail leave the others in the Bundle.
    """
    try:
        chosen = feed or find_standard_feed(data, feeds)
    except BridgeError as error:
        return Converted(None, list(error.issues))
    transformer = Transformer(library)
    issues: list[Issue] = []
    bundles: list[Resource] = []
    places: list[Place] = []
    records = parse(data, chosen)
    while True:
        try:
            record = next(records, None)
            if record is None:
                break
            issues += record.issues
            if any(is_refused(issue) for issue in record.issues):
                continue
            with bounded(INSTALLED):
                mapped = transformer.transform(record, chosen)
        except BridgeError as error:
            issues += error.issues
            continue
        issues += mapped.issues
        if mapped.structure_map:
            places += unread_places(record.tree, chosen.format)
        if mapped.bundle is not None:
            bundle = strip_marks(mapped.bundle)
            bundles.append(bundle)
            if validation is not None:
                issues += validation.check(bundle, chosen)
    left = unread_issue(places)
    issues += [left] if left is not None else []
    return Converted(_one_bundle(bundles), issues, chosen.name)


def find_standard_feed(data: bytes, feeds: Mapping[str, Feed]) -> Feed:
    """The feed marked ``standard`` for the format of `data`.

    A table goes to the feed whose ``table.columns`` it has, the most columns first.
    Raises BridgeError FB-6001 (format), FB-6002 (no standard feed).
    """
    form = detect(data)
    standard = [feed for feed in feeds.values() if feed.standard and feed.format == form]
    if form == "table":
        sheets = tables.read_headers(data)
        standard = [
            each
            for each in standard
            if each.table.columns and any(names >= {*each.table.columns} for names in sheets)
        ]
        standard.sort(key=lambda each: -len(each.table.columns))
    if not standard and form == "fhir":
        return Feed("fhir", {"en": "FHIR"}, "hospital", "fhir")
    if not standard:
        raise BridgeError("FB-6002", format=form)
    return standard[0]


def _one_bundle(bundles: list[Resource]) -> Resource | None:
    if len(bundles) < 2:
        return bundles[0] if bundles else None
    entries = [entry for bundle in bundles for entry in bundle.get("entry", ())]
    return {
        "resourceType": "Bundle",
        "type": bundles[0].get("type", "collection"),
        "entry": entries,
    }
