"""Public means documented: what a person can use stands on the page where they look for it.

Settings, error codes and commands have printed pages (``test_tables``, ``test_commands_page``).
"""

import inspect
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from fhir_bridge.app import build, web_application
from fhir_bridge.clients.pull_source import PullSource
from fhir_bridge.config import load_settings
from fhir_bridge.ingest.feed import Acknowledgement, Feed, Identity, Listener, Table
from fhir_bridge.interactions import INTERACTIONS
from fhir_bridge.map_functions import MapFunction, functions_by_name
from fhir_bridge.operations import operations

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(r"<[^>]*>")
_FUNCTIONS = """
In a map they are called like any transform: `tgt.value = number_text(text)`. Printed from
`fhir_bridge/map_functions/`; what is in brackets may be left out, and an absent value gives nothing.

| function | gives | meaning |
|---|---|---|
{rows}

"""


def _page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _codes(*names: str) -> set[str]:
    """Everything that the pages set in code, places in addresses as ``<>``."""
    found = (code for name in names for code in _CODE.findall(_page(name)))
    return {_PLACE.sub("<>", code.strip("[]")) for code in found}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """The addresses that the service answers, without what is of the FHIR URL grammar."""
    settings = load_settings({}, data=tmp_path_factory.mktemp("site"), log_level="ERROR")
    services = build(settings)
    rules = {rule.rule for rule in web_application(services).url_map.iter_rules()}
    services.store.close()
    return {_PLACE.sub("<>", rule) for rule in rules} - {"/fhir/", "/fhir/<>"}


def test_every_address_is_on_a_page(addresses):
    """An address that nobody is told of is used by nobody, or by the wrong ones."""
    assert set() == addresses - _codes("docs/api.md", "docs/operator.md")


def test_every_interaction_is_described():
    """The names are FHIR's own, so that a reader can compare with the specification."""
    assert set() == set(INTERACTIONS) - _codes("docs/api.md")


def test_every_operation_is_described():
    """An operation stands in the table of requests as it is called."""
    told = " ".join(_codes("docs/api.md"))

    assert [] == [name for name in operations() if not re.search(rf"\${name}\b(?!-)", told)]


def _listener_keys() -> set[str]:
    return {each.name for each in fields(Listener)} - {"options"}


@pytest.mark.parametrize(
    "keys",
    [
        {each.name for each in fields(Feed)} - {"name", "title"} | {"title.zh", "title.en"},
        _listener_keys(),
        {each.name for each in fields(PullSource)} - {"feed", "token"} | {"token_file"},
        *({each.name for each in fields(part)} for part in (Acknowledgement, Table, Identity)),
    ],
    ids=["feed", "listener", "rest", "acknowledgement", "table", "identity"],
)
def test_every_key_of_a_feed_is_described(keys):
    """Unknown keys are refused, so the page must name all known ones."""
    assert set() == keys - _codes("mappings/feeds/README.md")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "mappings/feeds").glob("*.toml")), ids=lambda p: p.stem
)
def test_every_feed_has_a_title_in_both_languages(path):
    """The pages stand in Chinese and in English."""
    title = tomllib.loads(path.read_text(encoding="utf-8"))["title"]

    assert {"zh", "en"} <= {language for language, text in title.items() if text.strip()}


def _row(function: MapFunction) -> str:
    named = []
    for parameter in inspect.signature(function.call).parameters.values():
        many = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        text = f"{parameter.name}…" if many else parameter.name
        named.append(text if parameter.default is inspect.Parameter.empty else f"[{text}]")
    summary = function.summary.replace("``", "`").replace("|", "\\|")
    return f"| `{function.name}({', '.join(named)})` | {function.result} | {summary} |"


def test_every_named_function_of_maps_is_described(accept):
    """The section is printed from the functions; `pytest tests/house --accept` rewrites it."""
    path = ROOT / "mappings/README.md"
    before, heading, rest = _page("mappings/README.md").partition("## Named functions\n")
    section, following, after = rest.partition("## ")
    expected = _FUNCTIONS.format(rows="\n".join(map(_row, functions_by_name().values())))
    if accept and heading:
        path.write_text(before + heading + expected + following + after, encoding="utf-8")
        section = expected

    assert expected == section


@pytest.mark.parametrize("kind", ["StructureDefinition", "CodeSystem"])
def test_every_profile_extension_and_code_system_is_described(kind):
    """Who writes a map looks for the id on one page."""
    files = (ROOT / "profiles").rglob(f"{kind}-*.json")

    assert set() == {path.stem.removeprefix(f"{kind}-") for path in files} - _codes(
        "profiles/README.md"
    )


def test_every_benchmark_is_described():
    """A figure without its command cannot be repeated."""
    names = {path.name for path in (ROOT / "bench").glob("*.py")}

    assert set() == {name for name in names if name not in _page("bench/README.md")}


def test_every_public_suite_is_described():
    """Suites are modules that offer ``run``; the page names each with the tree it reads."""
    suites = {
        path.stem.replace("_", "-")
        for path in (ROOT / "tests/conformance").glob("*.py")
        if re.search(r"^def run\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert set() == suites - _codes("tests/conformance/README.md")


@pytest.mark.parametrize("folder", ["docs/decisions", "docs/clarifications"])
def test_an_index_lists_every_page_of_its_folder(folder, accept):
    """The list is printed from the pages' first lines; `pytest tests/house --accept` rewrites it."""
    path = ROOT / folder / "README.md"
    pages = [page for page in sorted(path.parent.glob("*.md")) if page != path]
    titles = {page.name: page.read_text(encoding="utf-8").split("\n", 1)[0] for page in pages}
    expected = "".join(f"- [{title.lstrip('# ')}]({name})\n" for name, title in titles.items())
    opening, _, listed = path.read_text(encoding="utf-8").partition("\n- [")
    if accept:
        path.write_text(f"{opening}\n{expected}", encoding="utf-8")
        listed = expected.removeprefix("- [")

    assert expected == f"- [{listed}"
