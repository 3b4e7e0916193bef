"""Each row of the README's *Where do I add…* is done for real: by a site's files, or in a copy of the code."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fhir_bridge.app import search_registry
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.config import load_settings
from fhir_bridge.conformance import Profiles
from fhir_bridge.entitlement import Policy
from fhir_bridge.fhir import definitions
from fhir_bridge.identity import load_rules
from fhir_bridge.ingest import convert, get_feed, load_feeds
from fhir_bridge.search import parse_search
from fhir_bridge.transform import Library, check_map
from fhir_bridge.update import load_update_rules
from fhir_bridge.validation import Validator

ROOT = Path(__file__).parents[2]
OWN = "https://site.example.org"
PROFILE, Z, ODD = (f"{OWN}/{name}" for name in ("StructureDefinition/born", "map/z", "map/odd"))
FEED = f'title.en = "Site"\nsource = "hospital"\nformat = "hl7v2"\nhooks = "{Z}"\n'
ODD_FEED = f'title.en = "Odd"\nsource = "public-health"\nformat = "table"\nmap = "{ODD}"\n'
HOOK = f"""map "{Z}" = "Z"
group PatientZ(source message, target patient : Patient) {{
  message.ZPI as zpi -> patient.extension as extension, extension.url = '{OWN}/blood', extension.valueString = zpi.f2 "blood";
}}
"""
ROWS = f"""map "{ODD}" = "Odd"
uses "http://hl7.org/fhir/StructureDefinition/Bundle" alias Bundle as target
group Row(source row, target bundle : Bundle) {{
  row -> bundle.type = 'collection', bundle.entry as entry, entry.resource = create('Patient') as patient then {{
    row.sick -> patient.active = false "active";
  }} "patient";
}}
"""
BORN = {
    "resourceType": "StructureDefinition",
    "url": PROFILE,
    "name": "Born",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {
        "element": [{"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}]
    },
}
SEARCH = {
    "resourceType": "SearchParameter",
    "url": f"{OWN}/SearchParameter/patient-marital",
    "name": "marital",
    "status": "active",
    "description": "By marital status",
    "code": "marital",
    "base": ["Patient"],
    "type": "token",
    "expression": "Patient.maritalStatus",
}
VISITOR = """en = "Visitor"
zh = "访客"
[[grants]]
of = "nobody"
may = "r"
types = ["Location"]
"""
OWN_RULE = """
[[visible]]
type = "Account"
by = "owner"
"""
MESSAGE = (
    "MSH|^~\\&|A|SITE|B|C|20260301||ADT^A01|1|P|2.5\r"
    "PID|1||P1^^^SITE^PI||Li^Si||19700101|Q\rPV1|1|I|||||||||||||||||V1\rZPI|1|AB\r"
)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """A site's overlay with a file for every row that needs no Python."""
    overlay = tmp_path_factory.mktemp("site")
    codes = json.loads((ROOT / "mappings/conceptmaps/v2/v2-0001-gender.json").read_bytes())
    codes["group"][0]["element"].append(
        {"code": "Q", "target": [{"code": "other", "equivalence": "equivalent"}]}
    )
    identity = (ROOT / "mappings/identity.toml").read_text(encoding="utf-8")
    update = (ROOT / "mappings/update.toml").read_text(encoding="utf-8")
    compartment = (ROOT / "profiles/access/compartment.toml").read_text(encoding="utf-8")
    agreement = (ROOT / "profiles/access/agreement.toml").read_text(encoding="utf-8")
    files = {
        "mappings/feeds/site.toml": FEED,
        "mappings/z.map": HOOK,
        "mappings/feeds/odd.toml": ODD_FEED,
        "mappings/odd.map": ROWS,
        "profiles/born.json": json.dumps(BORN),
        "profiles/marital.json": json.dumps(SEARCH),
        "mappings/conceptmaps/v2/v2-0001-gender.json": json.dumps(codes),
        "mappings/identity.toml": re.sub(
            r"(?m)^precedence = .*$", 'precedence = ["hospital", "contract"]', identity
        ),
        "profiles/access/roles/visitor.toml": VISITOR,
        "profiles/access/compartment.toml": compartment + OWN_RULE,
        "profiles/access/agreement.toml": agreement.replace(
            "status=executed&", "status=executable&"
        ),
        "mappings/update.toml": update.replace('Address = ["use", "type"]', 'Address = ["text"]'),
    }
    for name, text in files.items():
        path = overlay / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Artifacts(overlay)


@pytest.fixture(scope="module")
def library(artifacts):
    """The maps of the product and of the site."""
    return Library.from_artifacts(artifacts)


@pytest.fixture(scope="module")
def patient(artifacts, library):
    """What the site's message becomes."""
    feeds = load_feeds(artifacts)
    made = convert(MESSAGE.encode(), feeds=feeds, library=library, feed=get_feed(feeds, "site"))
    return next(
        entry["resource"]
        for entry in made.bundle["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    )


def test_a_standard_v2_feed(patient):
    """Its file is all there is."""
    assert patient["name"][0]["family"] == "Li"


def test_a_vendor_s_z_segment(library, patient):
    """A hook in a map, named by the feed."""
    assert check_map(library, Z) == []
    assert patient["extension"] == [{"url": f"{OWN}/blood", "valueString": "AB"}]


def test_an_odd_table(artifacts, library):
    """A map and a feed that names it."""
    feeds = load_feeds(artifacts)
    made = convert(b"number,sick\r\n1,yes\r\n", feeds=feeds, library=library, feed=feeds["odd"])

    assert check_map(library, ODD) == []
    assert made.bundle["entry"][0]["resource"] == {"resourceType": "Patient", "active": False}


def test_a_profile_extension_code_list(artifacts):
    """A file that resources are judged by."""
    validator = Validator(definitions(), Profiles.from_artifacts(artifacts))
    alone = {"resourceType": "Patient", "active": True}

    assert any(issue.severity == "error" for issue in validator.check(alone, [PROFILE]))
    assert validator.check(alone | {"birthDate": "1970"}, [PROFILE]) == []


def test_a_search_parameter(artifacts, tmp_path):
    """A file that the registry of the site holds."""
    settings = load_settings({}, data=tmp_path)
    registry = search_registry(settings, Profiles.from_artifacts(artifacts))

    assert parse_search("Patient", [("marital", "M")], registry) is not None
    assert "marital" in {each.code for each in registry.parameters("Patient").values()}


def test_what_a_sender_s_code_means(patient):
    """A row of the list."""
    assert patient["gender"] == "other"


def test_which_identifier_links_persons_which_numbers_identify_which_messages_may_correct(
    artifacts,
):
    """The site's order of trust."""
    assert load_rules(artifacts).precedence == ("hospital", "contract")


def test_what_tells_two_items_of_a_list_apart_what_is_left_of_a_withdrawn_statement(artifacts):
    """The site's paths."""
    assert load_update_rules(artifacts).paths("Patient.address", "Address") == (("text",),)


def test_who_may_see_what_a_role_what_is_of_a_patient_when_an_agreement_is_in_force(artifacts):
    """A role of the site, a rule of it, and its condition."""
    policy = Policy.load(artifacts)
    assert policy.roles["visitor"].grants[0].types == {"Location"}
    assert [rule.by for rule in policy.compartment.rules["Account"]] == ["owner"]
    assert ("status", "executable") in policy.conditions.in_force


FUNCTION = '"""Twice."""\nRESULT = "string"\n\n\ndef twice(text):\n    """`text` twice."""\n    return text * 2\n'
OPERATION = '''"""$echo."""

from fhir_bridge.operations.operation import Answer, Operation

OPERATIONS = (
    Operation("echo", "urn:echo", frozenset({"system"}), lambda call: Answer(None)),
)
'''


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """What a copy of the code says of itself after a file or a row was added for each row of the table."""
    place = tmp_path_factory.mktemp("copy")
    for name in ("fhir_bridge", "mappings", "profiles"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = place / "fhir_bridge"
    (code / "map_functions/twice.py").write_text(FUNCTION, "utf-8")
    (code / "operations/echo.py").write_text(OPERATION, "utf-8")
    with (code / "errors.csv").open("a", encoding="utf-8") as rows:
        rows.write("FB-2199,invalid,400,AE,207,It is so.,Do otherwise.\n")
    config = (code / "config.py").read_text("utf-8")
    config = config.replace("    batch: int\n", "    batch: int\n    colour: str\n", 1)
    row = '    Setting("colour", "colour of the pages", "blue"),\n)  # fmt: skip'
    (code / "config.py").write_text(config.replace(")  # fmt: skip", row, 1), "utf-8")
    script = (
        "import json\n"
        "from fhir_bridge.map_functions import functions_by_name\n"
        "from fhir_bridge.operations import operations\n"
        "from fhir_bridge.errors import catalogue\n"
        "from fhir_bridge.config import load_settings\n"
        "print(json.dumps({'function': functions_by_name()['twice'].call('a'),"
        " 'operations': sorted(operations()) if isinstance(operations(), dict) else"
        " sorted(str(getattr(each, 'name', each)) for each in operations()),"
        " 'error': catalogue()['FB-2199'].sentence,"
        " 'setting': load_settings({'FHIR_BRIDGE_COLOUR': 'red'}).colour}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=place, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_a_transform_function(changed):
    """A file of its name."""
    assert changed["function"] == "aa"


def test_an_operation(changed):
    """A file with what it holds."""
    assert any("echo" in name for name in changed["operations"])


def test_an_error(changed):
    """A row of the catalogue."""
    assert changed["error"] == "It is so."


def test_a_setting(changed):
    """A row and its field, read from the environment."""
    assert changed["setting"] == "red"


def test_every_row_of_the_table_is_done_here():
    """A new row brings its test."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("## Where do I add…")[1].split("\n\n")[1]
    tasks = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    tests = {name for name in globals() if name.startswith("test_")}

    assert tasks
    assert [] == [
        task
        for task in tasks
        if "test_" + re.sub(r"[^a-z0-9]+", "_", task.lower()).strip("_") not in tests
    ]
