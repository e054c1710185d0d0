"""Files that ask for more than there is: refused in seconds, with a sentence, while the worker goes on."""

import io
import resource
import time
import zipfile

import pytest

from incubator.common.workbooks import UnreadableWorkbook, find_table, read_workbook, reading
from incubator.rosters.sheet import ROSTER
from tests.rosters.corpus.people import HEADERS, lines
from tests.rosters.corpus.writing import (
    MADE,
    ODS_FOOT,
    ODS_HEAD,
    archive,
    csv,
    html,
    ods,
    settled,
    spreadsheet_xml,
    xlsx,
)

SECONDS = 30  # on a busy machine; alone each takes a few
SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
FEW = 20_000
PLAIN = xlsx([HEADERS, *lines(0, 1)])


def refused(content, path):
    """The word of the refusal, after making sure that it was quick and that this process did not grow with it."""
    path.write_bytes(content)
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableWorkbook) as refusal:
        list(find_table(read_workbook(path), ROSTER).rows)
    assert time.monotonic() - started < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024
    return next(word for word, sentence in reading.SENTENCES.items() if str(sentence) == str(refusal.value))


def still_reads(path):
    path.write_bytes(PLAIN)
    return len(list(find_table(read_workbook(path), ROSTER).rows)) == 2


def with_part(name, pieces):
    """The plain workbook with one part made of these pieces."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as was, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        for info in was.infolist():
            if info.filename != name:
                book.writestr(zipfile.ZipInfo(info.filename, MADE), was.read(info), zipfile.ZIP_DEFLATED)
        described = zipfile.ZipInfo(name, MADE)
        described.compress_type = zipfile.ZIP_DEFLATED
        with book.open(described, "w") as part:
            for piece in pieces:
                part.write(piece)
    return buffer.getvalue()


MEGABYTE = b" " * (1 << 20)
SHEET_HEAD = b'<?xml version="1.0" encoding="UTF-8"?><worksheet><sheetData>'
TEXTS_HEAD = b'<?xml version="1.0" encoding="UTF-8"?><sst>'


def rows_of(count):
    yield SHEET_HEAD + b"<row>"
    for letter, header in zip("ABC", ["姓名", "身份证号", "联系电话"], strict=True):
        yield f'<c r="{letter}1" t="str"><v>{header}</v></c>'.encode()
    yield b"</row>"
    for _n in range(count // 1000):
        yield b'<row><c r="A1" t="str"><v>x</v></c></row>' * 1000
    yield b"</sheetData></worksheet>"


def columns(count):
    yield SHEET_HEAD + b"<row>"
    for _n in range(count // 10_000):
        yield b'<c r="ZZ1" t="str"><v>x</v></c>' * 10_000
    yield b"</row></sheetData></worksheet>"


SHEETS = b'<sheet name="x"/>' * 50_000
WIDE = '<Cell ss:MergeAcross="99999999">'
# By name: how the file is made, and the words it may be refused with.
BOMBS = {
    "spaces": (lambda: with_part(SHEET, [SHEET_HEAD, *[MEGABYTE] * 450]), "too_large"),
    "one endless row": (lambda: with_part(SHEET, [SHEET_HEAD, b"<row>", *[MEGABYTE] * 60]), "too_large"),
    "one endless text": (lambda: with_part(TEXTS, [TEXTS_HEAD, b"<si><t>", *[MEGABYTE] * 60]), "too_large"),
    "texts": (lambda: with_part(TEXTS, [TEXTS_HEAD, *[b"<si><t>a</t></si>" * 50_000] * 90]), "too_large"),
    "rows": (lambda: with_part(SHEET, rows_of(FEW + 1_000)), "too_many_rows"),
    "columns": (lambda: with_part(SHEET, columns(10_000)), "too_many_columns"),
    "a million columns": (lambda: with_part(SHEET, columns(1_000_000)), "too_large"),
    "styles": (lambda: with_part("xl/styles.xml", [b"<styleSheet>", *[b"<xf/>" * 200_000] * 10]), "too_large"),
    "sheets": (lambda: with_part("xl/workbook.xml", [b"<workbook><sheets>", *[SHEETS] * 12]), "too_large"),
    "rows of an .ods": (lambda: repeated("rows"), "too_large|broken"),
    "columns of an .ods": (lambda: repeated("columns"), "too_many_columns|too_large"),
    "columns of a web page": (lambda: html([["x"]]).replace("colspan=1", "colspan=999999"), "too_many_columns"),
    "columns of Excel's XML": (lambda: spreadsheet_xml([["x"]]).replace("<Cell>", WIDE), "too_many_columns"),
    "columns of a CSV": (lambda: csv([HEADERS, ["x"] * 100_000]), "too_many_columns"),
    "rows of a CSV": (lambda: csv([HEADERS, *[["x", "y"]] * (FEW + 1_000)]), "too_many_rows"),
    "one endless cell of a CSV": (lambda: 'a,b\n"' + "x" * 3_000_000 + '",b', "not_text"),
    "overlapping parts": (lambda: overlapping(), "broken"),
}


def repeated(what):
    cell = '<table:table-cell office:value-type="string" {}><text:p>x</text:p></table:table-cell>'
    columns = 'table:number-columns-repeated="16384"' if what == "columns" else ""
    rows = 'table:number-rows-repeated="1048576"' if what == "rows" else ""
    wide = cell.format('table:number-columns-repeated="300"' if what == "rows" else columns)
    body = f'<table:table table:name="x"><table:table-row {rows}>{wide}</table:table-row></table:table>'
    return ods([], content=ODS_HEAD + body + ODS_FOOT)


def overlapping():
    """Every part is the same packed bytes: what is small in the file is large again and again."""
    parts = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>", "x.xml": "x" * 1000}
    content = bytearray(archive(parts))
    place = bytes(content).rfind(b"PK\x01\x02")
    content[place + 42 : place + 46] = (0).to_bytes(4, "little")
    return bytes(content)


@pytest.fixture
def few_rows(monkeypatch):
    """The limit of rows, lowered so that nobody waits for as many as are allowed."""
    monkeypatch.setattr(reading, "MOST_ROWS", FEW)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_seconds_and_the_worker_lives(name, tmp_path, few_rows):
    make, words = BOMBS[name]
    content = make()
    path = tmp_path / "bomb.xlsx"
    assert refused(content.encode() if isinstance(content, str) else content, path) in words.split("|")
    assert still_reads(tmp_path / "plain.xlsx")


def test_an_archive_that_promises_less_than_it_holds_is_damaged(tmp_path):
    content = settled(PLAIN)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        size = book.getinfo(SHEET).file_size
    claim = size.to_bytes(4, "little")
    assert content.count(claim) == 2
    assert refused(content.replace(claim, (200).to_bytes(4, "little")), tmp_path / "a.xlsx") in ("broken", "empty")


def test_rows_to_the_limit_are_read(tmp_path, few_rows):
    path = tmp_path / "long.csv"
    people = [["马兰", "x", "y"]] * (FEW - 1)
    path.write_bytes(csv([["姓名", "身份证号", "联系电话"], *people]).encode())
    assert sum(1 for _row in find_table(read_workbook(path), ROSTER).rows) == len(people)
