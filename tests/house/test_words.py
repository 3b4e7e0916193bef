"""Modules, classes, functions and bounds are named by the words of FHIR, HL7, SQL and programming.

A word below said a different thing in each package: `asked` had nine meanings.  What replaces
them: validate, matcher, fast path, criterion, claim, lease, coerce, normalise, memo.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "fhir_bridge"
WORDS = frozenset({
    "asked", "finish", "fit", "foresight", "found", "held", "judged", "known", "moment", "named",
    "opinion", "remembered", "soundness", "waves",
})  # fmt: skip
BOUNDS = frozenset({"DEEPEST", "LARGEST", "LONGEST", "MOST", "ONCE", "WIDEST"})
"""A bound is called ``MAX_…``."""

ALLOWED = {
    "cli/held.py": "the command is called `held`, and operators have it in their scripts",
    "map_functions/named_uuid.py": "a function of maps, and a site's maps call it",
}


def _names(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = path.stem if path.relative_to(PACKAGE).as_posix() in ALLOWED else None
    names = [path.stem, *_defined(tree)]
    yield from (name for name in names if name != allowed)


def _defined(tree: ast.Module) -> Iterator[str]:
    """Classes, functions, and fields of classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
            yield from (field.id for field in fields if isinstance(field, ast.Name))


def _constants(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            for each in ast.walk(target):
                if isinstance(each, ast.Name) and each.id.isupper():
                    yield each.id


def _parts(name: str) -> set[str]:
    """The words of a name: ``held_lines``, ``HeldLine``."""
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def _of_no_field(package: str) -> list[str]:
    root = PACKAGE / package
    paths = sorted(root.rglob("*.py")) if root.is_dir() else [root.with_suffix(".py")]
    return [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in paths
        for name in (
            *(name for name in _names(path) if _parts(name) & WORDS),
            *(name for name in _constants(path) if set(name.split("_")) & BOUNDS),
        )
    ]


PACKAGES = sorted(
    path.stem
    for path in PACKAGE.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
)


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_the_words_of_the_field(package: str) -> None:
    """A reader who knows the field knows what it is."""
    assert _of_no_field(package) == []
