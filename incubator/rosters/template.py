"""The workbook a county fills in: made for a cohort and a region, or the blank one that knows of neither.

Its text is Chinese whatever language the desk is shown in: it is written for a clerk in a village.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from incubator.programmes.models import Cohort
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.rosters.choices import BACKGROUNDS, REQUIRED, SEXES, Column
from incubator.rosters.guide import EXAMPLE, GUIDES, PRIVACY, Guide, steps
from incubator.rosters.identity import write_identity
from incubator.rosters.paper import Paper, height_of, print_on_a4
from incubator.rosters.places import county_names, township_names

COLUMNS = [column for column in Column if column in GUIDES]
SHEET = "报名表"
INSTRUCTIONS = "填写说明"
LISTS = "选项"
ROWS = 5000  # rows that have drop-downs; the columns are text to the end of the sheet
HEADER = 3  # index of the header row; above it title, who fills it in, and a hint
EDUCATIONS = ["小学及以下", "初中", "高中", "中专", "大专", "本科", "硕士及以上"]
LONGEST_LIST = 255  # characters of a list that stands in the rule itself, by Excel's own limit
HINT = "带 * 的列必须填写。灰色的示例行可以保留，导入时会自动跳过。填写前请看“填写说明”。"


@dataclass(frozen=True, slots=True)
class Offer:
    """What is made for whom: the names of the places that its drop-downs offer."""

    cohort: Cohort | None = None
    region: Region | None = None
    counties: Sequence[str] = ()
    townships: Sequence[str] = ()

    @property
    def title(self) -> str:
        return f"{self.cohort or ''}学员报名表{f'（{self.region}）' if self.region else ''}"


def blank_roster() -> bytes:
    """The workbook for any cohort and region."""
    return _write(Offer())


def roster_template(cohort: Cohort, region: Region, *, by: Any) -> bytes:
    """The workbook for a cohort and a region, with what ``by`` may know of the region's places."""
    return _write(Offer(cohort, region, county_names(region), township_names(region, by=by)))


def template_name(cohort: Cohort, region: Region) -> str:
    """``报名表-积石山县-农村青年主播2026春.xlsx``."""
    return re.sub(r'[\\/:*?"<>|\s]+', "-", f"报名表-{region.name}-{cohort.programme.name}{cohort.name}.xlsx")


def _write(offer: Offer) -> bytes:
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        paper = Paper(book)
        sheet, instructions = book.add_worksheet(SHEET), book.add_worksheet(INSTRUCTIONS)
        _write_table(sheet, paper, offer, Lists(book))
        _write_instructions(instructions, paper, offer)
        if offer.cohort and offer.region:
            write_identity(book, offer.cohort, offer.region, sheet=SHEET)
    return buffer.getvalue()


# --- The sheet that is filled in --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lists:
    """The values of drop-downs that are too long for the rule itself, one column of a hidden sheet each."""

    book: xlsxwriter.Workbook
    sheet: Worksheet | None = None
    columns: int = 0

    def source(self, values: Sequence[str]) -> list[str] | str:
        """What a rule names as its list."""
        if len(",".join(values)) <= LONGEST_LIST:
            return list(values)
        if self.sheet is None:
            self.sheet = self.book.add_worksheet(LISTS)
            self.sheet.hide()
        self.sheet.write_column(0, self.columns, values)
        letter = xl_col_to_name(self.columns)
        self.columns += 1
        return f"='{LISTS}'!${letter}$1:${letter}${len(values)}"


def _write_table(sheet: Worksheet, paper: Paper, offer: Offer, lists: Lists) -> None:
    last = len(COLUMNS)
    sheet.set_column(0, 0, 7, paper.text)
    sheet.set_row(0, 36)
    sheet.merge_range(0, 0, 0, last, offer.title, paper.title)
    sheet.merge_range(1, 0, 1, last - 3, "填报单位：", paper.plain)
    sheet.merge_range(1, last - 2, 1, last, "填报日期：　　　年　　月　　日", paper.plain)
    sheet.merge_range(2, 0, 2, last, HINT, paper.note)
    sheet.set_row(HEADER, 30)
    sheet.write_string(HEADER, 0, "序号", paper.head)
    sheet.write_string(HEADER + 1, 0, "示例", paper.example)
    for place, column in enumerate(COLUMNS, 1):
        is_required = _is_required(column, offer)
        sheet.set_column(place, place, GUIDES[column].width, paper.text)
        head = paper.required if is_required else paper.head
        sheet.write_string(HEADER, place, f"{column.label}{'*' if is_required else ''}", head)
        sheet.write_string(HEADER + 1, place, _example(column, offer), paper.example)
        sheet.data_validation(HEADER + 1, place, HEADER + ROWS, place, _rule(column, offer, lists))
    sheet.freeze_panes(HEADER + 1, 2)
    print_on_a4(sheet, header_row=HEADER)


def _is_required(column: Column, offer: Offer) -> bool:
    """A roster for several counties needs the county, too."""
    is_for_several = offer.region is not None and offer.region.level != Level.COUNTY
    return column in REQUIRED or (column == Column.COUNTY and is_for_several)


def _example(column: Column, offer: Offer) -> str:
    return offer.counties[0] if column == Column.COUNTY and offer.counties else EXAMPLE[column]


def _choices(column: Column, offer: Offer) -> Sequence[str]:
    return {
        Column.SEX: list(SEXES),
        Column.EDUCATION: EDUCATIONS,
        Column.BACKGROUND: _backgrounds(),
        Column.COUNTY: offer.counties,
        Column.TOWNSHIP: offer.townships,
    }.get(column, ())


def _backgrounds() -> list[str]:
    """The first word for each background that a roster understands, then the rest."""
    words: dict[str, str] = {}
    for word, background in BACKGROUNDS.items():
        words.setdefault(background, word)
    return list({**words, "other": words.get("other", "其他")}.values())


def _rule(column: Column, offer: Offer, lists: Lists) -> dict[str, Any]:
    """What the spreadsheet itself says and refuses. It only warns where a check by its means could be mistaken."""
    guide, choices = GUIDES[column], _choices(column, offer)
    rule: dict[str, Any] = {"input_title": column.label, "input_message": guide.prompt}
    if choices:
        is_open = column in (Column.TOWNSHIP, Column.EDUCATION)
        message = "列表里没有时可以直接输入。" if is_open else "请从下拉列表里选择。"
        kind = "information" if is_open else "stop"
        return {**rule, "validate": "list", "source": lists.source(choices), **_complaint(kind, column, message)}
    if guide.length:
        low, high = guide.length
        return {
            **rule,
            "validate": "length",
            "criteria": "between",
            "minimum": low,
            "maximum": high,
            **_complaint("warning", column, guide.complaint),
        }
    return {**rule, "validate": "any"}


def _complaint(kind: str, column: Column, message: str) -> dict[str, Any]:
    return {"error_type": kind, "error_title": f"请核对{column.label}", "error_message": message}


# --- The sheet of instructions ----------------------------------------------------------------------------------------


def _write_instructions(sheet: Worksheet, paper: Paper, offer: Offer) -> None:
    widths = (18, 46, 26, 46)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    sheet.hide_gridlines(2)
    sheet.set_row(0, 36)
    sheet.merge_range(0, 0, 0, 3, f"{offer.title}　填写说明", paper.title)
    row = _write_lines(sheet, 1, "一、怎么填", steps(_made_for(offer)), paper, sum(widths))
    row = _write_guides(sheet, row, paper, offer, widths)
    _write_lines(sheet, row, "三、保护个人信息", PRIVACY, paper, sum(widths))
    print_on_a4(sheet, pages=1)


def _made_for(offer: Offer) -> str:
    return f"{offer.region.path_name}　{offer.cohort}" if offer.region else ""


def _write_lines(sheet: Worksheet, row: int, title: str, lines: Sequence[str], paper: Paper, width: int) -> int:
    """A title and a line a row over the whole width; returns the next row."""
    sheet.set_row(row, 26)
    sheet.merge_range(row, 0, row, 3, title, paper.section)
    for n, line in enumerate(lines, 1):
        sheet.set_row(row + n, height_of(line, width))
        sheet.merge_range(row + n, 0, row + n, 3, line, paper.sentence)
    return row + len(lines) + 1


def _write_guides(sheet: Worksheet, row: int, paper: Paper, offer: Offer, widths: Sequence[int]) -> int:
    """What each column wants, with an example and the commonest mistakes; returns the next row."""
    sheet.set_row(row, 26)
    sheet.merge_range(row, 0, row, 3, "二、每一列填什么", paper.section)
    for place, heading in enumerate(("列", "怎么填", "例子", "常见错误")):
        sheet.write_string(row + 1, place, heading, paper.head)
    for n, column in enumerate(COLUMNS, row + 2):
        guide: Guide = GUIDES[column]
        name = f"{column.label}{'（必填）' if _is_required(column, offer) else ''}"
        cells = (name, guide.how, _example(column, offer), guide.mistakes)
        sheet.set_row(n, max(height_of(cell, width) for cell, width in zip(cells, widths, strict=True)))
        for place, cell in enumerate(cells):
            sheet.write_string(n, place, cell, paper.cell)
    return row + 2 + len(COLUMNS)
