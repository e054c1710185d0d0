"""The reader that goes row by row says what the thorough one says, or gives way to it."""

import datetime
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incubator.common.workbook_child.archives import Archive
from incubator.common.workbook_child.calamine import Calamine
from incubator.common.workbook_child.number_formats import day_of, kind_of, time_of
from incubator.common.workbook_child.refusals import Refused, Unusual
from incubator.common.workbook_child.xlsx import Workbook
from incubator.common.workbooks import UnreadableWorkbook, read_workbook

SAMPLES = sorted((Path(__file__).parents[2] / "incubator" / "demo" / "rosters").glob("*.xlsx"))
CELLS = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12),
    st.sampled_from(
        ["_x000D_", "a\nb", "<&>\"'", "  x ", "=1+1", "=HYPERLINK()", "1.0", "_x0041_", "\t", "00930", "é́"]
    ),
    st.integers(-(10**14), 10**14),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.dates(datetime.date(1900, 3, 1), datetime.date(2100, 1, 1)),
)


def write(rows, **options):
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False, **options})
    sheet, day = book.add_worksheet("名单"), book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
    for number, cells in enumerate(rows):
        for place, value in enumerate(cells):
            if isinstance(value, datetime.date):
                sheet.write_datetime(number, place, value, day)
            elif isinstance(value, str):
                sheet.write_string(number, place, value)
            elif value is not None:
                sheet.write(number, place, value)
    book.close()
    return buffer.getvalue()


def trimmed(rows):
    """Rows by number without blank ends, numbers as floats."""
    told = {}
    for number, line in rows:
        cells = [float(cell) if type(cell) is int else cell for cell in json.loads(line)]
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            told[number] = cells
    return told


def both(content, tmp_path):
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    quick, thorough = Workbook(Archive(BytesIO(path.read_bytes()))), Calamine(str(path))
    assert quick.sheets == thorough.sheets
    return [
        (
            trimmed(quick.rows(name, 200)),
            trimmed(thorough.rows(name, 200)),
            quick.survey(name)[1],
            thorough.survey(name)[1],
        )
        for name, _hidden in quick.sheets
    ]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_sample_rosters_are_read_the_same(path, tmp_path):
    for quick, thorough, merged, thoroughly_merged in both(path.read_bytes(), tmp_path):
        assert len(quick) > 50 and quick == thorough
        assert len(merged) == 3 and merged == thoroughly_merged


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, max_size=5), max_size=12), is_inline=st.booleans())
def test_whatever_is_in_the_cells_is_read_the_same(rows, is_inline, tmp_path):
    ((quick, thorough, _merged, _too),) = both(write(rows, constant_memory=is_inline), tmp_path)
    assert quick == thorough


def changed(content, part, old, new):
    """The workbook with something replaced in one of its parts."""
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as was, zipfile.ZipFile(buffer, "w") as book:
        for info in was.infolist():
            text = was.read(info)
            if info.filename == part:
                assert old in text
                text = text.replace(old, new)
            book.writestr(info.filename, text)
    return buffer.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
PLAIN = write([["a", 1], ["b", 2], ["c", 3]])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<c r="A2" t="s"><v>1</v></c>', b'<c t="s" r="A2"><v>1</v></c>'),
        (b'<c r="A2" t="s"><v>1</v></c>', b"<c r='A2' t='s'><v>1</v></c>"),
        (b'<c r="A2" t="s"><v>1</v></c>', b'<!-- second --><c r="A2" t="s"><v>1</v></c>'),
        (b'<c r="A2" t="s"><v>1</v></c>', b'<c r="A2"  t="s"><v>1</v></c>'),
    ],
)
def test_what_the_quick_reader_does_not_know_is_left_to_the_other_and_no_row_is_lost_or_doubled(old, new, tmp_path):
    path = tmp_path / "book.xlsx"
    path.write_bytes(changed(PLAIN, SHEET, old, new))
    with pytest.raises(Unusual):
        list(Workbook(Archive(BytesIO(path.read_bytes()))).rows("名单", 200))

    assert [[cell.text for cell in row.cells] for row in read_workbook(path)] == [["a", "1"], ["b", "2"], ["c", "3"]]


def test_what_either_reader_would_lose_is_refused(tmp_path):
    path = tmp_path / "book.xlsx"
    path.write_bytes(changed(PLAIN, SHEET, b"<v>1</v></c><c", b"<v><![CDATA[1]]></v></c><c"))
    with pytest.raises(UnreadableWorkbook):
        list(read_workbook(path))


def test_the_other_reader_goes_on_after_the_last_row_that_was_told(tmp_path):
    path = tmp_path / "book.xlsx"
    rows = [[f"x{n}", n] for n in range(20_000)]
    content = write(rows)
    last = b'<c r="A20000" t="s"><v>19999</v></c>'
    path.write_bytes(changed(content, SHEET, last, last.replace(b'r="A20000" t="s"', b't="s" r="A20000"')))

    numbers = [row.number for row in read_workbook(path)]

    assert numbers == list(range(1, 20_001))


def test_a_sheet_written_with_prefixes_is_read(tmp_path):
    import re

    with zipfile.ZipFile(BytesIO(PLAIN)) as book:
        sheet = book.read(SHEET)
    prefixed = re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", sheet).replace(b'xmlns="', b'xmlns:x="')
    path = tmp_path / "book.xlsx"
    path.write_bytes(changed(PLAIN, SHEET, sheet, prefixed))
    assert [row.cell(0).text for row in read_workbook(path)] == ["a", "b", "c"]


def test_rows_and_cells_that_are_only_formatted_are_nothing(tmp_path):
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
    sheet.write_string(0, 0, "a")
    for number in range(300):
        sheet.write_blank(number, 500, None, bold)
    sheet.write_blank(1_000_000, 0, None, bold)
    book.close()
    assert [(row.number, len(row.values)) for row in read_workbook(path)] == [(1, 1)]


def test_texts_of_several_fonts_are_put_together_and_readings_above_them_left_out(tmp_path):
    path = tmp_path / "book.xlsx"
    rich = b'<si><r><rPr><b/></rPr><t>\xe9\xa9\xac</t></r><r><t xml:space="preserve"> \xe5\x85\xb0</t></r></si>'
    read_above = b'<si><t>\xe7\x8e\x8b</t><rPh sb="0" eb="1"><t>wang</t></rPh></si>'
    content = changed(PLAIN, "xl/sharedStrings.xml", b"<si><t>a</t></si>", rich)
    path.write_bytes(changed(content, "xl/sharedStrings.xml", b"<si><t>b</t></si>", read_above))
    assert [row.cell(0).text for row in read_workbook(path)] == ["马 兰", "王", "c"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("yyyy-mm-dd", "day"),
        ('yyyy"年"m"月"d"日";@', "day"),
        ("[$-804]yyyy/m/d", "day"),
        ("m/d", "day"),
        ("mmm-yy", "day"),
        ("yyyy-mm-dd hh:mm", "day"),
        ("h:mm:ss", "time"),
        ("[h]:mm", "time"),
        ("mm:ss.0", "time"),
        ("General", None),
        ("0.00", None),
        ("0_);[Red]\\(0\\)", None),
        ('0"day"', None),
        ("@", None),
        ("#,##0.00E+00", None),
        ('"¥"#,##0', None),
    ],
)
def test_formats_of_days_are_told_from_others(code, kind):
    assert kind_of(code) == kind


def test_the_29th_of_february_1900_that_never_was():
    assert day_of(59, from_1904=False) == datetime.date(1900, 2, 28)
    assert day_of(60, from_1904=False) is None
    assert day_of(61, from_1904=False) == datetime.date(1900, 3, 1)
    assert day_of(0, from_1904=False) is None and day_of(3_000_000, from_1904=False) is None
    assert day_of(0, from_1904=True) == datetime.date(1904, 1, 1)
    assert time_of(0.5) == "12:00:00"


def test_an_archive_that_says_less_than_it_holds_is_refused(tmp_path):
    """The size in the directory is a claim; unpacking stops there and the check sum does not fit."""
    content = bytearray(write([["x" * 30_000]]))
    with zipfile.ZipFile(BytesIO(content)) as book:
        size = book.getinfo("xl/sharedStrings.xml").file_size
    claim = size.to_bytes(4, "little")
    assert content.count(claim) >= 2
    archive = Archive(BytesIO(bytes(content).replace(claim, (100).to_bytes(4, "little"))))
    with pytest.raises(Refused, match="broken"):
        list(archive.chunks("xl/sharedStrings.xml"))
