"""Numbers whose last digits are lost identify nobody; what a file still holds is read exactly."""

from __future__ import annotations

import io
import struct
from typing import Any

import openpyxl
import pytest

from fhir_bridge.tables import Row, read_rows

NAMES = ["档案编号", "姓名", "体重"]


def workbook(*sheets: list[list[Any]]) -> bytes:
    """An XLSX file of `sheets`, each a list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"表{number}")
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def dbf(fields: list[tuple[str, str, int]], rows: list[list[str]]) -> bytes:
    """A dBASE III file in GBK; cells are padded as the format pads them."""
    width = 1 + sum(size for _, _, size in fields)
    head = b"".join(
        name.encode("gbk").ljust(11, b"\0") + kind.encode() + bytes(4) + bytes([size]) + bytes(15)
        for name, kind, size in fields
    )
    start = struct.pack("<BBBBIHH", 3, 126, 3, 1, len(rows), 32 + len(head) + 1, width)
    body = b""
    for row in rows:
        body += b" "
        for (_, kind, size), cell in zip(fields, row, strict=True):
            raw = cell.encode("gbk")
            body += raw.rjust(size) if kind == "N" else raw.ljust(size)
    return start.ljust(32, b"\0") + head + b"\r" + body + b"\x1a"


def lost(row: Row) -> list[str]:
    """The columns of `row` whose digits are lost."""
    for name in row.keys():  # noqa: SIM118 - a node is no mapping
        row.get(name)
    return [cell.column for cell in row.rounded]


@pytest.mark.parametrize(
    "text", ["9.90101E+16", "9.90101e16", "９.９０１０１Ｅ＋１６", "1E+17", "9,9E+16"]
)
def test_scientific_notation_is_seen(text: str) -> None:
    """Whichever way a spreadsheet writes it, the row knows the cell."""
    (row,) = read_rows(f'档案编号;姓名\n"{text}";张三\n'.encode())
    assert lost(row) == ["档案编号"]


@pytest.mark.parametrize("text", ["12E45", "2E03", "E10", "1.5", "99010100100100051", "1.2.3"])
def test_codes_that_only_look_alike_are_kept(text: str) -> None:
    """A code with an E in it is no number in scientific notation."""
    (row,) = read_rows(f"档案编号,姓名\n{text},张三\n".encode())
    assert (lost(row), str(row.get("档案编号"))) == ([], text)


def test_number_cells_of_a_workbook() -> None:
    """Fifteen digits are read exactly, more are seen as lost; fractions lose no digit."""
    rows = list(
        read_rows(
            workbook([NAMES, [123456789012345, "张三", 65.1], [20260100000000012, "李四", 1]])
        )
    )
    assert [(str(row.get("档案编号")), lost(row)) for row in rows] == [
        ("123456789012345", []),
        ("2.02601000000000E+16", ["档案编号"]),
    ]
    assert str(rows[0].get("体重")) == "65.1"


def test_dbf_is_read() -> None:
    """Text in GBK, exact numbers, dates; a number field of more than 15 digits is seen as lost."""
    fields = [("档案编号", "N", 17), ("姓名", "C", 10), ("出生日期", "D", 8), ("体重", "N", 6)]
    rows = list(
        read_rows(
            dbf(
                fields,
                [
                    ["11010100100126401", "苗长青", "19550312", "65.50"],
                    ["126402", "苗小朵", "19600706", ""],
                ],
            )
        )
    )
    assert [row.as_dict() for row in rows][1] == {
        "档案编号": "126402",
        "姓名": "苗小朵",
        "出生日期": "19600706",
    }
    assert lost(rows[0]) == ["档案编号"]
    assert (str(rows[0].get("姓名")), str(rows[0].get("体重"))) == ("苗长青", "65.50")


def test_deleted_records_of_a_dbf_are_left_out() -> None:
    """A record that its program deleted stays in the file with a mark, and is no row."""
    data = dbf([("A", "C", 3), ("B", "C", 3)], [["1", "x"], ["2", "y"]])
    start = len(data) - 1 - 2 * 7
    rows = list(read_rows(data[:start] + b"*" + data[start + 1 :]))
    assert [row.as_dict() for row in rows] == [{"A": "2", "B": "y"}]
