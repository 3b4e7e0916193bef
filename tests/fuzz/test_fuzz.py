"""The short run: some seconds of seeded inputs at every door, and proof that faults would be found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Fault, Finding, Target, judge
from tests.fuzz.targets import TARGETS

CASES = Path(__file__).parent / "cases"
INPUTS = 20
GOOD = 6
"""Good inputs of the short run: each other kind of message has a map to compile."""
MOST = 2_000
EACH = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())

pytestmark = pytest.mark.filterwarnings("ignore")


@EACH
def test_arbitrary_input_is_answered_or_refused(target: Target) -> None:
    """Good inputs, what was found before, and seeded changes of the good ones."""
    seeds = target.seeds()[:GOOD]
    mutator = Mutator(seeds, target.words, seed=1)
    found = [path.read_bytes() for path in sorted((CASES / target.name).glob("*"))]
    inputs = [*found, *seeds, *(mutator.next() for _ in range(INPUTS))]
    assert _judge_all(target, inputs) == len(inputs)


class PlantedError(Exception):
    """An exception of no kind that the product expects."""


def _planted(fault: Fault, kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a fault in it: one that raises, hangs or eats memory."""

    def call(*given: Any, **named: Any) -> Any:
        if fault.shows(*given, **named):
            if kind == "raises":
                raise PlantedError
            if kind == "hangs":
                while True:
                    pass
            return b"x" * 400_000_000 and original(*given, **named)
        return original(*given, **named)

    return call


@pytest.mark.parametrize(
    ("target", "number"),
    [(target, number) for target in TARGETS.values() for number in range(3)],
    ids=lambda value: value.name if isinstance(value, Target) else str(value),
)
def test_a_fault_in_the_product_is_found(
    target: Target, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three planted in each target, deep in what it calls: the mutations come there."""
    fault = target.faults[number]
    seeds = target.seeds()
    mutator = Mutator(seeds, target.words, seed=7)
    with suppress(BridgeError):
        target.run(seeds[0])  # what is loaded once counts for no input
    module = importlib.import_module(fault.module)
    original = getattr(module, fault.name)
    monkeypatch.setattr(module, fault.name, _planted(fault, "raises", original))
    with pytest.raises(Finding, match=r"PlantedError|HTTP 500"):
        _judge_all(target, (mutator.next() for _ in range(MOST)))


def _judge_all(target: Target, inputs: Iterable[bytes]) -> int:
    """How many inputs were judged; raises the first Finding."""
    count = 0
    for data in inputs:
        judge(target, data)
        count += 1
    return count


@pytest.mark.parametrize(("kind", "expected"), [("hangs", "time"), ("eats", "memory")])
def test_what_hangs_or_eats_memory_is_found(
    kind: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle's other two: time of the processor, and the most that is held."""
    target = TARGETS["fhirpath"]
    fault = Fault("fhir_bridge.fhirpath.expression", "compile_closure", lambda *_: True)
    module = importlib.import_module(fault.module)
    monkeypatch.setattr("tests.fuzz.target.SECONDS", 0.3 if kind == "hangs" else 30)
    monkeypatch.setattr(module, fault.name, _planted(fault, kind, module.compile_closure))
    with pytest.raises(Finding) as caught:
        judge(target, b"name.where(use = 'never asked before')")
    assert caught.value.kind == expected
