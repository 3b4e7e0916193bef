"""Tests themselves: each says what it is about, can fail, and waits for nothing for long."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("test_*.py"))
LONGEST_SLEEP = 1.0


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(_tree(path)) if isinstance(node, ast.FunctionDef)]


def _tests(path: Path) -> list[ast.FunctionDef]:
    return [function for function in _functions(path) if function.name.startswith("test_")]


def _called(node: ast.AST) -> set[str]:
    """The last names of everything that is called below `node`."""
    calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    return names | {call.attr for call in calls if isinstance(call, ast.Attribute)}


@cache
def _asserting() -> frozenset[str]:
    """Functions of the tests that assert something, for other tests to call."""
    return frozenset(
        function.name
        for path in TESTS.rglob("*.py")
        for function in _functions(path)
        if any(isinstance(node, ast.Assert) for node in ast.walk(function))
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_every_test_says_its_behaviour_and_can_fail(path):
    """One sentence, and an assertion, an expected exception, or a function that asserts."""
    silent = [test.name for test in _tests(path) if not ast.get_docstring(test)]
    harmless = [
        test.name
        for test in _tests(path)
        if not any(isinstance(node, ast.Assert) for node in ast.walk(test))
        and not _called(test) & (_asserting() | {"raises", "warns"})
    ]

    assert ([], []) == (silent, harmless)


def test_no_test_sleeps_for_long():
    """Who waits for an event looks again soon; time that must pass is given by `clock`."""
    long = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path in TESTS.rglob("*.py")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and "sleep" in ast.unparse(node.func)
        and any(
            isinstance(given, ast.Constant)
            and isinstance(given.value, int | float)
            and given.value > LONGEST_SLEEP
            for given in node.args
        )
    ]

    assert [] == long


def test_a_test_that_hangs_is_ended(tmp_path):
    """By the limit that tests/conftest.py sets, so that one of them never stops a whole run."""
    assert int(os.environ["PYTEST_TIMEOUT"]) > 0
    test = tmp_path / "test_hanging.py"
    test.write_text("import threading\ndef test_it(): threading.Event().wait()\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", tmp_path, test]
    done = subprocess.run(
        command, env=os.environ | {"PYTEST_TIMEOUT": "1"}, capture_output=True, check=False
    )

    assert done.returncode == 1
    assert b"Timeout" in done.stdout
