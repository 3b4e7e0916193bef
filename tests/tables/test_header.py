"""Names of columns, cleaned and told apart."""

from __future__ import annotations

import pytest

from fhir_bridge.tables.header import clean_name, column_index


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (None, ""),
        ("\ufeff姓名", "姓名"),
        ("姓\u200b名", "姓名"),
        ("姓 名", "姓名"),
        ("*姓名*", "姓名"),
        ("XX", "XX"),
        ("＊ＡＢＯ\n血型 ", "ABO 血型"),
        (7, "7"),
    ],
)
def test_a_name_has_no_marks_breaks_and_blanks(written: object, name: str) -> None:
    """Byte order marks, zero-width blanks, asterisks, full-width letters; nothing is no name."""
    assert clean_name(written) == name


def test_a_repeated_name_is_numbered_and_told() -> None:
    """Each with its own number, at its own place; blanks are no columns."""
    index, issues = column_index(["电话", "", "电话", "电话"], "row 1")

    assert index == {"电话": 0, "电话_2": 2, "电话_3": 3}
    assert [(one.code, one.severity, one.where, one.details) for one in issues] == [
        ("FB-1306", "warning", "row 1", {"column": "电话", "renamed": "电话_2"}),
        ("FB-1306", "warning", "row 1", {"column": "电话", "renamed": "电话_3"}),
    ]
