"""What a cell holds comes back from the files to the letter, and is text, a number or a day as it was."""

import csv
import io
import shutil
import subprocess
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from incubator.common.errors import RuleBroken
from incubator.common.exports import CsvFormat, XlsxFormat
from incubator.common.exports.columns import cell_value
from incubator.common.exports.formats import sheet_name

SOFFICE = shutil.which("soffice")

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
TEXTS = [
    *(f"{start}1+1" for start in STARTS),
    *STARTS,
    *(f" {start}1" for start in STARTS),
    "=cmd|' /C calc'!A0",
    "@SUM(1,2)",
    '=HYPERLINK("http://example.org","x")',
    "{=1+1}",
    "a\tb",
    "a\rb",
    "a\nb",
    "a\r\nb",
    "\r\n",
    "\r\r\n\n",
    "tab at the end\t",
    " spaces ",
    "\u3000全角空格",
    "'apostrophe",
    '"quotes" and ""',
    "a,b;c",
    "http://example.org",
    "mailto:a@example.org",
    "0012",
    "1E5",
    "1.0",
    "TRUE",
    "2026-03-01",
    "3/4",
    "110105199001011234",
    "+8613800001234",
    "😀𠮷龘",
    "\ufeffmark",
    "\u2028line",
    "<r>=1</r>",
    "<r>&</r>",
    "<r><t>x</t></r>",
    "<b>&amp;</b>",
    "]]>",
    "_x000D_",
    "_x000d_",
    "a_x0041_b",
    "_x005F_x000D_",
    "__x000D__x000D_",
    "_\r_x000D_",
    "#REF!",
    "x" * 32_767,
]
CONTROL = ["\x01", "\x0b", "bell\x07", "\x1f=1", "a\x00b", "\x0c", "\ufffe", "\uffff", "_x0001_\x01"]


def write(format_class, rows, headers=("head",)):
    file = io.BytesIO()
    format_class().write(file, list(headers), iter(rows), name="学员", notes=lambda: [("行数", "=1+1")])
    return file.getvalue()


def column(rows):
    return [row[0] for row in rows][1:]


def by_csv(data):
    return column(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def by_openpyxl(data):
    return column(openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True))


def by_calamine(data):
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    return column(sheet.to_python(skip_empty_area=False))


READERS = {"csv": (CsvFormat, by_csv), "openpyxl": (XlsxFormat, by_openpyxl), "calamine": (XlsxFormat, by_calamine)}


@pytest.mark.parametrize("reader", READERS)
def test_texts_come_back_to_the_letter(reader):
    format_class, read = READERS[reader]

    assert read(write(format_class, [[text] for text in TEXTS])) == TEXTS


@pytest.mark.parametrize("reader", READERS)
@given(
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\t\r\n_x0D<r>/")
    )
)
@example("_x0001_")
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back_to_the_letter(reader, text):
    format_class, read = READERS[reader]

    assert (read(write(format_class, [[text]]))[0] or "") == text


def test_text_cells_are_strings_with_the_format_of_texts_and_none_is_a_formula():
    book = openpyxl.load_workbook(io.BytesIO(write(XlsxFormat, [[text] for text in TEXTS])))

    cells = [row[0] for row in book.worksheets[0].iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert {cell.hyperlink for cell in cells} == {None}
    assert book.worksheets[1]["B1"].data_type == "s"


@pytest.mark.parametrize("text", CONTROL)
def test_what_xml_forbids_is_escaped_the_way_workbooks_do_and_breaks_nothing(text):
    data = write(XlsxFormat, [[text], ["after"]])

    assert by_openpyxl(data)[1] == "after"
    expected = text if not set(text) & {"\ufffe", "\uffff", "\x00"} else by_calamine(data)[0]
    assert by_calamine(data) == [expected, "after"]
    assert by_csv(write(CsvFormat, [[text]])) == [text]


def test_a_text_too_long_for_a_cell_is_refused_and_not_left_out():
    with pytest.raises(RuleBroken, match=r"Row 2.*head.*CSV"):
        write(XlsxFormat, [["short"], ["😀" * 16_384]])
    assert by_csv(write(CsvFormat, [["x" * 40_000]])) == ["x" * 40_000]


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch):
    monkeypatch.setattr("incubator.common.exports.formats.MOST_ROWS", 3)

    assert by_openpyxl(write(XlsxFormat, [["a"]] * 3)) == ["a"] * 3
    with pytest.raises(RuleBroken, match="3 rows"):
        write(XlsxFormat, [["a"]] * 4)


def test_numbers_and_days_stay_what_they_are():
    values = [1_234_567, -3, 2.5, date(2026, 3, 1), datetime(2026, 3, 1, 8, 30, 15), None, "1234567"]

    sheet = openpyxl.load_workbook(io.BytesIO(write(XlsxFormat, [[v] for v in values]))).worksheets[0]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == [
        1_234_567, -3, 2.5, datetime(2026, 3, 1), datetime(2026, 3, 1, 8, 30, 15), None, "1234567"]  # fmt: skip
    assert [cell.number_format for cell in cells][3:5] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"]
    lines = write(CsvFormat, [[v, ""] for v in values], headers=("head", "b")).decode("utf-8-sig").split("\r\n")
    assert lines == ['"head","b"', '1234567,""', '-3,""', '2.5,""', '2026-03-01,""', '2026-03-01 08:30:15,""', ',""',
                     '"1234567",""', ""]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (123_456_789_012_345, 123_456_789_012_345),
        (1_234_567_890_123_456, "1234567890123456"),
        (Decimal("1.10"), 1.1),
        (Decimal("123456789012345.67"), "123456789012345.67"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, "yes"),
        ({"a": "县"}, '{"a": "县"}'),
        ("-", "-"),
    ],
)
def test_what_a_spreadsheet_would_alter_is_text(value, cell):
    assert cell_value(value) == cell


def test_days_before_the_calendar_of_spreadsheets_are_texts():
    assert by_openpyxl(write(XlsxFormat, [[date(1899, 5, 1)], [date(1900, 3, 1)]])) == [
        "1899-05-01", datetime(1900, 3, 1)]  # fmt: skip


def test_csv_begins_with_the_mark_and_quotes_every_text():
    data = write(CsvFormat, [["张三", 5, None, ""]], headers=("a", "b", "c", "d"))

    assert data == '\ufeff"a","b","c","d"\r\n"张三",5,,""\r\n'.encode()


def test_a_line_of_one_unknown_is_a_line():
    assert by_csv(write(CsvFormat, [["a"], [None], ["b"]])) == ["a", "", "b"]


def test_sheet_has_a_header_that_stays_filters_and_widths():
    book = openpyxl.load_workbook(
        io.BytesIO(write(XlsxFormat, [["张三丰的很长的名字", 5]] * 3, headers=("姓名", "数")))
    )

    sheet, notes = book.worksheets
    assert (sheet.title, notes.title) == ("学员", "Notes")
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B4"
    assert sheet.column_dimensions["A"].width > 18 > sheet.column_dimensions["B"].width
    assert sheet["A1"].font.bold


def test_names_of_sheets_are_such_as_excel_takes():
    assert sheet_name("a[b]:c*d?e/f\\g'h") == "a b  c d e f g h"
    assert sheet_name("名" * 40) == "名" * 31
    assert sheet_name("/") == "1"


@pytest.mark.parametrize("format_class", [XlsxFormat, CsvFormat])
def test_formats_serve_django_import_export_too(format_class):
    import tablib

    data = format_class().export_data(tablib.Dataset(["=1+1"], headers=["a"], title="t"))

    assert (by_csv if format_class is CsvFormat else by_openpyxl)(data) == ["=1+1"]
    assert format_class().can_export() and not format_class().can_import()


@pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice on this machine")
def test_libreoffice_reads_the_same_texts_and_computes_none(tmp_path):
    texts = [text for text in TEXTS if len(text) < 1_000]
    (tmp_path / "list.xlsx").write_bytes(write(XlsxFormat, [[text] for text in texts]))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    to_csv = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", to_csv, "--outdir", str(tmp_path), "list.xlsx"],
        cwd=tmp_path, check=True, capture_output=True, timeout=180,
    )  # fmt: skip

    [converted] = tmp_path.glob("list*.csv")
    # Its own cells know one kind of line break, so what it writes has that one.
    assert [_one_break(text) for text in by_csv(converted.read_bytes())] == [_one_break(text) for text in texts]


def _one_break(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")
