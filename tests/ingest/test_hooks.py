"""A site's map defines hooks of the standard maps, and a feed says little more than its name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.ingest import find_map, get_feed, load_feeds
from fhir_bridge.ingest.parse import parse
from fhir_bridge.ingest.transform import Transformer
from fhir_bridge.ingest.unread import unread_places
from fhir_bridge.transform import Library, check_map

BASE = "https://fhir-bridge.org/fhir/StructureMap"
OWN = "https://second.example.org/StructureMap/z"
FEED = f"""title.en = "Second Hospital"
source = "hospital"
format = "hl7v2"
hooks = "{OWN}"
[listener]
kind = "mllp"
port = 2599
"""
HEAD = 'map "{url}" = "Own"\nimports "https://fhir-bridge.org/fhir/StructureMap/v2-datatype-*"\n'
PATIENT = """
group PatientZ(source message, target patient : Patient) {
  message.ZPI as zpi -> patient.extension as extension, extension.url = 'https://second.example.org/blood-group',
    extension.valueString = zpi.f2 "bloodGroup";
}
"""
ADT = (
    "MSH|^~\\&|A|SECOND|B|C|20260301080000||ADT^{event}|1|P|2.5\r"
    "PID|1||P1^^^SECOND^PI||张^三||19700101|M\rPV1|1|I|W1||||||||||||||||V1\r"
)


@cache
def shipped() -> Library:
    """The product's maps, read once."""
    return Library.from_artifacts(Artifacts())


def library_with(*maps: str) -> Library:
    """The product's maps and those of a site."""
    ours = shipped()
    library = Library(None, [*ours.maps.values(), *maps])
    library.shapes, library.normaliser = ours.shapes, ours.normaliser
    library.concept_maps, library.code_systems = ours.concept_maps, ours.code_systems
    return library


def site(folder: Path, *maps: str, feed: str = FEED) -> tuple[Artifacts, Library]:
    """An overlay with the feed of a second hospital, and its maps with the product's."""
    (folder / "mappings/feeds").mkdir(parents=True)
    (folder / "mappings/feeds/second.toml").write_text(feed, encoding="utf-8")
    return Artifacts(folder), library_with(*maps)


def mapped(
    artifacts: Artifacts, library: Library, text: str, runs: int = 1
) -> tuple[Resource, set[str]]:
    """The Bundle of a message of the feed, and the places that nothing read."""
    feed = get_feed(load_feeds(artifacts), "second")
    transformer = Transformer(library)
    for _ in range(runs):  # the generated functions come with the third run
        (record,) = parse(text.encode(), feed)
        bundle = transformer.transform(record, feed).bundle
    assert bundle is not None
    return bundle, {place for place, looked, _ in unread_places(record.tree, "hl7v2") if not looked}


def resource(bundle: Resource, kind: str) -> Resource:
    """The one resource of the type."""
    (found,) = (e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind)
    return dict(found)


@pytest.mark.parametrize("event", ["A01", "A08", "A40", "Z99"])
@pytest.mark.parametrize("runs", [1, 4])
def test_a_z_segment_of_the_patient_is_taken_over_by_eight_lines_and_a_group(
    tmp_path: Path, event: str, runs: int
) -> None:
    """In any message, interpreted or generated; what the hook reads is no longer unread."""
    artifacts, library = site(tmp_path, HEAD.format(url=OWN) + PATIENT)
    bundle, unread = mapped(artifacts, library, ADT.format(event=event) + "ZPI|1|AB\r", runs)

    (extension,) = resource(bundle, "Patient")["extension"]
    assert (extension["url"], extension["valueString"]) == (
        "https://second.example.org/blood-group",
        "AB",
    )
    assert not {place for place in unread if place.startswith("ZPI-2") or place == "ZPI"}


@pytest.mark.parametrize("runs", [1, 4])
def test_an_empty_field_of_a_z_segment_makes_no_extension(tmp_path: Path, runs: int) -> None:
    """An extension with a URL alone would keep the whole message out of the record (ext-1)."""
    artifacts, library = site(tmp_path, HEAD.format(url=OWN) + PATIENT)
    bundle, _ = mapped(artifacts, library, ADT.format(event="A01") + "ZPI|1||x\r", runs)

    assert "extension" not in resource(bundle, "Patient")


def test_without_the_hook_the_segment_is_unread_and_nothing_fails(tmp_path: Path) -> None:
    """A hook that nobody defines is no error."""
    artifacts, library = site(tmp_path, feed=FEED.replace(f'hooks = "{OWN}"\n', ""))
    bundle, unread = mapped(artifacts, library, ADT.format(event="A01") + "ZPI|1|AB\r")

    assert "extension" not in resource(bundle, "Patient")
    assert "ZPI" in unread


def test_hooks_are_those_of_one_feed(tmp_path: Path) -> None:
    """What a hospital means by its segment is not what its neighbour means."""
    artifacts, library = site(tmp_path, HEAD.format(url=OWN) + PATIENT)
    feed = get_feed(load_feeds(artifacts), "hospital-his")
    (record,) = parse((ADT.format(event="A01") + "ZPI|1|AB\r").encode(), feed)
    bundle = Transformer(library).transform(record, feed).bundle

    assert bundle is not None
    assert "extension" not in resource(bundle, "Patient")


MESSAGES = {
    "ADT^A01": "EVN||20260301\rPID|1||P1||张^三|||M||||||||||A1\rPV1|1|I|||||||||||||||||V1\rAL1|1|DA|X^药\rDG1|1||I10^高血压\rPR1|1||P^术||20260301\rGT1|1||李^四\rIN1|1|PLAN|C1||||||||||||||||||||||||||||||||N1\r",
    "DFT^P03": "PID|1||P1||张^三\rFT1|1|T1||20260301||CG|X^费\r",
    "PPR^PC1": "PID|1||P1||张^三\rPRB|AD|20260301|I10^病|N1\r",
    "ORU^R01": "PID|1||P1||张^三\rOBR|1||F1|GLU^糖\rOBX|1|NM|G^糖||5|mmol/L|||||F\rSPM|1|||BLD\r",
    "ORM^O01": "PID|1||P1||张^三\rORC|NW|1\rOBR|1|1||GLU^糖\r",
    "RDE^O11": "PID|1||P1||张^三\rORC|NW|1\rRXE||D^药|1||mg\r",
    "RDS^O13": "PID|1||P1||张^三\rORC|RE|1\rRXD|1|D^药|20260301|1\r",
    "RAS^O17": "PID|1||P1||张^三\rORC|RE|1\rRXA|0|1|20260301|20260301|D^药|1\r",
    "VXU^V04": "PID|1||P1||张^三\rORC|RE|1\rRXA|0|1|20260301|20260301|D^苗|1\r",
    "SIU^S12": "SCH|1|1\rPID|1||P1||张^三\r",
    "MDM^T02": "PID|1||P1||张^三\rPV1|1|I\rTXA|1|DS|TX|||||||||N1\rOBX|1|TX|D||文\r",
    "REF^I12": "RF1|A\rPRD|RP|李^四\rPID|1||P1||张^三\r",
}  # fmt: skip


@pytest.mark.parametrize("runs", [1, 4])
def test_every_hook_is_called_with_what_it_declares(tmp_path: Path, runs: int) -> None:
    """One mark for each: a message of its kind brings it."""
    hooks = shipped().maps[f"{BASE}/v2-hooks"].groups
    groups = []
    for group in hooks:
        source, target = group.parameters[0].name, group.parameters[-1]
        mark = f"{target.name}.id = '{group.name}'"
        given = ", ".join(
            f"{one.mode} {one.name}" + (f" : {one.type}" if one.type else "")
            for one in group.parameters
        )
        groups.append(f"group {group.name}({given}) {{ {source} -> {mark} 'mark'; }}\n")
    artifacts, library = site(tmp_path, HEAD.format(url=OWN) + "".join(groups))
    assert check_map(library, OWN) == []

    called = set()
    for kind, body in MESSAGES.items():
        head = f"MSH|^~\\&|A|S|B|C|20260301080000||{kind}|1|P|2.5\r"
        bundle, _ = mapped(artifacts, library, head + body, runs)
        called.add(bundle.get("id"))
        called |= {entry["resource"].get("id") for entry in bundle["entry"]}
    assert {group.name for group in hooks} - called == set()


def test_two_maps_of_a_feed_that_define_one_hook_are_refused(tmp_path: Path) -> None:
    """By the check, with both places, and when the service compiles its maps."""
    other = f"{OWN}-other"
    feed = FEED.replace(f'"{OWN}"', f'["{OWN}", "{other}"]')
    artifacts, library = site(
        tmp_path, HEAD.format(url=OWN) + PATIENT, HEAD.format(url=other) + PATIENT, feed=feed
    )
    second = get_feed(load_feeds(artifacts), "second")
    found = check_map(library, f"{BASE}/v2-adt", second.hooks)
    assert [(one.code, one.details["name"]) for one in found] == [("FB-2130", "PatientZ")]
    assert OWN in found[0].details["other"] or OWN in found[0].where
    with pytest.raises(BridgeError, match="FB-2130"):
        Transformer(library).compile_maps([second])


def test_a_map_of_hooks_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """When the service compiles its maps, not when the first message comes."""
    artifacts, library = site(tmp_path)
    with pytest.raises(BridgeError, match=f"FB-2104.*{OWN}"):
        Transformer(library).compile_maps([get_feed(load_feeds(artifacts), "second")])


@pytest.mark.parametrize(
    ("group", "code"),
    [
        ("PatientZ(source message) { message.x as x then { x.y as y; }; }", "FB-2107"),
        ("PatientZ(target patient : Patient, source message) {}", "FB-2107"),
        ("PatientZ(source message, target e : Encounter) { message -> e.status = 'x' 'x'; }", "FB-2129"),
        ("PatientZ(source message, target p) { message -> p.status = 'x' 'x'; }", "FB-2109"),
        ("PatienZ(source message, target p) { message -> p.id = 'x' 'x'; }", "FB-2122"),
    ],
)  # fmt: skip
def test_a_hook_that_does_not_fit_is_a_finding_of_its_own_map(group: str, code: str) -> None:
    """Its number of parameters, their order, the type it writes, its elements, its name."""
    own = HEAD.format(url=OWN) + "group First(source a, target b) {}\n" + f"group {group}"
    library = library_with(own)
    assert code in [one.code for one in check_map(library, OWN)]


def test_another_hook_map_is_another_reading(tmp_path: Path) -> None:
    """What was unread by the old text is counted anew."""
    _, library = site(tmp_path, HEAD.format(url=OWN) + PATIENT)
    adt = f"{BASE}/v2-adt"
    with_hook = library.digest(adt, [OWN])
    assert with_hook != library.digest(adt)
    library.add(HEAD.format(url=OWN) + PATIENT.replace("f2", "f3"))
    assert library.digest(adt, [OWN]) != with_hook


def test_a_feed_has_the_maps_of_the_standard_feed_but_for_its_own(tmp_path: Path) -> None:
    """Type by type; an empty one is not taken; one for everything leaves no others."""
    adt = f"{BASE}/v2-adt"
    artifacts, _ = site(tmp_path, feed=FEED + f'[maps]\nADT = "{OWN}"\nBAR = ""\n')
    feeds = load_feeds(artifacts)
    assert find_map(feeds["second"], "ADT^A01", "ADT") == OWN
    assert find_map(feeds["second"], "ORU^R01", "ORU") == f"{BASE}/v2-oru"
    assert find_map(feeds["second"], "BAR^P01", "BAR") is None
    assert find_map(feeds["hospital-his"], "BAR^P01", "BAR") == adt
    for own in (f'map = "{OWN}"\n' + FEED, FEED + f'[maps]\n"*" = "{OWN}"\n'):
        (tmp_path / "mappings/feeds/second.toml").write_text(own, encoding="utf-8")
        assert find_map(load_feeds(artifacts)["second"], "ORU^R01", "ORU") == OWN


def test_a_feed_has_the_mentions_and_variables_of_the_standard_feed(tmp_path: Path) -> None:
    """Mentions as a whole, variables one by one."""
    artifacts, _ = site(tmp_path, feed=FEED + '[variables]\nvisit_number_system = "http://v"\n')
    feeds = load_feeds(artifacts)
    assert feeds["second"].mentions == feeds["standard-hl7v2"].mentions != {}
    assert feeds["second"].variables["visit_number_system"] == "http://v"
    assert feeds["second"].variables["own_authorities"] == []
    (tmp_path / "mappings/feeds/second.toml").write_text(FEED + "[mentions]\nORU = []\n", "utf-8")
    assert load_feeds(artifacts)["second"].mentions == {"ORU": ()}
