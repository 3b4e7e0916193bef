"""Laws of the error catalogue."""

import re
from pathlib import Path

from fhir_bridge.errors import catalogue

SOURCES = Path(__file__).parents[2] / "fhir_bridge"
CODE = re.compile(r"FB-\d{4}")


def _codes_in_sources() -> set[str]:
    return {
        code
        for path in SOURCES.rglob("*.py")
        if path.name != "errors.py"
        for code in CODE.findall(path.read_text(encoding="utf-8"))
    }


def test_every_code_in_use_has_an_entry():
    """A code without sentence and hint would reach a person as a bare number."""
    assert set() == _codes_in_sources() - set(catalogue())


def test_every_entry_is_in_use():
    """A sentence nobody can meet is dead text."""
    assert set() == set(catalogue()) - _codes_in_sources()


def test_entries_stand_in_order_with_a_sentence_and_a_hint():
    """People read the table by code, and every row says what to do."""
    codes = list(catalogue())

    assert sorted(codes) == codes
    assert all(each.sentence and each.hint for each in catalogue().values())


def test_statuses_and_acknowledgements_are_of_their_tables():
    """What only informs or warns answers 200, all else 4xx or 5xx; codes are of table 0008."""
    for each in catalogue().values():
        assert each.http_status == 200 or 400 <= each.http_status < 600, each.code
        assert each.ack in {"AA", "AE", "AR"}, each.code
        assert each.http_status != 200 or each.ack != "AR", each.code
