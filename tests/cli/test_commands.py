"""Every command: its help, its result, its exit code (0 good, 1 findings, 2 misuse)."""

import json
from pathlib import Path

import click
import pytest

from fhir_bridge.cli import cli
from fhir_bridge.demo.contract_system import team_rows
from fhir_bridge.demo.file_drop import drop_table
from fhir_bridge.demo.hospital_messages import registrations
from fhir_bridge.demo.public_health import health_files

COMMANDS = cli.list_commands(click.Context(cli))


@pytest.fixture
def message(tmp_path: Path) -> Path:
    """A registration as the hospital sends it."""
    path = tmp_path / "a04.hl7"
    path.write_bytes(next(registrations(300, 1)).data)
    return path


@pytest.fixture
def health_table(tmp_path: Path) -> Path:
    """Ten health files in GB18030."""
    drop_table(tmp_path, "files.csv", health_files(10, 1), codec="gb18030")
    return tmp_path / "files.csv"


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """A small Patient."""
    path = tmp_path / "patient.json"
    path.write_text(
        '{"resourceType":"Patient","name":[{"family":"王","given":["伟"]}],"birthDate":"1990-01-01"}'
    )
    return path


def test_all_promised_commands_are_there():
    """The faces that stay stable."""
    promised = "serve demo convert ingest fhirpath transform validate search replay check reindex backup restore conformance links unlink unread"
    assert set(promised.split()) <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(run, name):
    """A newcomer reads --help first."""
    ran = run(name, "--help")
    assert ran.code == 0
    assert "Example: fhir-bridge " in ran.out


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["convert"], ["convert", "missing.hl7"], ["replay"], ["serve", "--port", "0"]],
)
def test_misuse_is_exit_code_2_with_a_sentence(run, arguments):
    """No traceback, nothing on standard output."""
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err


def test_a_setting_that_cannot_be_used_is_misuse(run, monkeypatch, patient):
    """A misspelt setting must not be ignored."""
    monkeypatch.setenv("FHIR_BRIDGE_PROT", "80")
    ran = run("validate", patient)
    assert ran.code == 2
    assert "FB-9002" in ran.err


def test_an_unexpected_fault_is_a_reference_not_a_traceback(run, monkeypatch, patient):
    """The last door before a traceback."""
    from fhir_bridge.validation import Validator

    monkeypatch.setattr(Validator, "check", lambda *_: 1 / 0)
    ran = run("validate", patient)
    assert ran.code == 1
    assert "FB-9001" in ran.err
    assert "Traceback" not in ran.err


# --- languages ------------------------------------------------------------------------


def test_convert_prints_a_bundle_on_one_line_for_a_pipe(run, message):
    """The standard maps serve where no feed is named."""
    ran = run("convert", message)
    (bundle,) = ran.lines
    assert bundle["resourceType"] == "Bundle"
    assert {"Patient", "Encounter"} <= {e["resource"]["resourceType"] for e in bundle["entry"]}
    assert ran.code == 0


def test_convert_of_something_unknown_is_a_coded_issue(run, tmp_path: Path):
    """Bundle or issue, never a traceback."""
    path = tmp_path / "noise.bin"
    path.write_bytes(bytes(range(256)))
    ran = run("convert", path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("FB-")


def test_convert_names_the_file_of_each_issue_when_there_are_several(run, message, tmp_path: Path):
    """The good one is converted, the bad one is named."""
    bad = tmp_path / "bad.hl7"
    bad.write_bytes(message.read_bytes()[:60])
    ran = run("convert", message, bad)
    assert ran.code == 1
    assert len(ran.lines) >= 1
    assert any(line.startswith("bad.hl7: FB-") for line in ran.err.splitlines())


def test_convert_reads_standard_input_and_takes_a_feed(run, health_table):
    """A dash is standard input."""
    ran = run("convert", "-", "--feed", "public-health-files", stdin=health_table.read_bytes())
    (bundle,) = ran.lines
    patients = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"]
    assert len(patients) == 10
    assert run("convert", "-", "--feed", "none", stdin=b"x").code == 2


def test_convert_validates_when_asked(run, message):
    """The judgement of the feed's profiles goes to standard error."""
    assert run("convert", message, "--validate").lines[0]["resourceType"] == "Bundle"


def test_fhirpath_prints_each_value_as_json(run, patient):
    """Exit code 1 when nothing is found; a fault has its position."""
    ran = run("fhirpath", "name.family | name.given", patient)
    assert (ran.code, ran.lines) == (0, ["王", "伟"])
    assert run("fhirpath", "photo", patient).code == 1
    assert run("fhirpath", "1 + 1").out == "2\n"
    typed = run("fhirpath", "--types", "birthDate", patient).lines
    assert typed == [{"type": "date", "value": "1990-01-01"}]
    broken = run("fhirpath", "name..family", patient)
    assert broken.code == 1
    assert "FB-20" in broken.err


def test_validate_tells_good_from_bad(run, patient, tmp_path: Path):
    """Issues on standard error, outcomes on standard output when asked for."""
    assert run("validate", patient).code == 0
    bad = tmp_path / "bad.ndjson"
    bad.write_text('{"resourceType":"Patient","gender":"x"}\n{"resourceType":"Patient"}\n')
    ran = run("validate", "--outcomes", bad)
    assert ran.code == 1
    assert "bad.ndjson: FB-3" in ran.err
    assert [one["resourceType"] for one in ran.lines] == ["OperationOutcome"] * 2
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert "FB-1001" in run("validate", broken).err


MAP = """/// url = 'http://example.org/StructureMap/copy-name'
/// name = 'CopyName'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Person" alias Person as target
group copy(source src : Patient, target tgt : Person) {
  src.birthDate -> tgt.birthDate;
}
"""


def test_transform_runs_a_map_on_files_and_shows_lineage(run, patient, tmp_path: Path):
    """One line a result."""
    path = tmp_path / "copy.map"
    path.write_text(MAP)
    ran = run("transform", path, patient)
    assert ran.lines == [{"resourceType": "Person", "birthDate": "1990-01-01"}]
    steps = run("transform", "--lineage", path, patient).lines[1:]
    assert any("birthDate" in step["target"] for step in steps)


def test_transform_shows_no_mark_of_a_map(run, patient, tmp_path: Path):
    """What a map supposes is printed as if stated."""
    path = tmp_path / "copy.map"
    path.write_text(MAP.replace("tgt.birthDate;", "tgt.birthDate, tgt.active = usual(true);"))
    assert run("transform", path, patient).lines[0]["active"] is True


def test_transform_checks_a_map_without_running_it(run, tmp_path: Path):
    """A fault with its place; all maps of the product are free of faults."""
    path = tmp_path / "bad.map"
    path.write_text(MAP.replace("tgt.birthDate", "tgt.birthdate"))
    ran = run("transform", "--check", path)
    assert ran.code == 1
    assert "FB-2" in ran.err
    assert run("transform", "--check").lines[-1]["errors"] == 0
    assert run("transform", path).code == 2


FEED_MAP = """/// url = 'http://example.org/StructureMap/feed-note'
/// name = 'FeedNote'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group note(source src, target tgt : Basic) {
  src -> tgt.id = (%feed) "feed";
}
"""


def test_transform_runs_a_map_as_a_feed_would(run, message, health_table, tmp_path: Path):
    """The map sees the feed's variables; tables are read in the feed's charset and grouping."""
    path = tmp_path / "note.map"
    path.write_text(FEED_MAP)
    assert run("transform", path, message).lines == [{"resourceType": "Basic"}]
    ran = run("transform", path, "--feed", "hospital-his", message)
    assert (ran.code, ran.lines[0]["id"]) == (0, "hospital-his")
    rows = run("transform", path, "--feed", "public-health-files", health_table)
    assert len(rows.lines) == 10
    drop_table(tmp_path, "teams.csv", team_rows(1))
    assert (
        len(run("transform", path, "--feed", "contract-teams", tmp_path / "teams.csv").lines) == 3
    )
    covered = run("transform", "--coverage", path, "--feed", "hospital-his", message)
    assert covered.lines[0]["failed"] == 0
    assert run("transform", path, "--feed", "none", message).code == 2


def test_transform_runs_a_map_of_the_product_as_its_feed_does(run, message):
    """A shipped map that reads variables of its feed gives a Bundle."""
    from fhir_bridge.artifacts import Artifacts
    from fhir_bridge.ingest import find_map, load_feeds

    url = find_map(load_feeds(Artifacts())["hospital-his"], "ADT^A04", "ADT_A01", "ADT")
    ran = run("transform", url, "--feed", "hospital-his", message)
    assert ran.lines[0]["resourceType"] == "Bundle"


def test_transform_ranks_what_a_map_leaves_behind(run, patient, tmp_path: Path):
    """The name of the patient never reaches the person."""
    path = tmp_path / "copy.map"
    path.write_text(MAP)
    ran = run("transform", "--coverage", path, patient)
    assert ran.code == 1
    assert ran.lines[0]["inputs"] == 1
    assert any("name" in line.get("unreached", "") for line in ran.lines)
    assert {"unfilled": "Person.gender", "required": False} in ran.lines


def test_conformance_counts_what_is_loaded(run):
    """Or lists it."""
    (told,) = run("conformance").lines
    assert told["fhirVersion"] == "4.0.1"
    assert told["structureMaps"] > 5
    (listed,) = run("conformance", "--urls").lines
    assert "hospital-his" in listed["feeds"]


# --- the record -----------------------------------------------------------------------


def test_ingest_takes_files_into_the_record_once(run, health_table):
    """A file that was taken before is known and changes nothing; search finds what it held."""
    ran = run("ingest", "--feed", "public-health-files", health_table)
    (told,) = ran.lines
    assert (ran.code, told["repeated"], told["status"]) == (0, False, "done")
    assert run("search", "--count", "Patient").out == "10\n"
    again = run("ingest", "--feed", "public-health-files", health_table).lines[0]
    assert again["repeated"] is True
    assert run("search", "--count", "Patient").out == "10\n"
    assert len(run("search", "--all", "Patient?_count=3").lines) == 10
    assert len(run("search", "Patient?_count=3").lines) == 3
    assert run("search", "Patient?name=没有").code == 1
    unknown = run("search", "Patient?nonsense=1")
    assert unknown.code == 1
    assert "FB-4101" in unknown.err


def test_search_answers_in_the_form_that_is_asked_for(run, health_table):
    """Parts of resources, the total, compartments and other forms are those of HTTP."""
    run("ingest", "--feed", "public-health-files", health_table)
    (part,) = run("search", "Patient?_elements=birthDate&_count=1").lines
    assert set(part) == {"resourceType", "id", "meta", "birthDate"}
    assert [each["code"] for each in part["meta"]["tag"]] == ["SUBSETTED"]
    (summary,) = run("search", "Patient?_summary=text&_count=1").lines
    assert "name" not in summary
    assert run("search", "Patient?_summary=count").out == "10\n"
    assert run("search", "Patient?_count=0").out == "10\n"
    assert run("search", "--count", "Patient?_elements=birthDate").out == "10\n"
    assert len(run("search", "--all", "Patient?_elements=birthDate&_count=3").lines) == 10
    within = run("search", f"Patient/{part['id']}/Observation?_count=2").lines
    assert within == run("search", f"Observation?patient={part['id']}&_count=2").lines != []
    nobody = run("search", "--count", "Patient?name=没有")
    assert (nobody.code, nobody.out) == (1, "0\n")
    read = run("search", f"Patient/{part['id']}")
    assert (read.code, "FB-4103" in read.err) == (1, True)


def test_what_no_map_reads_is_listed_and_counted_anew(run, message):
    """One line a place with the shape of an example; exit code 1 while there is something."""
    assert run("unread").code == 0
    run("ingest", "--feed", "hospital-his", message)
    listed = run("unread", "--feed", "hospital-his", "--json")
    assert listed.code == 1
    places = {one["place"]: one for one in listed.lines if not one["looked"]}
    assert places["PID-1"]["count"] == 1
    assert places["PID-1"]["example"] == "9"
    assert run("unread", "--reset").code == 1
    assert run("unread").code == 0


def test_what_cannot_be_taken_rests_in_quarantine_until_it_is_replayed(
    run, tmp_path: Path, message
):
    """Reasons on standard error, exit code 1; a replay of the same bytes fails the same way."""
    bad = tmp_path / "bad.hl7"
    bad.write_bytes(message.read_bytes().replace(b"\rPID|", b"\rP\xffD|"))
    ran = run("ingest", "--feed", "hospital-his", bad, message)
    assert ran.code == 1
    assert [one["quarantined"] for one in ran.lines] == [1, 0]
    assert "bad.hl7: FB-" in ran.err
    listed = run("replay", "--all", "--list")
    assert listed.lines[0]["feed"] == "hospital-his"
    replayed = run("replay", listed.lines[0]["item"])
    assert (replayed.code, replayed.lines[0]["recorded"]) == (1, False)
    assert run("replay", "--feed", "public-health-files").code == 0


def test_the_record_is_checked_reindexed_backed_up_and_restored(run, health_table, tmp_path: Path):
    """The copy answers as the original does."""
    run("ingest", "--feed", "public-health-files", health_table)
    checked = run("check")
    assert (checked.code, checked.lines[0]["issues"]) == (0, 0)
    resources = checked.lines[0]["resources"]
    assert run("reindex").lines == [{"resources": resources, "types": ["*"]}]
    file = tmp_path / "record.gz"
    written = run("backup", file).lines[0]
    assert written["tables"]["resource"]["rows"] == resources
    assert run("backup", file).code == 2
    assert run("backup", "--verify", file).lines == [written]
    assert written["rows"] == sum(each["rows"] for each in written["tables"].values())
    assert run("backup", "--verify", tmp_path / "none").code == 2
    assert run("restore", file, "--data", tmp_path / "other").lines[0] == written
    assert run("search", "--count", "Patient", "--data", tmp_path / "other").out == "10\n"
    assert run("restore", file, "--data", tmp_path / "other").code == 1
    file.write_bytes(file.read_bytes()[:-30])
    broken = run("restore", file, "--data", tmp_path / "third")
    assert broken.code == 1
    assert "FB-5008" in broken.err


def test_links_are_listed_and_taken_back(run, tmp_path: Path, health_table):
    """Numbers of the list are what unlink asks for; what the hospital said goes with it."""
    inbox = tmp_path / "messages"
    inbox.mkdir()
    for number, each in enumerate(registrations(10, 1)):
        (inbox / f"{number:03}.hl7").write_bytes(each.data)
    run("ingest", "--feed", "public-health-files", health_table)
    run("ingest", "--feed", "hospital-his", inbox)
    listed = [run("links", each["id"]).lines for each in run("search", "--all", "Patient").lines]
    (joined, *_) = [one for each in listed for one in each if one["did"] == "joined"]
    assert joined["feed"] == "hospital-his"
    assert all("••••" in each["value"] for each in joined["identifiers"])

    undone = run("unlink", joined["number"]).lines[0]
    assert undone["patient"] == joined["patient"]
    assert any(each.startswith("Encounter/") for each in undone["moved"])
    found = run("search", "--all", f"Encounter?patient={undone['newPatient']}").lines
    assert {f"Encounter/{each['id']}" for each in found} <= {*undone["moved"]}
    assert run("links", undone["newPatient"]).lines[-1]["undoes"] == joined["number"]
    refused = run("unlink", joined["number"])
    assert (refused.code, "FB-5106" in refused.err) == (1, True)
    assert run("check").code == 0, "one number on two persons is no finding once it was decided"


def test_contradictions_are_listed_and_settled(run, tmp_path: Path):
    """A number given to somebody else waits on the list until a note says what came of it."""
    inbox = tmp_path / "messages"
    inbox.mkdir()
    for number, person in enumerate(("吴^甲||19500101|F", "郑^乙||19800202|M")):
        text = (
            f"MSH|^~\\&|HIS|JCCH|H|H|2026030110150{number}+0800||ADT^A28^ADT_A05|H{number}|P|2.5.1\r"
            f"EVN|A28|2026030110150{number}+0800\rPID|1||P900001^^^JCCH^MR||{person}\r"
        )
        (inbox / f"{number}.hl7").write_text(text, encoding="utf-8")
    assert run("held").code == 0
    run("ingest", "--feed", "hospital-his", inbox)
    listed = run("held")
    (item,) = listed.lines
    assert (listed.code, item["kind"], item["feed"]) == (1, "overlay", "hospital-his")
    assert "••••01" in str(item["numbers"])
    assert "P900001" not in listed.out
    assert run("held", "--patient", item["other"]).lines == [item]

    settled = run("held", item["number"], "--settle", "number given twice").lines[0]
    assert settled["note"] == "number given twice"
    assert (run("held").code, run("held").lines) == (0, [])
    assert run("held", "--all").lines == [settled]


@pytest.mark.parametrize(
    ("option", "other"), [("--port", "--mllp-port"), ("--mllp-port", "--port")]
)
def test_a_port_that_is_taken_is_one_line_that_names_the_option(run, tmp_path, option, other):
    """Said before anything is made or started."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("", 0)) as spare:
        free = spare.getsockname()[1]
        spare.close()
        port = taken.getsockname()[1]
        folder = tmp_path / "demo"
        ran = run("demo", "--data", folder, option, port, other, free, "--residents", 1, "--exit")
    assert ran.code == 2
    (line,) = ran.err.splitlines()
    assert f"port {port} " in line
    assert f"with {option}" in line
    assert not folder.exists()


@pytest.mark.parametrize(
    ("good", "findings", "misuse"),
    [
        (["fhirpath", "1 + 1"], ["fhirpath", "{}"], ["fhirpath"]),
        (["check"], None, ["check", "--nonsense"]),
        (["reindex"], None, ["reindex", "extra"]),
        (None, ["search", "--count", "Basic?_id=none"], ["search"]),
        (None, ["links", "nobody"], ["links"]),
        (None, ["unlink", "1"], ["unlink", "x"]),
        (["held"], ["held", "99"], ["held", "--settle", "why"]),
        (["conformance"], None, ["conformance", "--nonsense"]),
        (["replay", "--all"], ["replay", "999"], ["replay"]),
        (None, ["restore", "{noise}"], ["restore", "missing.gz"]),
        (["backup", "{new}"], None, ["backup", "{noise}"]),
        (None, ["ingest", "--feed", "hospital-his", "{noise}"], ["ingest", "{noise}"]),
        (None, ["convert", "{noise}"], ["convert"]),
        (None, ["validate", "{noise}"], ["validate"]),
        (
            ["transform", "{map}", "--check"],
            ["transform", "{noise}", "--check"],
            ["transform"],
        ),
        (["demo", "--help"], None, ["demo", "--residents", "0"]),
        (["serve", "--help"], None, ["serve", "--workers", "0"]),
    ],
    ids=lambda arguments: arguments[0] if arguments else None,
)
def test_exit_codes_are_0_good_1_findings_2_misuse(run, tmp_path: Path, good, findings, misuse):
    """What a script that calls us goes by."""
    noise = tmp_path / "noise"
    noise.write_bytes(b"\x00noise")
    (tmp_path / "copy.map").write_text(MAP)
    places = {"noise": noise, "new": tmp_path / "new.gz", "map": tmp_path / "copy.map"}

    def filled(arguments):
        return [
            each.format(**places) if "{" in each[:1] and len(each) > 2 else each
            for each in arguments
        ]

    for expected, arguments in enumerate((good, findings, misuse)):
        if arguments is not None:
            assert run(*filled(arguments)).code == expected, arguments


def test_teams_arrive_as_groups_of_lines(run, tmp_path: Path):
    """One CareTeam for each team of four lines."""
    drop_table(tmp_path, "teams.csv", team_rows(1))
    bundles = run("convert", tmp_path / "teams.csv", "--feed", "contract-teams")
    entries = json.loads(bundles.out)["entry"]
    teams = [e["resource"] for e in entries if e["resource"]["resourceType"] == "CareTeam"]
    assert [len(team["participant"]) for team in teams] == [4, 4, 4]


def test_explain_prints_steps_and_python_and_evaluates_nothing(run, patient, tmp_path):
    """Of an expression for a type, and of a map; where nothing is written, the reason."""
    steps = run("fhirpath", "--explain", "Patient", "name.family", patient)
    assert steps.code == 0
    assert "child family: 'family' string" in steps.out
    assert "def group(node):" in steps.out
    assert (
        "interpreted: the function select()"
        in run("fhirpath", "--explain", "Patient", "name.select(family)").out
    )
    assert run("fhirpath", "--explain", "Nothing", "name").code == 2

    path = tmp_path / "small.map"
    path.write_text(MAP, encoding="utf-8")
    assert "interpreted: a source with a declared type" in run("transform", "--explain", path).out
    path.write_text(MAP.replace(" : Patient", ""), encoding="utf-8")
    assert "def group(run" in run("transform", "--explain", path).out
