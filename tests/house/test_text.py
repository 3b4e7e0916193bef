"""The project speaks of itself alone, and each file opens by saying what it is."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORBIDDEN = re.compile(r"/work/|/root/|/home/\w|file:///tmp|/Users/\w")
OF_NO_FIELD = {"utils", "helpers", "common", "base", "misc", "core", "manager", "service", "engine"}


def _tracked(*patterns: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in names.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_machine_path():
    """Paths of one machine mean nothing on another."""
    here = Path(__file__).resolve()
    found = [
        path.relative_to(ROOT)
        for path in _tracked("*.py", "*.md", "*.toml", "*.cfg", "Makefile", ".ci/*")
        if path != here and FORBIDDEN.search(path.read_text(encoding="utf-8"))
    ]

    assert [] == found


def test_modules_are_named_by_the_field():
    """No drawer of odds and ends: every module has a word of the field for a name."""
    assert [] == [
        path.relative_to(ROOT) for path in _tracked("fhir_bridge/*.py") if path.stem in OF_NO_FIELD
    ]


def test_every_module_opens_with_a_sentence():
    """A reader learns in the first line what a file is."""
    silent = [
        path.relative_to(ROOT)
        for path in _tracked("fhir_bridge/*.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert [] == silent


def test_addresses_to_type_hold_no_letters_that_must_be_encoded():
    """``curl`` sends what it is given, and a server refuses a name that is not encoded."""
    found = [
        f"{path.relative_to(ROOT)}: {address}"
        for path in _tracked("*.md")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("curl ")
        for address in re.findall(r"""["']((?:https?:|\$BASE)[^"']*)["']""", line)
        if not address.isascii()
    ]

    assert [] == found
