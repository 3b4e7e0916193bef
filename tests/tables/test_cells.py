"""What people write into the cells of a form: lists, nothing, doubt, values."""

from __future__ import annotations

import pytest

from fhir_bridge.tables import Cell, read_rows


def cell(text: str) -> Cell:
    """A cell that holds `text`."""
    (row,) = read_rows(f'a,b\n"{text}",1\n'.encode())
    found = row.get("a")
    assert isinstance(found, Cell)
    return found


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("2,3", ["2", "3"]),
        ("1;3;4", ["1", "3", "4"]),
        ("2；3、4", ["2", "3", "4"]),
        ("2 3", ["2", "3"]),
        ("2.高血压 3.糖尿病", ["高血压", "糖尿病"]),
        ("2.高血压3.糖尿病", ["高血压", "糖尿病"]),
        ("2、高血压；3、糖尿病", ["高血压", "糖尿病"]),
        ("②高血压③糖尿病", ["高血压", "糖尿病"]),
        ("②③", ["2", "3"]),
        ("√高血压", ["高血压"]),
        ("□无 ☑高血压 □糖尿病 ☑脑卒中", ["高血压", "脑卒中"]),
        ("高血压（2015年3月，服药）;糖尿病", ["高血压", "糖尿病"]),
        ("5-氟尿嘧啶", ["5-氟尿嘧啶"]),
        ("2型糖尿病", ["2型糖尿病"]),
        ("高血压待查", ["高血压"]),
    ],
)
def test_lists(text: str, codes: list[str]) -> None:
    """Merged lists come apart, whichever way they are merged; names with digits stay whole."""
    assert [str(item.get("code")) for item in cell(text).get("items")] == codes


def test_details() -> None:
    """What stands behind @ or in brackets is the detail of its item."""
    items = cell("2@2015-03;高血压（2015年3月）;5@头孢:皮疹").get("items")
    assert [item.get("detail") for item in items] == ["2015-03", "2015年3月", "头孢:皮疹"]


@pytest.mark.parametrize(
    "text",
    [
        "无",
        "否",
        "不详",
        "否认",
        "0",
        "没有",
        "无药物过敏史",
        "否认高血压、糖尿病史"[:5],
        "未发现异常",
        "无。",
        "未测",
    ],
)
def test_nothing(text: str) -> None:
    """Words for "none" and "not known" say nothing; they are no disease."""
    assert all(item.get("nothing") for item in cell(text).get("items"))


@pytest.mark.parametrize("text", ["高血压", "无名指骨折", "无脑儿", "2", "10", "1", "青霉素"])
def test_something(text: str) -> None:
    """Words that only begin alike say something."""
    assert cell(text).get("nothing") is None


@pytest.mark.parametrize("text", ["高血压待查", "疑似高血压", "高血压？", "高血压?"])
def test_doubt(text: str) -> None:
    """A disease that is asked about is not one that is known."""
    (item,) = cell(text).get("items")
    assert (item.get("code"), item.get("doubt")) == ("高血压", True)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("145", {"number": "145"}),
        ("１４５", {"number": "145"}),
        ("145mmHg", {"number": "145", "unit": "mmHg"}),
        ("＞180", {"number": "180", "comparator": ">"}),
        ("≤ 6.1 mmol/L", {"number": "6.1", "comparator": "<=", "unit": "mmol/L"}),
        ("<0.01", {"number": "0.01", "comparator": "<"}),
        ("78次/分", {"number": "78", "unit": "次/分"}),
        ("145/92", {"first": "145", "second": "92"}),
        ("145/92mmHg", {"first": "145mmHg", "second": "92mmHg"}),
        ("0.5-1", {"low": "0.5", "high": "1"}),
        ("10～20支", {"low": "10", "high": "20", "unit": "支"}),
        ("−1", {"number": "-1"}),
        ("－1", {"number": "-1"}),
        ("1,200.00", {"number": "1200.00"}),
        ("065", {"number": "65"}),
        ("65,5", {}),
        ("约65", {}),
        ("半", {}),
        ("未测", {}),
        ("2026-03-01", {}),
        ("1-2-3", {}),
        ("145-92", {}),
    ],
)
def test_values(text: str, parts: dict[str, str]) -> None:
    """A value is read with comparator, unit, both numbers or range; what is not sure is not read."""
    names = ("number", "comparator", "unit", "first", "second", "low", "high")
    found = {name: str(part) for name in names if (part := cell(text).get(name)) is not None}
    assert found == parts


def test_what_is_not_known_is_no_denial() -> None:
    """A form that says 不详 or 未测 denies nothing: who does not say smokes or not."""
    assert [cell(text).get("unknown") for text in ("不详", "未测", "无", "不吸")] == [
        True,
        True,
        None,
        None,
    ]


@pytest.mark.parametrize("text", ["110101199001011234", "02", "00"])
def test_a_number_names_itself(text: str) -> None:
    """It is no denial, no doubt, and has no detail; the single 0 of a form is a denial."""
    number = cell(text)

    assert number.get("code") == text
    assert [number.get(name) for name in ("detail", "nothing", "unknown", "doubt")] == [None] * 4
    assert cell("0").get("nothing") is True
