"""How fast compiled maps are, and whether time per element stays flat.

``python bench/fml.py [--largest N]`` prints, for one core:

1. a Bundle of N Observations through one map, N = 10 … 100,000: microseconds an element,
   and the ratio of the slowest to the fastest (flat within 1.3 is the aim), from tree to
   tree and from JSON text to JSON text;
2. records a second of a Patient map and an Observation map, lineage off and on.

Garbage collection is left on; each figure is the best of several runs.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge.budget import INSTALLED, bounded
from fhir_bridge.fhir import parse_json, render_json
from fhir_bridge.transform import CompiledMap, load

BUNDLE = """
map "http://example.org/StructureMap/bundle-of-observations" = "BundleOfObservations"
uses "http://hl7.org/fhir/StructureDefinition/Bundle" alias Bundle as source
uses "http://hl7.org/fhir/StructureDefinition/Bundle" alias TargetBundle as target

group Main(source src : Bundle, target tgt : TargetBundle) {
  src -> tgt.type = 'collection' "type";
  src.entry as entry -> tgt.entry as made then Entry(entry, made) "entry";
}
group Entry(source entry, target made) {
  entry.fullUrl as url -> made.fullUrl = url;
  entry.resource : Observation as from -> made.resource = create('Observation') as to
    then Observation(from, to) "observation";
}
"""

OBSERVATION = """
group Observation(source from : Observation, target to : Observation) {
  from.id as id -> to.id = id;
  from.identifier as identifier -> to.identifier as made then {
    identifier.system as system -> made.system = system;
    identifier.value as value -> made.value = value;
  };
  from.status as status -> to.status = translate(status, '#status', 'code');
  from.category as category -> to.category = category;
  from.code as code -> to.code as concept then {
    code.coding as coding -> concept.coding as made then {
      coding.system as system -> made.system = system;
      coding.code as value -> made.code = value;
      coding.display as display -> made.display = display;
    };
    code.text as text -> concept.text = text;
  };
  from.subject as subject -> to.subject as reference then {
    subject.reference as text -> reference.reference = text;
  };
  from.effective as effective -> to.effective = effective;
  from.value : Quantity as quantity where (value.exists()) -> to.value = create('Quantity') as made then {
    quantity.value as value -> made.value = value;
    quantity.unit as unit -> made.unit = unit;
    quantity.system as system -> made.system = system;
    quantity.code as code -> made.code = code;
  } "quantity";
  from.interpretation as interpretation -> to.interpretation = interpretation;
}
conceptmap "status" {
  prefix s = "http://hl7.org/fhir/observation-status"
  prefix t = "http://hl7.org/fhir/observation-status"
  s:final == t:final
  s:preliminary == t:preliminary
}
"""

PATIENT = """
map "http://example.org/StructureMap/patient-row" = "PatientRow"
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

conceptmap "sex" {
  prefix s = "urn:sex"
  prefix t = "http://hl7.org/fhir/administrative-gender"
  s:"1" == t:male
  s:"2" == t:female
}

group Main(source row, target patient : Patient) {
  row.number as number -> patient.identifier as identifier, identifier.system = 'urn:oid:1.2.3',
    identifier.value = number "identifier";
  row.name as name -> patient.name as made, made.use = 'official', made.text = name "name";
  row.sex as sex -> patient.gender = translate(sex, '#sex', 'code');
  row.born as born -> patient.birthDate = date_from_ts(born) "born";
  row.phone as phone where ($this.length() > 5) -> patient.telecom as telecom,
    telecom.system = 'phone', telecom.value = phone "phone";
  row.city as city -> patient.address as address, address.city = city then {
    row.street as street -> address.line = street;
    row.postcode as postcode -> address.postalCode = postcode;
  } "address";
  row.active as active -> patient.active = (%active = 'Y') "active";
}
"""

ROW = {
    "number": "110105194912310021",
    "name": "Li Wei",
    "sex": "2",
    "born": "19491231",
    "phone": "13800000000",
    "city": "Beijing",
    "street": "Example Street 1",
    "postcode": "100000",
    "active": "Y",
}


def observation(number: int) -> dict[str, Any]:
    """A small laboratory result."""
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "identifier": [{"system": "urn:oid:1.2.3.4", "value": str(number)}],
        "status": "final",
        "category": [{"coding": [{"system": "http://example.org/c", "code": "laboratory"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "2339-0", "display": "Glucose"}],
            "text": "Glucose",
        },
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2024-05-06T07:08:09+08:00",
        "valueQuantity": {
            "value": Decimal("5.10"),
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
        "interpretation": [{"coding": [{"code": "N"}]}],
    }


def bundle(size: int) -> dict[str, Any]:
    """A Bundle of `size` Observations."""
    entries = [
        {"fullUrl": f"urn:uuid:{number}", "resource": observation(number)} for number in range(size)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def best(task: Callable[[], Any], repeats: int) -> float:
    """CPU seconds of the fastest of `repeats` runs."""
    found = float("inf")
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        task()
        found = min(found, time.process_time() - start)
    return found


def sizes(compiled: CompiledMap, largest: int, *, from_text: bool) -> None:
    """Microseconds an element by size of the Bundle; `from_text`: JSON read and written, too."""
    costs: list[float] = []
    through = "JSON text to JSON text" if from_text else "tree to tree"
    print(f"Observations in one Bundle, {through}: microseconds an element")
    size = 10
    while size <= largest:
        source = bundle(size)
        text = render_json(source)
        compiled.run(source)
        runs = max(1, 2000 // size)

        def task(source: dict[str, Any] = source, text: bytes = text, runs: int = runs) -> None:
            for _ in range(runs):
                if from_text:
                    render_json(compiled.run(parse_json(text)).target)
                else:
                    compiled.run(source)

        cost = best(task, 5 if size < 50_000 else 3) / runs / size * 1e6
        costs.append(cost)
        print(f"  {size:>7,}  {cost:6.1f} us   {cost * size / 1e6:8.3f} s")
        size *= 10
    print(f"  slowest / fastest: {max(costs) / min(costs):.2f}")


def rates(name: str, compiled: CompiledMap, record: dict[str, Any]) -> None:
    """Records a second, lineage off and on."""
    count = 2000

    def task(*, lineage: bool) -> None:
        for _ in range(count):
            compiled.run(record, lineage=lineage)

    off = best(lambda: task(lineage=False), 5) / count
    on = best(lambda: task(lineage=True), 5) / count
    print(
        f"{name}: {1 / off:,.0f} records/s ({off * 1e6:.0f} us), "
        f"with lineage {1 / on:,.0f} (cost {on / off:.2f} times)"
    )


def main() -> None:
    """Read the options, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=100_000)
    chosen = parser.parse_args()
    with bounded(INSTALLED):
        measure(chosen.largest)


def measure(largest: int) -> None:
    """Print all figures, of maps as an installation has them."""
    start = time.process_time()
    whole = load(BUNDLE + OBSERVATION)
    print(f"compile: {(time.process_time() - start) * 1e3:.0f} ms")
    single = load(
        'map "http://example.org/StructureMap/observation" = "Observation"\n'
        'uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as source\n'
        'uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as target\n'
        + OBSERVATION
    )
    rates("Patient from a row", load(PATIENT), ROW)
    rates("Observation", single, observation(1))
    sizes(whole, largest, from_text=False)
    sizes(whole, largest, from_text=True)


if __name__ == "__main__":
    main()
