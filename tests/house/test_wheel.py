"""What is written down for the wheel is what is there: packages, and data beside them."""

import configparser
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def configuration():
    """The parsed setup.cfg."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_every_package_is_listed(configuration):
    """A package that is not listed works in a checkout and is missing after installation."""
    listed = set(configuration["options"]["packages"].split())
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "fhir_bridge").rglob("__init__.py")
    }

    assert there == listed - {"fhir_bridge.mappings", "fhir_bridge.profiles"}


def test_every_data_file_travels(configuration):
    """Tables, templates and styles beside the code match a pattern of the package data."""
    patterns = {
        package: [pattern.strip() for pattern in text.replace("\n", ",").split(",")]
        for package, text in configuration["options.package_data"].items()
    }
    left = []
    for path in (ROOT / "fhir_bridge").rglob("*"):
        if not path.is_file() or path.suffix in {".py", ".pyc"}:
            continue
        package = path.parent
        while not (package / "__init__.py").exists():
            package = package.parent
        name = ".".join(package.relative_to(ROOT).parts)
        offered = patterns["*"] + patterns.get(name, [])
        if not any(fnmatch(str(path.relative_to(package)), pattern) for pattern in offered):
            left.append(str(path.relative_to(ROOT)))

    assert [] == left
