"""Inputs of our own making, each with the facts that must hold after it.

They are of the kinds that hospitals and offices send; `own` holds them with what is right by
the standards (HL7 v2 chapters 2 to 7, CDA R2, WS/T 500, WS/T 846) and by docs/update.md.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.app import Services
from fhir_bridge.store import open_store
from tests.field.facts import after, sent_again
from tests.field.made import write
from tests.field.record import empty, opened

CASES = {
    case["name"]: case
    for path in sorted((Path(__file__).parent / "own").glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
}
_EACH = 20  # one in so many also on PostgreSQL


@pytest.fixture(scope="module")
def new_file(product: Services, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without a record, to be copied: making one takes longer than a case."""
    path = tmp_path_factory.mktemp("new") / "record.sqlite3"
    open_store(f"sqlite:///{path}", registry=product.registry).close()
    return path


@pytest.mark.parametrize("name", CASES)
def test_what_is_right_of_an_input_of_our_own(
    name: str, product: Services, new_file: Path, tmp_path: Path
) -> None:
    """Every fact holds after its input; the last input sent again changes nothing."""
    path = tmp_path / "record.sqlite3"
    shutil.copyfile(new_file, path)
    _check(CASES[name], product, f"sqlite:///{path}", tmp_path)


@pytest.mark.postgresql
@pytest.mark.parametrize("name", [*CASES][::_EACH])
def test_the_same_is_right_on_the_other_database(
    name: str, product: Services, server: str, tmp_path: Path
) -> None:
    """A sample of the same cases."""
    try:
        _check(CASES[name], product, server, tmp_path)
    finally:
        empty(server)


def _check(case: dict[str, Any], product: Services, database: str, folder: Path) -> None:
    for input_ in case["input"]:
        write(folder, input_)
    told = case | {
        "inputs": [input_["name"] for input_ in case["input"]],
        "feeds": {i["name"]: i["feed"] for i in case["input"] if "feed" in i},
    }
    with opened(product, database) as record:
        wrong = [each for input_ in told["inputs"] for each in after(record, told, folder, input_)]
        wrong += sent_again(record, told, folder)
        unsound = [each for each in record.unsound() if case.get("held", "-") not in each]
    assert [] == wrong + unsound, "\n".join(["", *wrong, *unsound])
