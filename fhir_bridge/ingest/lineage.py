"""Lineage: for each stored element the place in the message and the rule that wrote it.

Kept on the message's Provenance as extensions, when the feed asks for it
(https://hl7.org/fhir/R4/provenance.html).  Places are the sender's: ``PID-5``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fhir_bridge.fhir import Resource
from fhir_bridge.transform import LineageStep

__all__ = ["LINEAGE", "lineage_extensions"]

LINEAGE = "https://fhir-bridge.org/fhir/StructureDefinition/provenance-lineage"

_ELEMENT = re.compile(r"Bundle\.entry\[(\d+)\]\.resource\.(.+)\Z")


def lineage_extensions(steps: Iterable[LineageStep], references: Sequence[str]) -> list[Resource]:
    """One extension for each element: ``target`` (``Patient/1#name[0].text``), ``source``, ``rule``.

    `references` are those of the Bundle's entries, in order; the last rule that wrote an
    element counts.
    """
    written: dict[str, LineageStep] = {}
    for step in steps:
        found = _ELEMENT.match(step.target_path)
        if found and int(found[1]) < len(references):
            written[f"{references[int(found[1])]}#{found[2]}"] = step
    return [
        {
            "url": LINEAGE,
            "extension": [
                {"url": name, "valueString": text}
                for name, text in (
                    ("target", target),
                    ("source", step.source_where),
                    ("rule", f"{step.map_url}#{step.rule}:{step.line}"),
                )
                if text  # a value that no place of the message gave has no source
            ],
        }
        for target, step in written.items()
    ]
