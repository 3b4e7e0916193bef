"""What import-linter cannot see: modules loaded by a name."""

import ast
import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_CONTRACT = "importlinter:contract:circles"
_BY_NAME = {"import_module", "__import__", "iter_modules"}


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
