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
    """Such an import is in no drawing of the imports: what loads by name is imported by no sibling."""
    modules = dict(_modules(package))
    loaders = {path for path, tree in modules.items() if _loads_by_name(tree)}
    importers = {
        f"{path.name} imports {loader.stem}"
        for loader in loaders
        for path, tree in modules.items()
        if path.name != "__init__.py" and path != loader and _imports(tree, loader)
    }
    assert importers == set()


def _loads_by_name(tree):
    return any(
        (node.id if isinstance(node, ast.Name) else node.attr) in _BY_NAME
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    )


def _imports(tree, module):
    name = ".".join(module.relative_to(ROOT).with_suffix("").parts)
    return any(
        isinstance(node, ast.ImportFrom)
        and (
            name in {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
            or (
                node.level > 0 and module.stem in {node.module, *(each.name for each in node.names)}
            )
        )
        for node in ast.walk(tree)
    )
