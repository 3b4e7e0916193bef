"""Cells, records and parts of a file that are too large are refused before they are whole."""

from __future__ import annotations

import resource
import zlib
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables import group_rows, read_rows, unpacking

NAMES = "number,name\n"


def _refused(data: bytes) -> str:
    with pytest.raises(BridgeError) as caught:
        list(read_rows(data))
    return caught.value.code


def _workbook(
    change: Callable[[str, bytes], bytes] = lambda _, text: text, shared: bytes = b""
) -> bytes:
    """A workbook of two rows, its parts changed by name; `shared` are the texts sheets share."""
    book = openpyxl.Workbook()
    book.active.append(["number", "name"])
    book.active.append(["1", "MARK"])
    plain, changed = BytesIO(), BytesIO()
    book.save(plain)
    with ZipFile(plain) as parts, ZipFile(changed, "w", ZIP_DEFLATED) as written:
        for name in parts.namelist():
            written.writestr(name, change(name, parts.read(name)))
        written.writestr("xl/sharedStrings.xml", b"<sst><si><t>%s</t></si></sst>" % shared)
    return changed.getvalue()


def _inline(text: bytes) -> Callable[[str, bytes], bytes]:
    """The last cell of the sheet holds `text`."""
    cell = b'<c r="B2" t="inlineStr"><is><t>%s</t></is></c></row></sheetData>' % text

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return data
        return data[: data.index(b'<c r="B2"')] + cell + data.partition(b"</sheetData>")[2]

    return change


def test_a_cell_that_unpacks_to_many_megabytes_is_never_unpacked_whole() -> None:
    """A file of a hundred kilobytes; memory stays where it was."""
    data = _workbook(_inline(b"x" * (64 << 20)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(data) < 1 << 20

    assert _refused(data) == "FB-1304"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((b"x" * 200_000,), id="a text beyond a cell"),
        pytest.param((b"</t></is></c>", b'<c r="C2"><v>1</v></c>' * 500_000), id="a row"),
    ],
)
def test_a_cell_or_row_of_a_workbook_has_a_bound(pieces: tuple[bytes, ...]) -> None:
    """Also where no single text is long."""
    text = pieces[0]
    if len(pieces) > 1:
        text = pieces[0] + pieces[1] + b'<c r="D2" t="inlineStr"><is><t>'

    assert _refused(_workbook(_inline(text))) == "FB-1304"


def test_the_texts_that_sheets_share_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them, all together, and what else is read whole."""
    runs = b"</t><r><t>z</t></r>" * 600_000 + b"<t>"
    assert _refused(_workbook(shared=b"x" * 600_000)) == "FB-1304"
    assert _refused(_workbook(shared=runs)) == "FB-1304"
    monkeypatch.setattr(unpacking, "MAX_SHARED", 5000)
    assert _refused(_workbook(shared=b"x" * 6000)) == "FB-1003"
    monkeypatch.setattr(unpacking, "MAX_PART", 5000)
    styles = _workbook(lambda name, data: data + b" " * 6000 if "styles" in name else data)
    assert _refused(styles) == "FB-1003"


def test_a_row_that_says_it_is_the_thousand_millionth_does_not_count_up_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The missing rows before it are bounded; a row beyond the stated size is not dropped."""
    monkeypatch.setattr("fhir_bridge.tables.workbook._MAX_ROWS", 1000)
    far = _workbook(lambda _, data: data.replace(b'<row r="2"', b'<row r="1000000000"'))
    near = _workbook(lambda _, data: data.replace(b'<row r="2"', b'<row r="900"'))

    assert _refused(far) == "FB-1305"
    assert [row.as_dict() for row in read_rows(near)] == [{"number": "1", "name": "MARK"}]


def test_an_ordinary_workbook_of_many_rows_is_read() -> None:
    """The bounds are far from what people send."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["number", "name", *(f"c{n}" for n in range(60))])
    for number in range(300):
        sheet.append([number, "名" * 2000, *("text" for _ in range(60))])
    kept = BytesIO()
    book.save(kept)

    assert len(list(read_rows(kept.getvalue()))) == 300


def test_a_record_of_a_csv_file_has_a_bound_although_its_cells_and_lines_have_one() -> None:
    """Quoted cells may hold line breaks, so a record may have any number of lines."""
    endless = ('x,"\n' + '",x,"\n' * 1_500_000).encode()

    assert _refused(NAMES.encode() + endless) == "FB-1304"
    assert _refused(f"{NAMES}1,{'x' * 200_000}\n".encode()) == "FB-1304"
    assert _refused(f"{NAMES}1,{'x' * 2_000_000}\n".encode()) == "FB-1304"


def test_a_text_of_json_rows_has_the_bound_of_a_cell() -> None:
    """Also deep within a row; the rows before it are given."""
    good, bad = '{"number": "1"}', '{"number": "2", "rows": [{"name": "%s"}]}' % ("x" * 200_000)
    rows = read_rows(f"{good}\n{bad}\n".encode())

    assert next(rows).as_dict() == {"number": "1"}
    with pytest.raises(BridgeError, match="FB-1304"):
        next(rows)


def test_a_damaged_member_is_no_workbook() -> None:
    """What ends before its end is told as such, whoever unpacks it."""
    data = bytearray(_workbook())
    place = data.index(b"sheet1.xml") + 30
    data[place : place + 40] = zlib.compress(b"x")[:40].ljust(40, b"\0")

    assert _refused(bytes(data)) == "FB-1305"


@pytest.mark.parametrize("apart", [False, True])
def test_the_rows_of_one_record_are_bounded(
    monkeypatch: pytest.MonkeyPatch, *, apart: bool
) -> None:
    """They are held together, whether they follow each other or lie apart; those before are given."""
    monkeypatch.setattr("fhir_bridge.tables.group.MAX_ROWS", 5)
    rows = ["a,1", "a,2", *("b,1", "c,1") * 6] if apart else ["a,1", "a,2", *["b,1"] * 6]
    data = ("number,name\n" + "\n".join(rows)).encode()
    groups = group_rows(lambda: read_rows(data), "number")

    assert next(groups).where == "rows 2 to 3"
    with pytest.raises(BridgeError, match="FB-1316"):
        list(groups)
