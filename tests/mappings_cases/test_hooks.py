"""The hooks of documents, and of the request behind a report: a case for each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.ingest import get_feed, load_feeds
from fhir_bridge.ingest.parse import parse
from fhir_bridge.ingest.transform import Transformer
from fhir_bridge.transform import Library, check_map
from tests.ingest.conftest import adt, make_site
from tests.ingest.test_hooks import BASE, FEED, HEAD, OWN, shipped, site

DOCUMENT = Path(__file__).parents[1] / "cases/maps/cda-own-numbers/input.xml"
CDA_FEED = f"""title.en = "Second Hospital"
source = "hospital"
format = "cda"
hooks = "{OWN}"
[listener]
kind = "folder"
pattern = ["*.xml"]
"""
CDA_HEAD = f'map "{OWN}" = "Own"\nimports "{BASE}/cda-*"\n'
BED = '<h:bedClass xmlns:h="urn:second" code="A"/>'
REPORT = (
    "MSH|^~\\&|A|SECOND|B|C|20260301080000||ORU^R01|1|P|2.5\rPID|1||P1||张^三\r"
    "ORC|RE|O1|F1\rOBR|1|O1|F1|GLU^糖||||||||||||D1^李^四\rOBX|1|NM|G^糖||5|mmol/L|||||F\rZRQ|1|ward 3\r"
)


def _mapped(folder: Path, own: str, data: str, feed: str, runs: int) -> list[dict[str, Any]]:
    """The resources, and the Bundle last."""
    artifacts, library = site(folder, own, feed=feed)
    assert check_map(library, OWN) == []
    chosen = get_feed(load_feeds(artifacts), "second")
    transformer = Transformer(library)
    for _ in range(runs):  # the generated functions come with the third run
        (record,) = parse(data.encode(), chosen)
        bundle = transformer.transform(record, chosen).bundle
    assert bundle is not None
    return [*(entry["resource"] for entry in bundle["entry"]), bundle]


@pytest.mark.parametrize("runs", [1, 4])
def test_every_hook_of_documents_is_called(tmp_path: Path, runs: int) -> None:
    """One mark for each: an id, or for what has none an extension or an entry."""
    hooks = shipped().maps[f"{BASE}/cda-hooks"].groups
    groups = []
    for group in hooks:
        source, target = group.parameters[0].name, group.parameters[-1].name
        given = ", ".join(
            f"{one.mode} {one.name}" + (f" : {one.type}" if one.type else "")
            for one in group.parameters
        )
        mark = (
            f"{target}.entry as own, own.fullUrl = 'urn:own', own.resource = create('Basic') as basic,"
            f" basic.id = '{group.name}'"
            if group.name == "CdaEntry"
            else f"{target}.id = '{group.name}'"
        )
        groups.append(f"group {group.name}({given}) {{ {source} -> {mark} 'mark'; }}\n")
    resources = _mapped(
        tmp_path, CDA_HEAD + "".join(groups), DOCUMENT.read_text(encoding="utf-8"), CDA_FEED, runs
    )

    called = {each.get("id") for each in resources}
    for each in resources:
        called |= {section.get("id") for section in each.get("section", ())}
    assert {group.name for group in hooks} - called == set()


def test_an_element_of_a_hospitals_own_namespace_reaches_the_patient(tmp_path: Path) -> None:
    """It is read by its local name, as everything in a document is."""
    own = CDA_HEAD + (
        "group CdaPatient(source role, source document, target patient : Patient) {\n"
        "  role.bedClass as bed -> patient.extension as extension,\n"
        "    extension.url = 'https://second.example.org/bed-class', extension.valueCode = (bed.code) 'bed';\n}\n"
    )
    text = DOCUMENT.read_text(encoding="utf-8")
    data = text.replace("</patientRole>", f"{BED}</patientRole>", 1)
    resources = _mapped(tmp_path, own, data, CDA_FEED, 1)

    (patient,) = (each for each in resources if each["resourceType"] == "Patient")
    assert {"url": "https://second.example.org/bed-class", "valueCode": "A"} in patient["extension"]


@pytest.mark.parametrize("runs", [1, 4])
def test_the_request_behind_a_report_has_the_hook_of_orders(tmp_path: Path, runs: int) -> None:
    """A Z-segment of the order reaches the ServiceRequest, also where no order message came."""
    own = HEAD.format(url=OWN) + (
        "group OrderZ(source order, target request : ServiceRequest) {\n"
        "  order.ZRQ as zrq -> request.patientInstruction = zrq.f2 'ward';\n}\n"
    )
    resources = _mapped(tmp_path, own, REPORT, FEED, runs)

    (request,) = (each for each in resources if each["resourceType"] == "ServiceRequest")
    assert request["patientInstruction"] == "ward 3"


def test_provenance_names_the_feeds_maps_of_hooks_beside_the_standard_map(tmp_path: Path) -> None:
    """Who asks how a message was read finds every map that had a say."""
    made = make_site(tmp_path / "record.sqlite3")
    own = f'map "{OWN}" = "Own"\ngroup Own(source message, target bundle : Bundle) {{\n}}\n'
    made.library.maps[OWN] = Library(None, [own]).maps[OWN]
    made.feeds["his"] = replace(made.feeds["his"], hooks=(OWN,))
    made.send(adt())

    (provenance,) = made.resources("Provenance")
    assert provenance["policy"] == ["urn:test:adt", OWN]
    made.store.close()
