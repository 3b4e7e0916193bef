"""Rows of tables as hospitals, spreadsheets and databases really write them."""

from __future__ import annotations

import io

import openpyxl
import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables import Dialect, Row, group_rows, read_rows

TEXT = "档案编号,姓名,出生日期\n1,张三,1965-01-15\n2,李四,\n"


def cells(row: Row) -> dict[str, str]:
    """The cells of `row` that hold something."""
    return {name: str(row.get(name)) for name in row.keys() if row.get(name)}  # noqa: SIM118


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_charsets_are_found(charset: str) -> None:
    """A table reads the same in every charset that Chinese exports use."""
    rows = list(read_rows(TEXT.encode(charset)))
    assert [cells(row) for row in rows] == [
        {"档案编号": "1", "姓名": "张三", "出生日期": "1965-01-15"},
        {"档案编号": "2", "姓名": "李四"},
    ]


def test_charset_of_a_late_name() -> None:
    """A file that is ASCII for a long time is still read by the charset it turns out to have."""
    text = "id,name\n" + "1,x\n" * 40000 + "2,张三\n"
    *_, last = read_rows(io.BytesIO(text.encode("gb18030")))
    assert str(last.get("name")) == "张三"


def test_wrong_charset_names_the_line() -> None:
    """Bytes that do not fit the named charset are refused at their line."""
    with pytest.raises(BridgeError) as caught:
        list(read_rows(TEXT.encode("gb18030"), charset="utf-8"))
    assert (caught.value.code, caught.value.issues[0].where) == ("FB-1301", "line 1")


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_separators_are_found(separator: str) -> None:
    """The separator is the one that the lines use outside quotes."""
    rows = list(read_rows(f'姓名{separator}地址\n张三{separator}"a,b;c"\n'.encode()))
    assert cells(rows[0]) == {"姓名": "张三", "地址": "a,b;c"}


def test_quoted_line_breaks_and_row_numbers() -> None:
    """A quoted line break stays in its cell; rows count as a spreadsheet counts."""
    rows = list(read_rows('姓名,备注\n张三,"一\n二"\n\n李四,x\n'.encode()))
    assert str(rows[0].get("备注")) == "一\n二"
    assert [row.where for row in rows] == ["row 2", "row 4"]
    assert rows[1].get("姓名").where == "row 4, column 姓名"


def test_header_is_cleaned() -> None:
    """Blanks, full-width characters, line breaks and asterisks leave a column's name."""
    data = '\ufeff 姓名* ,"身份\n证号",　ＩＤ　,姓名\n张三,1,2,李四\n'.encode()
    row = next(iter(read_rows(data)))
    assert list(row.keys()) == ["姓名", "身份证号", "ID", "姓名_2"]
    assert [issue.code for issue in row.issues] == ["FB-1306"]


def test_titles_above_the_header_are_passed_over() -> None:
    """The names are the first line that fills the table's width with short words."""
    data = "花名册,,,\n填表说明：每人一行,,,\n姓名,性别,年龄,电话\n张三,1,60,\n".encode()
    rows = list(read_rows(data))
    assert cells(rows[0]) == {"姓名": "张三", "性别": "1", "年龄": "60"}
    named = list(read_rows(data, dialect=Dialect(header_row=3)))
    assert cells(named[0]) == cells(rows[0])


def test_cells_are_cleaned() -> None:
    """Blank marks answer None; full-width digits are folded; text formulas are opened."""
    data = '甲,乙,丙,丁,戊\n－１２,--,"=""0012""",\'110101,　 \n'.encode()
    row = next(iter(read_rows(data)))
    assert cells(row) == {"甲": "－12", "丙": "0012", "丁": "110101"}


def test_lists_in_a_cell() -> None:
    """A cell can be asked for its values and each value for code and detail."""
    row = next(iter(read_rows("既往疾病,药\n2@2015-03；3,5:青霉素\n".encode())))
    items = row.get("既往疾病").get("items")
    assert [(str(one.get("code")), one.get("detail")) for one in items] == [
        ("2", "2015-03"),
        ("3", None),
    ]
    assert items[1].where == "row 2, column 既往疾病"
    assert str(row.get("药").get("detail")) == "青霉素"


def test_ragged_rows_are_told() -> None:
    """A row with too few or too many cells is read and carries an issue."""
    rows = list(read_rows(b"a,b,c\n1,2\n1,2,3,4\n1,2,3,\n"))
    assert [[issue.code for issue in row.issues] for row in rows] == [["FB-1303"], ["FB-1303"], []]


def test_an_open_quote_is_bounded() -> None:
    """A quote that is never closed stops at the limit, naming its row."""
    data = b'a,b\n1,2\n3,"' + b"x,y\n" * 60000
    with pytest.raises(BridgeError) as caught:
        list(read_rows(data))
    assert (caught.value.code, caught.value.issues[0].where) == ("FB-1304", "row 3")


@pytest.mark.parametrize("data", [b"", b"1,2,3\n4,5,6\n"])
def test_no_header(data: bytes) -> None:
    """A file without names is refused."""
    with pytest.raises(BridgeError) as caught:
        list(read_rows(data))
    assert caught.value.code == "FB-1302"


@pytest.mark.parametrize(
    ("title", "is_header"), [("甲,甲,乙,乙", False), ("甲,甲,乙", True), ("甲,甲,甲,乙", False)]
)
def test_a_line_that_repeats_half_of_its_texts_names_no_columns(
    title: str, is_header: bool
) -> None:
    """Names are distinct for more than a half; a line above them is passed over."""
    data = f"{title}\n编号,姓名,生日,性别\n1,张三,1965-01-15,男\n".encode()
    row = next(iter(read_rows(data)))
    assert ("姓名" in cells(row)) is not is_header


def test_workbooks() -> None:
    """An XLSX sheet gives the same rows; dates and whole numbers become plain text."""
    from datetime import date

    book = openpyxl.Workbook()
    book.active.append(["姓名", "出生日期", "收缩压"])
    book.active.append(["张三", date(1965, 1, 15), 138.0])
    stream = io.BytesIO()
    book.save(stream)
    rows = list(read_rows(stream.getvalue()))
    assert [cells(row) for row in rows] == [
        {"姓名": "张三", "出生日期": "1965-01-15", "收缩压": "138"}
    ]


@pytest.mark.parametrize(
    "data",
    [
        '[{"姓名": "张三", "年龄": 60}, {"姓名": null}]',
        '{"total": 2, "rows": [{"姓名": "张三", "年龄": 60}, {"姓名": null}]}',
        '{"code": 0, "data": {"list": [{"姓名": "张三", "年龄": 60}, {"姓名": null}]}}',
        '{"姓名": "张三", "年龄": 60}\n{"姓名": null}',
    ],
)
def test_json_rows(data: str) -> None:
    """An array, a page, a page in an envelope and JSON Lines give the same rows."""
    assert [cells(row) for row in read_rows(data.encode())] == [{"姓名": "张三", "年龄": "60"}, {}]


def test_json_keeps_number_text() -> None:
    """A decimal of a JSON row keeps its digits."""
    row = next(iter(read_rows(b'[{"fee": 1.10}]')))
    assert str(row.get("fee")) == "1.10"


@pytest.mark.parametrize("data", [b"[1, 2]", b"[{]", b"PK\x03\x04nothing"])
def test_not_a_table(data: bytes) -> None:
    """What only looks like rows is refused with the reason."""
    with pytest.raises(BridgeError) as caught:
        list(read_rows(data))
    assert caught.value.code == "FB-1305"


def test_groups() -> None:
    """Following rows with one key are one record that answers from its first row."""
    rows = list(read_rows("团队编号,团队名称,成员\nT1,一队,甲\nT1,一队,乙\nT2,二队,丙\n".encode()))
    first, second = group_rows(lambda: rows, "团队编号")
    assert (str(first.get("团队名称")), first.where, second.where) == (
        "一队",
        "rows 2 to 3",
        "row 4",
    )
    assert [str(row.get("成员")) for row in first.get("rows")] == ["甲", "乙"]


def test_group_column_must_exist() -> None:
    """Grouping by an absent column is refused."""
    with pytest.raises(BridgeError) as caught:
        list(group_rows(lambda: read_rows(b"a,b\n1,2\n"), "团队编号"))
    assert caught.value.code == "FB-1307"
