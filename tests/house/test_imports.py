"""What import-linter cannot see: modules loaded by a name, and words that do not come back."""

import ast
import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_CONTRACT = "importlinter:contract:circles"
_BY_NAME = {"import_module", "__import__", "iter_modules"}
_WORDS = {"asked", "found", "judged", "known", "named"}
"""As the name of a module or function these say nothing; the field has a noun or a verb."""
_WORDS_OF = ("database", "interactions", "journal", "store")


def _without_circles():
    """The packages that the contract keeps free of circles."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config[_CONTRACT]["ancestors"].split()


def _modules(package):
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", _without_circles())
def test_no_circle_hides_behind_a_module_loaded_by_its_name(package):
    """Such an import is in no drawing of the imports."""
    used = {
        f"{path.name}: {node.id if isinstance(node, ast.Name) else node.attr}"
        for path, tree in _modules(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) in _BY_NAME
    }
    assert used == set()


@pytest.mark.parametrize("package", _WORDS_OF)
def test_modules_and_functions_are_called_by_the_words_of_the_field(package):
    """One of these words had nine meanings."""
    called = set()
    for path, tree in _modules(f"fhir_bridge.{package}"):
        called.add(path.stem)
        called |= {
            node.name.strip("_")
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
    assert called & _WORDS == set()
