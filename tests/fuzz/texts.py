"""What clients send to be evaluated: expressions and maps, under the bounds of clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.budget import Bounds, bounded
from fhir_bridge.fhir import definitions, parse_json, render_json
from fhir_bridge.fml import parse_map, render_map
from fhir_bridge.transform import Library
from tests.fuzz.target import Fault, Target

__all__ = ["TEXTS"]

_CASES = Path(__file__).parent.parent / "cases"
_MAPPINGS = Path(__file__).parent.parent.parent / "mappings"
_BOUNDS = Bounds(steps=100_000, bytes=20_000_000, seconds=2)
_PATIENT = parse_json((_CASES / "fhirpath" / "patient.json").read_bytes())
_SHIPPED = Library()


def _fhirpath(data: bytes) -> None:
    """Checked against the type, and evaluated by the engine and as generated Python."""
    text = data.decode("utf-8", "replace")
    variables: dict[str, Any] = {"a": "text", "n": [1, 2, 3]}
    compiled = fhirpath.compile(text, definitions=definitions())
    fhirpath.check(text, definitions(), "Patient")
    with bounded(_BOUNDS):
        for _ in range(4):
            compiled.typed(_PATIENT, variables=variables)
        compiled.items(_PATIENT, variables=variables)


def _maps(data: bytes) -> None:
    """Read, written and read again, compiled and run."""
    text = data.decode("utf-8", "replace")
    structure_map = parse_map(text)
    assert parse_map(render_map(structure_map)) == structure_map
    library = Library(None, [structure_map])
    library.shapes, library.normaliser = _SHIPPED.shapes, _SHIPPED.normaliser
    compiled = library.compile(structure_map.url or structure_map.name)
    with bounded(_BOUNDS):
        for _ in range(4):
            made = compiled.run(_PATIENT, variables={"zone": "+08:00"})
            render_json(made.target)


def _expressions() -> list[bytes]:
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((_CASES / "fhirpath").glob("*.txt"))
    )
    lines = [line.partition("  =>  ")[0].encode() for line in text.splitlines()]
    own = [parameter.expression.encode() for parameter in definitions().search_parameters.values()]
    return [line for line in lines if line and line[:1] != b"#"] + own[::20]


def _map_texts() -> list[bytes]:
    paths = sorted(_MAPPINGS.rglob("*.map"))
    return [_SMALL, *(path.read_bytes() for path in paths if path.stat().st_size < 4_000)]


_SMALL = b"""map "http://example.org/StructureMap/small" = "Small"
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" as target
conceptmap "g" { prefix s = "u:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:male == t:female }
group Main(source src : Patient, target tgt : Patient) {
  src.name as name where (use = 'official') -> tgt.name as made then Name(name, made) "n";
  src.gender as gender -> tgt.gender = translate(gender, '#g', 'code');
  src.birthDate as born -> tgt.birthDate = born, tgt.id = append('a', born);
  src.telecom : ContactPoint first as t check (system.exists()) log ('x') -> tgt.telecom = cp('phone', t);
  src.identifier as i -> tgt.identifier = create('Identifier') as j then { i.value as v -> j.value = truncate(v, 5); };
}
group Name(source s, target t : HumanName) extends Text { s.family -> t.family; s.given -> t.given; }
group Text(source s, target t) { s.text as x -> t.text = (%x & '!'); }
"""
_PATH = (b"where(", b"select(", b"repeat(", b"aggregate($total + $this, 0)", b"$this", b"%a", b"%n", b"name", b"given", b"matches('(a|b)+$')", b"replaceMatches('(.)', '$1$1')", b"resolve()", b"ofType(", b" is Patient", b"@2024-01-01T10:00:00.000+08:00", b"4 'mg'", b"iif(", b"descendants()", b"%factory.HumanName(", b"Patient { ", b"sort(", b"defineVariable('x', ", b"toQuantity()", b" + 1 year", b".lowBoundary(", b"%`ext-x`", b" | ", b"\\u0041", b"as ", b" ~ ", b"encode('hex')")  # fmt: skip
_MAP = (b"src", b"tgt", b" -> ", b" as x", b"then {", b"}", b"(", b")", b";", b"where (", b"check (", b"log (", b"default (", b"first ", b"only_one", b"share y", b"collate", b"create('", b"copy(", b"evaluate(", b"translate(", b"append(", b"dateOp(", b"uuid()", b"cc(", b"qty('5 mg')", b"reference(", b"extends ", b"<<type+>>", b"imports \"", b"conceptmap \"#\" {", b"let z = ", b"//", b"/*", b" 0..1", b": string", b"group Main")  # fmt: skip

TEXTS = (
    Target(
        "fhirpath",
        _fhirpath,
        _expressions,
        _PATH,
        (
            Fault(
                "fhir_bridge.fhirpath.expression",
                "compile_closure",
                lambda _, text, __: text.count("(") > 6,
            ),
            Fault("fhir_bridge.fhirpath.functions.filtering", "key_of", lambda *_: True),
            Fault(
                "fhir_bridge.fhirpath.functions.strings",
                "compile_pattern",
                lambda *_: True,
            ),
        ),
        (
            "fhir_bridge.fhirpath",
            "fhir_bridge.fhirpath_values",
            "fhir_bridge.ucum",
            "fhir_bridge.pattern",
            "fhir_bridge.pattern_syntax",
        ),
    ),
    Target(
        "maps",
        _maps,
        _map_texts,
        _MAP,
        (
            Fault(
                "fhir_bridge.transform.compile.rule",
                "compile_source",
                lambda source, *_: bool(source.check),
            ),
            Fault(
                "fhir_bridge.transform.compile.rule",
                "infer_dispatch",
                lambda rule, *_: len(rule.targets) > 2,
            ),
            Fault(
                "fhir_bridge.transform.compile.rule",
                "run_group",
                lambda run, *_: run.depth > 1,
            ),
        ),
        (
            "fhir_bridge.fml",
            "fhir_bridge.transform",
            "fhir_bridge.fhirpath",
            "fhir_bridge.fhirpath_values",
        ),
    ),
)
