"""Where the table stands in a file, and the lines in it that are no records."""

from __future__ import annotations

import io

import openpyxl
import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables import Dialect, group_rows, read_rows

from .test_exact_numbers import workbook

NAMES = ["档案编号", "姓名", "性别"]
NEEDED = Dialect(required=("档案编号",))


def test_every_sheet_with_the_columns_is_read() -> None:
    """A month on each sheet: all are read, and a row says on which sheet it stands."""
    data = workbook([NAMES, ["1", "一月人", "1"]], [NAMES, ["2", "二月人", "2"]])
    rows = list(read_rows(data, dialect=NEEDED))
    assert [(row.where, str(row.get("姓名"))) for row in rows] == [
        ("sheet 表1, row 2", "一月人"),
        ("sheet 表2, row 2", "二月人"),
    ]


@pytest.mark.parametrize("dialect", [NEEDED, Dialect()])
def test_a_sheet_of_other_things_is_told(dialect: Dialect) -> None:
    """A sheet that is not read is named; a first sheet of notes does not hide the table."""
    notes = [["填表说明"], ["每人一行，不得合并"]]
    rows = list(read_rows(workbook(notes, [NAMES, ["1", "张三", "1"]]), dialect=NEEDED))
    assert [str(row.get("姓名")) for row in rows] == ["张三"]
    assert [(i.code, i.where) for i in rows[0].issues] == [("FB-1310", "sheet 表1")]
    codes = [["编码", "含义"], ["1", "男"]]
    first = next(read_rows(workbook([NAMES, ["1", "张三", "1"]], codes), dialect=dialect))
    assert [(i.code, i.where) for i in first.issues] == [("FB-1310", "sheet 表2")]


def test_a_required_column_spelt_otherwise_is_an_error() -> None:
    """The message names the column wanted and the one found."""
    with pytest.raises(BridgeError) as caught:
        list(read_rows("档案号编,姓名\n1,张三\n".encode(), dialect=NEEDED))
    (issue,) = caught.value.issues
    assert (issue.code, issue.where) == ("FB-1309", "row 1")
    assert dict(issue.details) == {"column": "档案编号", "found": "档案号编"}


def test_totals_and_signatures_are_no_records() -> None:
    """Total lines, signatures and repeated names make no row and are told with the row before."""
    text = (
        "档案编号,姓名,性别\n1,张三,1\n合 计,1,\n小计：1人,,\n档案编号,姓名,性别\n2,李四,1\n\n"
        "填表人：,某某,\n审核人,某某,\n备注：,无,\n"
    )
    rows = list(read_rows(text.encode(), dialect=NEEDED))
    assert [str(row.get("姓名")) for row in rows] == ["张三", "李四"]
    assert [[issue.where for issue in row.issues] for row in rows] == [
        [],
        ["row 3", "row 4", "row 8", "row 9", "row 10"],
    ]
    assert {issue.code for row in rows for issue in row.issues} == {"FB-1311"}


def test_a_row_without_its_number_is_refused() -> None:
    """A row whose required cell is blank cannot be told from others."""
    rows = list(read_rows("档案编号,姓名\n　,张三\n".encode(), dialect=NEEDED))
    assert [(i.code, i.severity, i.where) for i in rows[0].issues] == [
        ("FB-1312", "error", "row 2, column 档案编号")
    ]


def test_formulas_without_values_and_errors_are_told() -> None:
    """What a spreadsheet has not computed, or could not, is empty and named."""
    book = openpyxl.Workbook()
    book.active.append(["档案编号", "收缩压", "舒张压", "体重"])
    book.active.append(["1", "=75*2", "#REF!", "#####"])
    stream = io.BytesIO()
    book.save(stream)
    (row,) = read_rows(stream.getvalue(), dialect=NEEDED)
    assert row.as_dict() == {"档案编号": "1"}
    assert [(i.code, i.where) for i in row.issues] == [
        ("FB-1313", "row 2, column 收缩压"),
        ("FB-1313", "row 2, column 舒张压"),
        ("FB-1313", "row 2, column 体重"),
    ]


@pytest.mark.parametrize(
    "data", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"<html><table><tr><td>1</td></tr>"]
)
def test_other_forms_are_refused_by_name(data: bytes) -> None:
    """An old workbook, or a page that calls itself one, says so instead of giving empty rows."""
    with pytest.raises(BridgeError) as caught:
        list(read_rows(data))
    assert caught.value.code == "FB-1314"


def test_lines_apart_are_one_record() -> None:
    """Lines of one agreement that another one parts are gathered, and keep their places."""
    text = "协议编号,居民编号,服务包编码\nA,J1,B1\nB,J2,B1\nA,J1,B2\nC,J3,B1\n"
    groups = list(group_rows(lambda: read_rows(text.encode()), "协议编号", ("居民编号",)))
    assert [(g.where, [str(row.get("服务包编码")) for row in g.rows]) for g in groups] == [
        ("row 3", ["B1"]),
        ("row 5", ["B1"]),
        ("rows 2, 4", ["B1", "B2"]),
    ]


def test_one_number_for_two_persons_is_told() -> None:
    """Each person keeps a record; the later one knows that the number is contested."""
    text = "协议编号,居民编号,姓名\nA,J1,张三\nA,J2,李四\nA,J1,张三\n"
    groups = list(group_rows(lambda: read_rows(text.encode()), "协议编号", ("居民编号", "姓名")))
    assert [(str(g.get("姓名")), g.get("contested"), len(g.rows)) for g in groups] == [
        ("张三", None, 2),
        ("李四", "J2", 1),
    ]
    assert [[issue.code for issue in group.issues] for group in groups] == [["FB-1315"]] * 2


def test_cells_that_clear() -> None:
    """A marker of the feed, or an empty cell where the feed says so, takes back what was said."""
    data = "档案编号,联系电话,备注,地址\n1,删除,-,\n".encode()
    (row,) = read_rows(data, dialect=Dialect(clear=("删除", "-")))
    assert [row.get(name) for name in ("联系电话", "备注", "地址")] == ["\ufdd0", "\ufdd0", None]
    (row,) = read_rows(data, dialect=Dialect(empty="clear"))
    assert [row.get(name) for name in ("联系电话", "备注", "地址")] == ["删除", "\ufdd0", "\ufdd0"]
    assert row.get("电子邮箱") is None
