"""Small maps for tests: text around rules, and a run that gives the target."""

from __future__ import annotations

from typing import Any

from fhir_bridge.transform import Transformed, load

BASE = "http://hl7.org/fhir/StructureDefinition/"


def map_text(rules: str, *, target: str = "Patient", source_type: str = "", more: str = "") -> str:
    """A map whose entry group has `rules`, from `src` to `tgt`."""
    uses = f'uses "{BASE}{target}" alias {target} as target\n'
    if source_type:
        uses += f'uses "{BASE}{source_type}" alias {source_type}Source as source\n'
    declared = f" : {source_type}Source" if source_type else ""
    return (
        f'map "http://example.org/StructureMap/test" = "test"\n{uses}'
        f"group Main(source src{declared}, target tgt : {target}) {{\n{rules}\n}}\n{more}"
    )


def transform(rules: str, source: Any, **options: Any) -> Transformed:
    """Run `rules` on `source`; `variables` and `lineage` go to the run, the rest to the map."""
    run = {name: options.pop(name) for name in ("variables", "lineage") if name in options}
    return load(map_text(rules, **options)).run(source, **run)


def target_of(rules: str, source: Any, **options: Any) -> Any:
    """The target of the run, without ``resourceType``."""
    found = dict(transform(rules, source, **options).target)
    found.pop("resourceType", None)
    return found
