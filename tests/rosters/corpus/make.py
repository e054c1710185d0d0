"""``python -m tests.rosters.corpus.make``: the workbooks that counties mail, one for each way in which they differ.

``test_corpus.py`` says what must become of each. Files that need LibreOffice are made where it is installed and are
kept as they are once they are there, because each version writes them otherwise; all others are the same bytes each
time.
"""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.rosters.corpus.people import (
    COUNTY_NAME,
    ELSEWHERE,
    HEADERS,
    KNOWN,
    PEOPLE,
    id_number,
    line,
    lines,
    mistyped,
    short,
)
from tests.rosters.corpus.writing import (
    ODS_FOOT,
    ODS_HEAD,
    archive,
    by_office,
    by_openpyxl,
    container,
    csv,
    html,
    ods,
    settled,
    spreadsheet_xml,
    xlsx,
)

FILES = Path(__file__).parent / "files"
MAKERS: dict[str, Callable[[], bytes]] = {}
NEEDS_OFFICE: set[str] = set()
TITLE = ["积石山县学员报名表"]
UNIT = ["填报单位：积石山县农业农村局", "", "", "", "填报日期：2026年3月2日"]
PLAIN = [TITLE, UNIT, HEADERS, *lines(0, 1, 2), ["合计", "3人"]]
SHEET1 = "xl/worksheets/sheet1.xml"


def file(name: str, *, needs_office: bool = False) -> Callable[[Callable[[], bytes | str]], Callable[[], bytes]]:
    def keep(maker: Callable[[], bytes | str]) -> Callable[[], bytes]:
        def make() -> bytes:
            content = maker()
            return content.encode() if isinstance(content, str) else content

        MAKERS[name] = make
        if needs_office:
            NEEDS_OFFICE.add(name)
        return make

    return keep


def a_file(name: str, maker: Callable[[], bytes | str], *, needs_office: bool = False) -> None:
    file(name, needs_office=needs_office)(maker)


# --- Formats ----------------------------------------------------------------------------------------------------------

a_file("xlsx-of-excel.xlsx", lambda: xlsx(PLAIN))
a_file("xlsx-of-openpyxl.xlsx", lambda: by_openpyxl(PLAIN))
a_file("xlsx-with-inline-texts.xlsx", lambda: xlsx(PLAIN, constant_memory=True))
a_file("xlsx-of-libreoffice.xlsx", lambda: by_office(PLAIN, "xlsx"), needs_office=True)
a_file("ods-of-libreoffice.ods", lambda: by_office(PLAIN, "ods"), needs_office=True)
a_file("xls-of-excel-97.xls", lambda: by_office(PLAIN, "xls"), needs_office=True)
a_file("xls-called-xlsx.xlsx", lambda: by_office(PLAIN, "xls"), needs_office=True)
a_file("xlsx-called-xls.xls", lambda: xlsx(PLAIN))
a_file("xlsx-called-csv.csv", lambda: xlsx(PLAIN))
a_file("xlsx-without-a-suffix", lambda: xlsx(PLAIN))
a_file("ods-by-hand.ods", lambda: ods(PLAIN))
a_file(
    "ods-with-repeated-cells.ods",
    lambda: ods(PLAIN, after_row='<table:table-cell table:number-columns-repeated="1014"/>'),
)
a_file("csv-utf-8.csv", lambda: csv(PLAIN))
a_file("csv-utf-8-with-mark.csv", lambda: "\ufeff" + csv(PLAIN))
a_file("csv-gbk.csv", lambda: csv(PLAIN).encode("gbk"))
a_file("csv-gb18030.csv", lambda: csv([HEADERS, line(0, 姓名="马𠮷"), line(1, 姓名="王㛃")]).encode("gb18030"))
a_file("csv-utf-16.csv", lambda: csv(PLAIN, separator="\t").encode("utf-16"))
a_file("csv-utf-16-big-endian.csv", lambda: ("\ufeff" + csv(PLAIN)).encode("utf-16-be"))
a_file("csv-utf-16-without-mark.csv", lambda: csv(PLAIN).encode("utf-16-le"))
a_file("csv-semicolons.csv", lambda: csv(PLAIN, separator=";"))
a_file("csv-tabs.txt", lambda: csv(PLAIN, separator="\t", end="\n"))
a_file("csv-names-its-separator.csv", lambda: "sep=;\r\n" + csv(PLAIN, separator=";"))
a_file("csv-called-xls.xls", lambda: csv(PLAIN).encode("gbk"))
a_file(
    "csv-with-breaks-in-cells.csv", lambda: csv([HEADERS, line(0, 乡镇="吹麻滩镇\n前庄村"), line(1, 姓名='马 "小" 兰')])
)
a_file("csv-with-numbers-as-formulas.csv", lambda: csv([HEADERS, line(0, 身份证号码=f'="{PEOPLE[0].id_number}"')]))
a_file("csv-with-a-quote-left-open.csv", lambda: csv(PLAIN).replace(PEOPLE[1].name, f'"{PEOPLE[1].name}'))
a_file("web-page.xls", lambda: html(PLAIN))
a_file("web-page-gbk.xls", lambda: html(PLAIN, charset="gb2312").encode("gbk"))
a_file("xml-of-excel-2003.xls", lambda: spreadsheet_xml(PLAIN))


@file("web-page-bound.xls")
def _bound() -> str:
    page = html(PLAIN)
    return f'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x\r\n\r\n{page}\r\n--x--'


@file("web-page-merged.xls")
def _merged_page() -> str:
    rows = [TITLE + [""] * 9, HEADERS, *lines(0, 1), line(2, 乡镇="")]
    rows[2][6], rows[3][6] = "大河家镇", ""
    return html(rows, merged={(0, 0): (1, 10), (2, 6): (2, 1)})


@file("xlsx-of-wps.xlsx")
def _wps() -> bytes:
    """WPS writes the size of the sheet as one cell, and a fill of nothing, at which openpyxl breaks off."""
    change = {
        SHEET1: (b'<dimension ref="A1:J7"/>', b'<dimension ref="A1:A1"/>'),
        "xl/styles.xml": (b'<fill><patternFill patternType="none"/></fill>', b"<fill/>"),
    }
    return settled(xlsx(PLAIN), change)


@file("xlsx-strict.xlsx")
def _strict() -> bytes:
    """The strict edition of the standard has other names for the same things."""
    old, new = b"http://schemas.openxmlformats.org/", b"http://purl.oclc.org/ooxml/"
    parts = ["xl/workbook.xml", SHEET1, "_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"]
    return settled(xlsx(PLAIN), dict.fromkeys(parts, (old, new)))


@file("xlsx-with-prefixes.xlsx")
def _prefixed() -> bytes:
    """Some programs put a prefix before every element."""
    content = xlsx([HEADERS, *lines(0, 1)])
    for name in (
        b"worksheet",
        b"dimension",
        b"sheetViews",
        b"sheetView ",
        b"sheetFormatPr",
        b"sheetData",
        b"row",
        b"c ",
        b"v>",
    ):
        for before in (b"<", b"</"):
            if name not in (b"sheetView ", b"c ") or before == b"<":
                content = _replaced(content, SHEET1, before + name, before + b"x:" + name)
    for old, new in (
        (b"</c>", b"</x:c>"),
        (b"</sheetView>", b"</x:sheetView>"),
        (b'xmlns="', b'xmlns:x="'),
        (b"<page", b"<x:page"),
    ):
        content = _replaced(content, SHEET1, old, new)
    return content


def _replaced(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    try:
        return settled(content, {part: (old, new)})
    except AssertionError:
        return content


# --- What cannot be read ----------------------------------------------------------------------------------------------

a_file("refused-pdf.xlsx", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n")
a_file("refused-photo.xlsx", lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 8)
a_file("refused-letter.docx", lambda: archive({"[Content_Types].xml": "<Types/>", "word/document.xml": "<document/>"}))
a_file("refused-text.csv", lambda: "请各乡镇于三月五日前报送名单。\n联系人马某。\n")
a_file("refused-nothing.csv", lambda: b"")
a_file("refused-nothing.xlsx", lambda: b"")
a_file("refused-empty-sheet.xlsx", lambda: xlsx([]))
a_file("refused-cut-off.xlsx", lambda: xlsx(PLAIN)[:3000])
a_file("refused-cut-off.xls", lambda: by_office(PLAIN, "xls")[:3000], needs_office=True)
a_file(
    "refused-password.ods",
    lambda: ods(
        PLAIN, manifest='<manifest:file-entry><manifest:encryption-data manifest:checksum="x"/></manifest:file-entry>'
    ),
)
a_file(
    "refused-password.xlsx",
    lambda: container({"EncryptionInfo": b"\4\0\4\0" + bytes(5000), "EncryptedPackage": bytes(range(256)) * 20}),
)
a_file("refused-password.xls", lambda: container({"Workbook": _locked_stream()}))
a_file("refused-excel-4.xls", lambda: b"\x09\x04\x06\x00\x00\x00\x10\x00\x00\x00" + bytes(500))
a_file("refused-no-header.xlsx", lambda: xlsx([TITLE, *[values[1:5] for values in lines(0, 1, 2)]]))
a_file("refused-no-id-column.xlsx", lambda: xlsx([["姓名", "手机号", "乡镇"], short(0, "姓名", "联系电话", "乡镇")]))
a_file("refused-only-a-header.xlsx", lambda: xlsx([TITLE, HEADERS]))
a_file("refused-only-totals.xlsx", lambda: xlsx([HEADERS, ["合计", "0人"], ["填表人：马某"]]))
a_file("refused-far-corner.xlsx", lambda: _corner())
a_file("refused-far-columns.xlsx", lambda: xlsx([HEADERS + [""] * 300 + ["x"], line(0) + [""] * 300 + ["x"]]))
a_file("refused-columns-beyond-excel.xlsx", lambda: settled(xlsx(PLAIN), {SHEET1: (b'r="B3"', b'r="ZZZZZ3"')}))
a_file("refused-entities.xlsx", lambda: settled(xlsx(PLAIN), {SHEET1: (b"<worksheet ", _laughs() + b"<worksheet ")}))
a_file(
    "refused-entities-in-the-workbook.xlsx",
    lambda: settled(xlsx(PLAIN), {"xl/workbook.xml": (b"<workbook ", _laughs() + b"<workbook ")}),
)
a_file(
    "refused-entities.ods",
    lambda: ods([], content=_laughs().decode() + ODS_HEAD.partition("?>")[2] + "<x>&d;</x>" + ODS_FOOT),
)
a_file(
    "refused-entities.xls",
    lambda: spreadsheet_xml(PLAIN).replace("<Workbook ", _laughs().decode() + "<Workbook ").replace("合计", "&d;"),
)


def _corner() -> bytes:
    """A thousand bytes that ask a careless reader for half a terabyte."""
    return settled(
        xlsx([["x"], ["y"]]), {SHEET1: (b'<row r="2" spans="1:1"><c r="A2"', b'<row r="1048576"><c r="XFD1048576"')}
    )


def _laughs() -> bytes:
    levels = "".join(f'<!ENTITY {name} "{f"&{before};" * 100}">' for before, name in ("ab", "bc", "cd"))
    return f'<!DOCTYPE x [<!ENTITY a "{"lol" * 100}">{levels}]>'.encode()


def _locked_stream() -> bytes:
    """The beginning of a workbook of Excel 97 that is locked with a password."""
    beginning = b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(12) + b"\x2f\x00\x36\x00\x01\x00\x01\x00\x01\x00"
    return beginning + bytes(range(256)) * 24


# --- Sheets made by hand ----------------------------------------------------------------------------------------------


@file("three-rows-above.xlsx")
def _three_rows_above() -> bytes:
    rows = [TITLE, ["（2026年春季班）"], UNIT, HEADERS, *lines(0, 1)]
    return xlsx(rows, merged=[(0, 0, 0, 9), (1, 0, 1, 9), (2, 0, 2, 3)])


UPPER = ["序号", "姓名", "性别", "身份证号码", "联系方式", "", "地址", "", "快手号"]
LOWER = ["", "", "", "", "手机", "微信", "县", "乡镇", ""]
TWO_ROWS = [
    UPPER,
    LOWER,
    *(
        [n + 1, *short(n, "姓名", "性别", "身份证号码", "联系电话"), f"wx{n}", *short(n, "所在县", "乡镇", "快手号")]
        for n in (0, 1)
    ),
]
SPANS = [(0, n, 1, n) for n in (0, 1, 2, 3, 8)] + [(0, 4, 0, 5), (0, 6, 0, 7)]
a_file("header-in-two-rows.xlsx", lambda: xlsx(TWO_ROWS, merged=SPANS))
a_file("header-in-two-rows.csv", lambda: csv(TWO_ROWS))
a_file("header-in-two-rows.xls", lambda: by_office(TWO_ROWS, "xls", merged=SPANS), needs_office=True)
a_file("header-again.xlsx", lambda: xlsx([HEADERS, *lines(0, 1), HEADERS, *lines(2, 3), TITLE, HEADERS, line(4)]))
a_file("letters-below-the-header.xlsx", lambda: xlsx([HEADERS, list("ABCDEFGHIJ"), *lines(0, 1)]))
a_file("stems-below-the-header.xlsx", lambda: xlsx([HEADERS, ["甲", "乙", 1, 2, 3, 4, 5, 6, 7, 8], *lines(0, 1)]))
a_file("column-numbers-below-the-header.xls", lambda: html([HEADERS, [f"({n})" for n in range(1, 11)], *lines(0, 1)]))
a_file(
    "totals-between.xlsx",
    lambda: xlsx([HEADERS, *lines(0, 1), ["小计", "2人"], *lines(30, 31), ["", "小计", "2人"], ["合 计", "", "", 4]]),
)
a_file(
    "totals-by-township.xlsx",
    lambda: xlsx(
        [HEADERS, *lines(0), ["吹麻滩镇小计", "1人"], *lines(30), ["大河家镇合计：1人"], ["总计（人）", "", "2"]]
    ),
)
a_file(
    "headings-between.xlsx",
    lambda: xlsx([HEADERS, ["一、吹麻滩镇"], *lines(0, 1), ["二、大河家镇"], *lines(30)], merged=[(1, 0, 1, 9)]),
)
a_file(
    "signatures-below.xlsx",
    lambda: xlsx(
        [
            *PLAIN,
            [],
            ["填表人：马某", "", "", "审核人：王某", "", "联系电话：0930-7721234"],
            ["单位负责人（签字）：", "", "", "", "（盖章）"],
            ["", "", "", "", "2026年3月2日"],
            ["备注：快手号请按软件里的填写，不要填写昵称。"],
        ]
    ),
)
a_file("blank-rows-between.xlsx", lambda: xlsx([HEADERS, [], *lines(0), [], [], *lines(1), ["", " ", "　"], *lines(2)]))
a_file(
    "blank-first-columns.xlsx",
    lambda: xlsx([[], ["", "", *TITLE], ["", "", *HEADERS], *(["", "", *values] for values in lines(0, 1))]),
)
a_file(
    "rows-numbered-beforehand.xlsx",
    lambda: xlsx([HEADERS, *lines(0, 1), *([n, *[""] * 4, COUNTY_NAME] for n in range(3, 8)), [8], [9]]),
)
a_file("only-formatted-to-the-end.xlsx", lambda: _formatted())
a_file(
    "several-sheets.xlsx",
    lambda: xlsx(
        PLAIN,
        before={"填写说明": [["姓名", "填写真实姓名"], ["联系电话", "11位手机号"]]},
        after={"统计": [["乡镇", "人数"], ["吹麻滩镇", 3]]},
    ),
)
a_file(
    "several-sheets.ods",
    lambda: by_office(PLAIN, "ods", before={"填写说明": [["说明"], ["一人一行"]]}),
    needs_office=True,
)
a_file("a-hidden-sheet.xlsx", lambda: xlsx(PLAIN, hidden={"去年": [[*HEADERS, "学历", "类别"], *lines(3, 4, 5)]}))
a_file(
    "synonyms.xlsx",
    lambda: xlsx(
        [
            [
                "序 号",
                "姓 名",
                "性 别",
                "身份证号\n（18位）",
                "联系方式",
                "县(区)",
                "乡/镇",
                "学历",
                "身份类别",
                "快手ID",
            ],
            *lines(0, 1),
        ]
    ),
)
a_file(
    "synonyms-again.xlsx",
    lambda: xlsx(
        [
            [
                "编号",
                "学员姓名*",
                "性别",
                "公民身份号码",
                "手机：",
                "所在县（市、区）",
                "乡（镇、街道）",
                "受教育程度",
                "人员类型",
                "快手账号",
            ],
            *lines(0, 1),
        ]
    ),
)
a_file(
    "two-telephones.xlsx",
    lambda: xlsx(
        [["姓名", "身份证号", "联系电话", "手机号"], [*short(0, "姓名", "身份证号码"), "0930-7721234", PEOPLE[0].phone]]
    ),
)
a_file(
    "columns-not-used.xlsx",
    lambda: xlsx(
        [
            [*HEADERS, "民族", "抖音号", "抖音粉丝数", ""],
            [*line(0), "汉族", "dy1", 1200, "待定"],
            [*line(1), "回族", "dy2", 90, ""],
        ]
    ),
)
a_file(
    "two-platforms-under-one-header.xlsx",
    lambda: xlsx(
        [
            ["姓名", "身份证号", "手机", "抖音", "", "快手", ""],
            ["", "", "", "账号", "粉丝数", "账号", "粉丝数"],
            [*short(0, "姓名", "身份证号码", "联系电话"), "dy1", 5, PEOPLE[0].handle, 7],
        ]
    ),
)
a_file(
    "full-width.xlsx",
    lambda: xlsx(
        [
            ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "文化程度", "人员类别", "快手ＩＤ"],
            line(
                0,
                身份证号码=_wide(PEOPLE[0].id_number),
                联系电话=_wide(PEOPLE[0].phone),
                快手号=_wide(PEOPLE[0].handle),
                姓名="马　兰",
            ),
        ]
    ),
)
a_file(
    "line-breaks-in-cells.xlsx",
    lambda: xlsx(
        [
            [header.replace("身份证", "身份证\n") for header in HEADERS],
            line(
                0,
                姓名="马\n兰",
                身份证号码=PEOPLE[0].id_number[:6] + "\n" + PEOPLE[0].id_number[6:],
                联系电话=PEOPLE[0].phone + "\n",
                乡镇="吹麻滩镇\n",
            ),
        ]
    ),
)
a_file(
    "ditto.xlsx",
    lambda: xlsx([HEADERS, line(0), line(1, 所在县="同上", 乡镇="〃", 文化程度="同上"), line(2, 联系电话="同上")]),
)
a_file("formulas.xlsx", lambda: _formulas())
a_file(
    "several-fonts-in-a-cell.xlsx",
    lambda: settled(
        xlsx(PLAIN),
        {
            "xl/sharedStrings.xml": (
                f"<si><t>{PEOPLE[0].name}</t></si>".encode(),
                f"<si><r><rPr><b/></rPr><t>{PEOPLE[0].name[0]}</t></r><r><t>{PEOPLE[0].name[1:]}</t></r></si>".encode(),
            )
        },
    ),
)

TWO_COUNTIES = [
    HEADERS,
    line(0, 乡镇="吹麻滩镇"),
    line(1, 所在县="", 乡镇=""),
    line(2, 所在县="", 乡镇="居集镇"),
    line(3, 所在县="东乡县", 乡镇="锁南镇"),
    line(4, 所在县="", 乡镇=""),
]
PLACES = [(1, 5, 3, 5), (4, 5, 5, 5), (1, 6, 2, 6), (4, 6, 5, 6)]
a_file("places-merged.xlsx", lambda: xlsx(TWO_COUNTIES, merged=PLACES))
a_file("places-merged.xls", lambda: by_office(TWO_COUNTIES, "xls", merged=PLACES), needs_office=True)
a_file("places-written-once.csv", lambda: csv(TWO_COUNTIES))
a_file("places-written-once.xlsx", lambda: xlsx(TWO_COUNTIES))


def _wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def _formatted() -> bytes:
    """Somebody drew lines to the end of the page and beyond."""
    import io

    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet, bold = book.add_worksheet(), book.add_format({"border": 1})
    for number, values in enumerate([HEADERS, *lines(0, 1)]):
        sheet.write_row(number, 0, values)
    for number in range(3, 400):
        sheet.write_blank(number, 0, None, bold)
        sheet.write_blank(number, 400, None, bold)
    sheet.write_blank(1_048_575, 0, None, bold)
    book.close()
    return settled(buffer.getvalue())


def _formulas() -> bytes:
    """Sex by a formula, a total by another, and an error where the formula met an empty cell."""
    import io

    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADERS)
    for n in (0, 1):
        sheet.write_row(n + 1, 0, line(n))
        sheet.write_formula(n + 1, 2, f'=IF(MOD(MID(D{n + 2},17,1),2),"男","女")', None, PEOPLE[n].sex)
    sheet.write_row(3, 0, line(2))
    sheet.write_formula(3, 5, "=VLOOKUP(B4,Z:Z,1,0)", None, "#N/A")
    sheet.write_string(4, 0, "合计")
    sheet.write_formula(4, 1, "=COUNTA(B2:B4)", None, 3)
    book.close()
    return settled(buffer.getvalue())


# --- What is wrong in cells -------------------------------------------------------------------------------------------

ENDS_IN_X = next(number for n in range(101, 999, 2) if (number := id_number(serial=n)).endswith("X"))
GOOD_IDS = [
    f"{PEOPLE[0].id_number[:6]} {PEOPLE[0].id_number[6:14]} {PEOPLE[0].id_number[14:]}",
    _wide(PEOPLE[1].id_number),
    ENDS_IN_X.lower(),
    f"'{PEOPLE[3].id_number}",
    f"\u200b{PEOPLE[4].id_number}\ufeff",
    f"{PEOPLE[5].id_number[:6]}-{PEOPLE[5].id_number[6:14]}-{PEOPLE[5].id_number[14:]}",
    id_number("810000", serial=201),
    id_number("820000", serial=203),
    id_number("830000", serial=205),
]
BAD_IDS = [
    mistyped(PEOPLE[0].id_number),
    "620000980203121",
    PEOPLE[2].id_number[:-1],
    f"{PEOPLE[3].id_number}1",
    f"{PEOPLE[4].id_number[:6]}********{PEOPLE[4].id_number[-4:]}",
    f"{PEOPLE[5].id_number[:16]}O{PEOPLE[5].id_number[-1]}",
    id_number("170000"),
    id_number("810101"),
    id_number(day="19980230"),
    id_number(day="20991231"),
    "6.20000199802031E+17",
    next(
        n
        for day in range(1, 29)
        if (n := f"620000199802{day:02d}1000")
        and mistyped(n)[-1]
        and id_number(day=f"199802{day:02d}", serial=100) != n
    ),
    "H12345678",
    "无",
]
GOOD_PHONES = [
    "+86{}",
    "0086{}",
    "86 {}",
    "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}{0[6]} {0[7]}{0[8]}{0[9]}{0[10]}",
    "0{}",
    "({})",
]
BAD_PHONES = [
    "0930-7721234",
    "7721234",
    "1540000123",
    "154000012345",
    "154****1234",
    "+852 9123 4567",
    "1.54E+10",
    "15400001234/15400005678",
    "无",
    "400-810-8888",
]

a_file(
    "id-numbers-of-every-style.xlsx",
    lambda: xlsx([HEADERS, *(line(n, 身份证号码=text, 性别="") for n, text in enumerate(GOOD_IDS))]),
)
a_file(
    "id-numbers-with-every-mistake.xlsx",
    lambda: xlsx([HEADERS, *(line(n, 身份证号码=text) for n, text in enumerate(BAD_IDS))]),
)
a_file(
    "id-numbers-as-numbers.xlsx",
    lambda: xlsx(
        [
            HEADERS,
            line(0, 身份证号码=float(PEOPLE[0].id_number[:15] + "000")),
            line(1, 身份证号码=620000980203121),
            line(2),
        ]
    ),
)
a_file(
    "id-numbers-as-numbers.ods",
    lambda: ods([HEADERS, line(0, 身份证号码=int(PEOPLE[0].id_number[:15] + "000")), line(1)]),
)
a_file(
    "id-numbers-as-numbers.csv",
    lambda: csv([HEADERS, line(0, 身份证号码="6.20000199802031E+17"), line(1, 身份证号码=BAD_IDS[11]), line(2)]),
)
a_file(
    "phones-of-every-style.xlsx",
    lambda: xlsx([HEADERS, *(line(n, 联系电话=style.format(PEOPLE[n].phone)) for n, style in enumerate(GOOD_PHONES))]),
)
a_file(
    "phones-with-every-mistake.xlsx",
    lambda: xlsx([HEADERS, *(line(n, 联系电话=text) for n, text in enumerate(BAD_PHONES))]),
)
a_file("phones-as-numbers.xlsx", lambda: xlsx([HEADERS, *(line(n, 联系电话=int(PEOPLE[n].phone)) for n in (0, 1))]))
a_file("serials-as-texts.csv", lambda: csv([HEADERS, *(line(n, serial=f"{n + 1}、") for n in (0, 1))]))
a_file(
    "empty-cells.xlsx",
    lambda: xlsx(
        [
            HEADERS,
            line(0, 姓名=""),
            line(1, 身份证号码=""),
            line(2, 联系电话=" "),
            line(3, 乡镇="", 文化程度="", 人员类别="", 快手号=""),
        ]
    ),
)
a_file(
    "sex.xlsx",
    lambda: xlsx(
        [HEADERS, line(0, 性别="女" if PEOPLE[0].sex == "男" else "男"), line(1, 性别="未知"), line(2, 性别="")]
    ),
)
a_file(
    "counties-of-every-style.xlsx",
    lambda: xlsx(
        [
            HEADERS,
            *(
                line(n, 所在县=text)
                for n, text in enumerate(
                    [
                        "622927",
                        "积石山县",
                        "积石山保安族东乡族撒拉族自治县",
                        "甘肃省临夏回族自治州积石山县",
                        "临夏州/积石山",
                        "东乡族自治县",
                        622926,
                        "甘肃省 临夏州 东乡县",
                        "６２２９２７",
                        "622927000000",
                    ]
                )
            ),
        ]
    ),
)
a_file(
    "counties-that-are-wrong.xlsx",
    lambda: xlsx(
        [
            HEADERS,
            *(line(n, 所在县=text) for n, text in enumerate(["没有这个县", "威宁县", "999999", "622927东乡县", ""])),
        ]
    ),
)
a_file(
    "too-old.xlsx",
    lambda: xlsx(
        [HEADERS, line(0, 身份证号码=id_number(day="19600101", serial=int(PEOPLE[0].id_number[14:17]))), line(1)]
    ),
)
a_file(
    "twice-in-the-file.xlsx",
    lambda: xlsx(
        [HEADERS, line(0), line(1), line(0, 联系电话=PEOPLE[5].phone, 快手号=""), line(2, 快手号=PEOPLE[1].handle)]
    ),
)
a_file("known-already.xlsx", lambda: xlsx([HEADERS, *lines(*KNOWN), line(0)]))
a_file("somebody-of-another-county.xlsx", lambda: xlsx([HEADERS, line(ELSEWHERE), line(0)]))
a_file("everything-at-once.xlsx", lambda: _everything())


WITH_DATES = [*HEADERS, "出生日期"]
GOOD_DATES = [
    "{:%Y-%m-%d}",
    "{:%Y/%m/%d}",
    "{0.year}.{0.month}.{0.day}",
    "{0.year}年{0.month}月{0.day}日",
    "{:%Y%m%d}",
    "{:%Y-%m-%d} 00:00:00",
    "＇{:%Y-%m-%d}",
]
BAD_DATES = ["03/04/05", "98.3.5", "03/04/1998", "1998年3月", "3月5日", "35864", "1998-02-30", "正月初五", "1990-01-01"]
a_file(
    "dates-of-every-style.xlsx",
    lambda: xlsx(
        [
            WITH_DATES,
            *([*line(n), style.format(_born_on(n))] for n, style in enumerate(GOOD_DATES)),
            [*line(8), _born_on(8)],
            [*line(9), ""],
        ]
    ),
)
a_file(
    "dates-with-every-mistake.xlsx", lambda: xlsx([WITH_DATES, *([*line(n), text] for n, text in enumerate(BAD_DATES))])
)
a_file(
    "dates-counted-from-1904.xlsx",
    lambda: xlsx([WITH_DATES, *([*line(n), _born_on(n)] for n in (0, 1))], date_1904=True),
)
a_file(
    "dates.xls", lambda: by_office([WITH_DATES, *([*line(n), _born_on(n)] for n in (0, 1))], "xls"), needs_office=True
)
a_file(
    "dates.ods", lambda: by_office([WITH_DATES, *([*line(n), _born_on(n)] for n in (0, 1))], "ods"), needs_office=True
)
a_file("id-number-that-may-be-rounded.csv", lambda: csv([HEADERS, line(0, 身份证号码=ROUNDED_BY_CHANCE_WELL, 性别="")]))
ROUNDED_BY_CHANCE_WELL = next(
    n for day in range(1, 29) if (n := id_number(day=f"199802{day:02d}", serial=100)).endswith("0")
)


def _born_on(n: int) -> date:
    digits = PEOPLE[n].id_number[6:14]
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def _everything() -> bytes:
    upper = ["序号", "姓名", "性别", "身份证号码", "联系方式", "", "地址", "", "文化程度", "人员类别", "快手号", "备注"]
    lower = ["", "", "", "", "手机", "微信", "县", "乡镇", "", "", "", ""]

    def one(n: int, **changes: object) -> list[object]:
        values = line(n, **changes)
        return [*values[:5], f"wx{n}", *values[5:], ""]

    rows = [
        TITLE,
        ["（农村青年主播培育项目）"],
        UNIT,
        upper,
        lower,
        [*"ABCDEFGHIJKL"],
        one(0),
        one(1, 所在县="", 乡镇=""),
        ["小计", "2人"],
        [],
        upper,
        lower,
        one(2, 身份证号码=mistyped(PEOPLE[2].id_number)),
        one(50),
        one(3, 联系电话="0930-7721234"),
        ["合计", "5人"],
        ["填表人：马某", "", "", "审核人：王某"],
    ]
    spans = [(3, n, 4, n) for n in (0, 1, 2, 3, 8, 9, 10, 11)] + [(3, 4, 3, 5), (3, 6, 3, 7)]
    return xlsx(rows, merged=[*spans, (0, 0, 0, 11), (6, 6, 7, 6), (6, 7, 7, 7)], after={"Sheet2": [["x"]]})


def main() -> None:
    FILES.mkdir(exist_ok=True)
    has_office = shutil.which("soffice") is not None
    for name, make in MAKERS.items():
        if name not in NEEDS_OFFICE or (has_office and not (FILES / name).exists()):
            (FILES / name).write_bytes(make())
    for path in FILES.iterdir():
        if path.name not in MAKERS:
            path.unlink()


if __name__ == "__main__":
    main()
