"""docs/architecture.md and docs/contributing.md tell of the packages that there are."""

import ast
import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"

MAX_LINES = 300
LONGER = {
    "app.py",
    "config.py",
    "database/postgresql.py",
    "database/schema.py",
    "database/sqlite.py",
    "fhirpath_values/node.py",
    "fml/resource.py",
    "smart/grants.py",
    "smart/server.py",
    "store/transaction.py",
    "store/write/writer.py",
    "tables/row.py",
    "transform/compile/rule.py",
    "transform/compiled_map.py",
    "transform/generate/expressions/answers.py",
    "validation/profiles/compiler.py",
    "validation/profiles/slicing.py",
}
"""Modules that are longer, which only become fewer."""


def _layers():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["importlinter:contract:layers"]["layers"].split("\n")
    return [[name.strip() for name in line.split("|")] for line in lines if line.strip()]


def _purpose(name):
    folder = ROOT / "fhir_bridge" / name
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    opening = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return opening.split("\n\n", maxsplit=1)[0].replace("\n", " ").rstrip(".").replace("``", "`")


def _table():
    rows = [
        f"| {number} | `{name}` | {_purpose(name)} |"
        for number, names in enumerate(_layers(), 1)
        for name in names
    ]
    return "\n".join(["| layer | package | what it is |", "|---|---|---|", *rows, ""])


def test_the_layers_on_the_page_are_those_that_are_checked(accept):
    """`pytest tests/house --accept` prints them anew from setup.cfg and the packages' first words."""
    text = PAGE.read_text(encoding="utf-8")
    start = text.index("| layer |")
    end = text.index("\n## ", start)
    if accept:
        PAGE.write_text(text[:start] + _table() + text[end:], encoding="utf-8")
    else:
        assert _table() == text[start:end]


def test_every_package_has_a_paragraph_for_contributors():
    """Who changes the code finds what a package is for, and no package that is gone."""
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    told = {
        name
        for names in re.findall(r"^\*\*([^*]+)\*\*", page, re.MULTILINE)
        for name in names.split(", ")
    }
    packages = {path.parent.name for path in (ROOT / "fhir_bridge").glob("*/__init__.py")}

    assert packages == {name for name in told if not name.endswith((".py", "."))}


def test_no_package_is_more_than_a_tenth_of_the_code():
    """What has grown beyond that is several things, and is found by none of their names."""
    code = ROOT / "fhir_bridge"
    lines = {
        package.name: sum(
            len(path.read_text(encoding="utf-8").splitlines()) for path in package.rglob("*.py")
        )
        for package in code.iterdir()
        if (package / "__init__.py").exists()
    }

    assert [name for name, count in lines.items() if count * 10 > sum(lines.values())] == []


def test_text_becomes_code_in_one_place():
    """Whatever is generated goes through `codegen`; nothing else calls exec or eval."""
    calls = re.compile(r"(?<![\w.])(?:exec|eval)\(")
    sources = sorted((ROOT / "fhir_bridge").rglob("*.py"))
    found = [path.name for path in sources if calls.search(path.read_text(encoding="utf-8"))]

    assert found == ["codegen.py"]


def test_a_module_has_one_concept_and_no_more_lines_than_that_takes():
    """Beyond 300 lines there are two; a module that was cut leaves the list."""
    code = ROOT / "fhir_bridge"
    lines = {
        path.relative_to(code).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in code.rglob("*.py")
    }

    assert {name for name, count in lines.items() if count > MAX_LINES} == LONGER
