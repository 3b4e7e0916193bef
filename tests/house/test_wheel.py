"""A wheel holds everything that a checkout holds: packages, and data beside them."""

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BUILD = "import sys, setuptools.build_meta as backend; print(backend.build_wheel(sys.argv[1]))"
_INSTALLED_AS = {"mappings": "fhir_bridge/mappings", "profiles": "fhir_bridge/profiles"}


def _tracked(*folders: str) -> list[str]:
    """The files of `folders` that git knows or would take, and that are there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in a wheel that is built from a copy of the files, so that nothing is left here."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in _tracked("fhir_bridge", "mappings", "profiles", "*.cfg", "*.toml", "[A-Z]*"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-W", "ignore", "-c", _BUILD, str(target)]
    subprocess.run(build, cwd=source, capture_output=True, text=True, check=True)
    (built,) = target.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return frozenset(archive.namelist())


def test_every_file_travels(wheel):
    """What is not packaged works in a checkout and is missing after installation."""
    wanted = set()
    for name in _tracked("fhir_bridge", "mappings", "profiles"):
        folder, _, rest = name.partition("/")
        wanted.add(f"{_INSTALLED_AS.get(folder, folder)}/{rest}")

    assert set() == wanted - wheel


def test_nothing_else_travels(wheel):
    """A wheel has the product and its own description: no tests, no benchmarks, no top level of others."""
    assert {"fhir_bridge"} == {
        name.partition("/")[0] for name in wheel if ".dist-info/" not in name
    }


def test_every_package_is_listed():
    """A package that is not listed is left out of a wheel without a word."""
    configuration = configparser.ConfigParser()
    configuration.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(configuration["options"]["packages"].split())
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "fhir_bridge").rglob("__init__.py")
    }

    assert there == listed - {"fhir_bridge.mappings", "fhir_bridge.profiles"}
