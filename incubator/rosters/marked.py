"""The workbook again, with what was found in it beside the rows: to be corrected where it is and uploaded once more.

It is written anew from what the reading process tells, never the uploaded file with something put into it: opening that
in this process would give a stranger's archive and XML the run of it, and would need all of it in memory. So it has the
sheet's values in their places, widths, title and header, but no colours, pictures or formulas of the county's.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from pathlib import Path

import xlsxwriter
from django.db.models import Count, Min
from django.utils import timezone
from xlsxwriter.worksheet import Worksheet

from incubator.common.workbooks import Row, Sheet, Table, Workbook
from incubator.common.workbooks.reading import Merged
from incubator.imports.services import read_rows
from incubator.rosters.choices import FINDINGS, PROBLEM, REMEDY
from incubator.rosters.identity import write_identity
from incubator.rosters.models import RosterFinding, RosterImport
from incubator.rosters.paper import Paper, height_of, print_on_a4, width_of
from incubator.rosters.reading import people_table

SUMMARY = "检查结果"
WIDTHS = {PROBLEM: 34, REMEDY: 52}  # of the two columns, in characters
NARROW, WIDE = 8, 40  # the least and the most of any other
MOST_COMMENTS = 2000  # a spreadsheet program draws each of them
MOST_KINDS = 40  # of findings on the first sheet
SAY_EVERY = 500  # rows between two signs of progress
LONGEST_TEXT = 32_767  # characters of a cell, by Excel's own limit
FIRST_YEAR = 1900  # of days that a spreadsheet knows

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things stand in the sheet: places counted from 0, numbers of rows from 1 as a spreadsheet shows them."""

    height: int
    places: Mapping[str, int]  # of columns by what the sheet calls them
    above: range
    header: range
    findings: int
    own: frozenset[int]  # the two columns of an earlier copy
    merged: Mapping[int, list[Merged]]  # within one row, by its number
    seen: Sequence[Row]

    def widths(self) -> dict[int, int]:
        """Of the columns by place, as the first rows need them."""
        found: dict[int, int] = {}
        for row in self.seen:
            for place, cell in enumerate(row.cells) if row.number not in self.above else ():
                found[place] = max(found.get(place, NARROW), min(width_of(cell.text) + 3, WIDE))
        return {place: width for place, width in found.items() if place not in self.own}


def file_name(roster: RosterImport) -> str:
    """``检查结果-积石山县-12.xlsx``: nothing of what the county called its file, which may name a person."""
    return f"{SUMMARY}-{roster.region.name}-{roster.pk}.xlsx"


def write_marked(path: Path, roster: RosterImport, *, progress: Progress = lambda done, total: None) -> int:
    """Write the marked copy of a checked roster to ``path``; how many rows of the sheet it has is returned.

    Rows keep their numbers, texts are texts. ``progress`` hears how many of how many rows are written.
    """
    workbook = WatchedWorkbook(read_rows(roster))
    table = people_table(workbook, roster)
    sheet = next(sheet for sheet in workbook.sheets if sheet.name == table.outline.sheet)
    plan = _plan(sheet, table, list(workbook.passed))
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": path.parent}
    with xlsxwriter.Workbook(str(path), options) as book:
        paper = Paper(book)
        name = _sheet_name(sheet.name)
        _write_summary(book.add_worksheet(SUMMARY), paper, roster, name)
        writer = RowWriter(book.add_worksheet(name), paper, plan, table)
        count = _write_rows(writer, _findings(roster), _all_rows(workbook, table), progress)
        write_identity(book, roster.cohort, roster.region, sheet=name)
    return count


def _sheet_name(name: str) -> str:
    """What the sheet is called, as far as a workbook allows it and its other sheets leave it free."""
    name = re.sub(r"[\[\]:*?/\\]", "-", name).strip("'")[:31] or "报名表"
    return "报名表" if name.lower() in (SUMMARY, "incubator", "history") else name


class WatchedWorkbook(Workbook):
    """A workbook that remembers the rows that pass: also those that a table passes over."""

    def __init__(self, workbook: Workbook) -> None:
        self.sheets, self.identity = workbook.sheets, workbook.identity
        self.passed: deque[Row] = deque()
        self._workbook = workbook

    def rows(self, sheet: str) -> Iterator[Row]:
        for row in self._workbook.rows(sheet):
            self.passed.append(row)
            yield row

    def close(self) -> None:
        self._workbook.close()


def _all_rows(workbook: WatchedWorkbook, table: Table) -> Iterator[Row]:
    """Every row of the sheet, when the table has been over it: what stands once for several rows is filled in."""
    for person in table.rows:
        while workbook.passed and workbook.passed[0].number <= person.number:
            yield workbook.passed.popleft()
    yield from workbook.passed


def _plan(sheet: Sheet, table: Table, seen: list[Row]) -> Plan:
    """Where things stand, of a table none of whose rows was taken yet."""
    first = next(row.number for row in seen if row not in table.above)
    header = range(first, table.outline.header_row + 1)
    width = max(sheet.width, *(len(row.values) for row in seen))
    own = next((places for row in seen if row.number in header and (places := _own_columns(row))), frozenset())
    merged: dict[int, list[Merged]] = {}
    for one in sheet.merged or ():
        if one.first_row == one.last_row:
            merged.setdefault(one.first_row, []).append(one)
    return Plan(
        height=sheet.height,
        places={table.header(column): place for column, place in table.columns.items()},
        above=range(1, first),
        header=header,
        findings=min(own, default=width),
        own=own,
        merged=merged,
        seen=seen,
    )


def _own_columns(header: Row) -> frozenset[int]:
    """The places of the two columns that an earlier copy added, none where the sheet is none."""
    texts = [cell.text for cell in header.cells]
    place = next((n for n, pair in enumerate(pairwise(texts)) if pair == FINDINGS), None)
    return frozenset() if place is None else frozenset((place, place + 1))


# --- The rows ---------------------------------------------------------------------------------------------------------


def _write_rows(
    writer: "RowWriter", found: Iterator[tuple[int, list[RosterFinding]]], rows: Iterator[Row], progress: Progress
) -> int:
    """All rows with what was found in them, both by number; returns how many rows."""
    count, height = 0, writer.plan.height
    number, findings = next(found, (0, []))
    for count, row in enumerate(rows, 1):
        while number and number < row.number:
            number, findings = next(found, (0, []))
        writer.write(row, findings if number == row.number else [])
        if count % SAY_EVERY == 0:
            progress(min(count, height), height)
    writer.finish()
    progress(height, height)  # closing the book takes a while, too
    return count


def _findings(roster: RosterImport) -> Iterator[tuple[int, list[RosterFinding]]]:
    """What was found, by number of row, rows in their order."""
    found = roster.findings.order_by("row", "-is_error", "pk").iterator(chunk_size=2000)
    for number, some in groupby(found, key=lambda finding: finding.row):
        yield number, list(some)


class RowWriter:
    """Writes the sheet row by row, each once and in order."""

    def __init__(self, sheet: Worksheet, paper: Paper, plan: Plan, table: Table) -> None:
        self.plan = plan
        self._sheet = sheet
        self._paper = paper
        self._skipped = table.reasons
        self._texts = frozenset(table.columns.values())
        self._comments = 0
        self._last = plan.header[-1]
        sheet.set_default_row(19)
        for place, width in plan.widths().items():
            sheet.set_column(place, place, width, paper.text)
        for place, name in enumerate(FINDINGS, plan.findings):
            sheet.set_column(place, place, WIDTHS[name])

    def write(self, row: Row, findings: Sequence[RosterFinding]) -> None:
        self._last = row.number
        if row.number in self.plan.above:
            self._write_above(row)
        elif row.number in self.plan.header:
            self._write_header(row)
        else:
            self._write_person(row, findings)

    def finish(self) -> None:
        """What belongs to the sheet as a whole."""
        header = self.plan.header[-1]
        self._sheet.freeze_panes(header, 0)
        self._sheet.autofilter(header - 1, 0, self._last - 1, self.plan.findings + 1)
        print_on_a4(self._sheet, header_row=header - 1)

    def _write_above(self, row: Row) -> None:
        """A title over the whole width; other lines as they are."""
        filled = [(n, cell.text) for n, cell in enumerate(row.cells) if cell.text]
        line, width = row.number - 1, self.plan.findings
        if len(filled) == 1 and row.number == self.plan.seen[0].number and width > 1:
            self._sheet.set_row(line, 30)
            self._sheet.merge_range(line, 0, line, width - 1, filled[0][1], self._paper.title)
            return
        for place, text in filled:
            self._sheet.write_string(line, place, text, self._paper.plain)

    def _write_header(self, row: Row) -> None:
        line = row.number - 1
        self._sheet.set_row(line, 32)
        for place in range(self.plan.findings):
            self._sheet.write_string(line, place, row.cell(place).text[:LONGEST_TEXT], self._paper.head)
        for place in range(self.plan.findings, len(row.values)):
            if place not in self.plan.own:
                self._sheet.write_string(line, place, row.cell(place).text[:LONGEST_TEXT], self._paper.head)
        is_first = row.number == self.plan.header[0]  # read again, a lower line would part what stands above it
        for place, text in enumerate(FINDINGS, self.plan.findings):
            self._sheet.write_string(line, place, text if is_first else "", self._paper.finding_head)

    def _write_person(self, row: Row, findings: Sequence[RosterFinding]) -> None:
        line = row.number - 1
        marked = self._marked(findings)
        said = [("\n".join(some)) for some in zip(*told(findings), strict=True)] if findings else []
        if said:
            texts = zip(said, WIDTHS.values(), strict=True)
            self._sheet.set_row(line, max(height_of(text, width) for text, width in texts))
        for place in range(max(len(row.values), *(place + 1 for place in marked), 0)):
            if place not in self.plan.own:
                self._write_cell(line, place, row, marked.get(place, ()))
        if row.number in self._skipped:
            self._merge(row)
        for place, text in enumerate(said, self.plan.findings):
            self._sheet.write_string(line, place, text[:LONGEST_TEXT], self._paper.finding)

    def _merge(self, row: Row) -> None:
        """What a heading or a note is merged over tells it from a person, also when the copy is read again."""
        for one in self.plan.merged.get(row.number, ()):
            last = min(one.last_column, self.plan.findings - 1)
            if last > one.first_column:
                text = row.cell(one.first_column).text[:LONGEST_TEXT]
                self._sheet.merge_range(row.number - 1, one.first_column, row.number - 1, last, text, self._paper.value)

    def _marked(self, findings: Iterable[RosterFinding]) -> dict[int, list[RosterFinding]]:
        """The findings by the place of their cell; none for a column that the sheet does not have."""
        marked: dict[int, list[RosterFinding]] = {}
        for finding in findings:
            if (place := self.plan.places.get(finding.column)) is not None:
                marked.setdefault(place, []).append(finding)
        return marked

    def _write_cell(self, line: int, place: int, row: Row, findings: Sequence[RosterFinding]) -> None:
        cell = row.cell(place)
        if findings:
            style = self._paper.wrong if any(f.is_error for f in findings) else self._paper.doubtful
            self._sheet.write_string(line, place, cell.text[:LONGEST_TEXT], style)
            self._comment(line, place, "\n".join(finding.sentence for finding in findings))
        elif cell.is_date and (day := date.fromisoformat(cell.text)).year >= FIRST_YEAR:
            self._sheet.write_datetime(line, place, day, self._paper.day)  # type: ignore[arg-type]
        elif cell.is_number and place not in self._texts:
            self._sheet.write_number(line, place, row.values[place], self._paper.number)
        elif isinstance(value := row.values[place] if place < len(row.values) else "", str) and value:
            self._sheet.write_string(line, place, value[:LONGEST_TEXT], self._paper.value)
        elif cell.text:
            self._sheet.write_string(line, place, cell.text, self._paper.value)
        else:
            self._sheet.write_blank(line, place, None, self._paper.value)

    def _comment(self, line: int, place: int, text: str) -> None:
        if self._comments < MOST_COMMENTS:
            self._comments += 1
            height = 20 + height_of(text, 34)
            self._sheet.write_comment(line, place, text, {"width": 260, "height": height, "font_size": 10})


def told(findings: Sequence[RosterFinding]) -> list[tuple[str, str]]:
    """What is wrong, and what to do, a line each; the lines of the two belong to each other."""
    many = len(findings) > 1
    lines = []
    for n, finding in enumerate(findings, 1):
        problem, remedy = split(finding.sentence)
        mark = f"{n}. " if many else ""
        kind = "" if finding.is_error else "（提醒）"
        what = "：".join(part for part in (finding.column, problem or _shown(finding.value)) if part)
        lines.append((f"{mark}{kind}{what}", f"{mark}{remedy}"))
    return lines


def _shown(value: str) -> str:
    return f"“{value}”" if value else ""


def split(sentence: str) -> tuple[str, str]:
    """``This is empty. Fill it in.`` → what is wrong, and what to do. A single sentence is the latter."""
    found = re.match(r"(.+?(?:。|\.(?=\s)))\s*(.+)", sentence, re.DOTALL)
    return (found[1].rstrip("。."), found[2]) if found else ("", sentence)


# --- The first sheet --------------------------------------------------------------------------------------------------


def _write_summary(sheet: Worksheet, paper: Paper, roster: RosterImport, name: str) -> None:
    """How it stands, what to do now, and what was found how often."""
    for place, width in enumerate((18, 12, 10, 12, 70)):
        sheet.set_column(place, place, width)
    sheet.hide_gridlines(2)
    sheet.set_row(0, 36)
    sheet.merge_range(0, 0, 0, 4, SUMMARY, paper.title)
    row = 1
    for label, text in _facts(roster):
        sheet.set_row(row, 20)
        sheet.write_string(row, 0, label, paper.cell)
        sheet.merge_range(row, 1, row, 4, text, paper.cell)
        row += 1
    sheet.set_row(row, 26)
    sheet.merge_range(row, 0, row, 4, "现在怎么做", paper.section)
    steps = _steps(name)
    for place, line in enumerate(steps, row + 1):
        sheet.set_row(place, height_of(line, 116))
        sheet.merge_range(place, 0, place, 4, line, paper.sentence)
    _write_kinds(sheet, paper, roster, row + 1 + len(steps))
    print_on_a4(sheet)


def _facts(roster: RosterImport) -> list[tuple[str, str]]:
    wrong = f"{roster.wrong_count} 行要改" if roster.wrong_count else "没有要改的行"
    others = f"新学员 {roster.new_count} 人，已在库 {roster.matched_count} 人，跳过 {roster.skipped_count} 行"
    return [
        ("项目期次", str(roster.cohort)),
        ("地区", roster.region.path_name),
        ("检查时间", f"{timezone.localtime():%Y年%m月%d日 %H:%M}"),
        ("结果", f"{wrong}；{others}"),
    ]


def _steps(name: str) -> list[str]:
    return [
        f"1. 打开“{name}”工作表。最右边两列写着每一行的“{PROBLEM}”和“{REMEDY}”。"
        f"点“{PROBLEM}”右边的箭头，去掉“空白”，就只看有问题的行。",
        "2. 直接改红色的格子；黄色的是提醒，请核对。鼠标放在格子上可以看到说明。",
        "3. 改好后保存，在原来那次导入的页面上点“上传改好的表格”。最右边两列和本页不用删，系统会自动跳过。新表"
        "检查完成后，原来那次导入自动作废。",
        "4. 本表含有身份证号和手机号，请只保存在单位电脑上，用完删除。",
    ]


def _write_kinds(sheet: Worksheet, paper: Paper, roster: RosterImport, row: int) -> None:
    """The findings by column and sentence, the commonest first."""
    kinds = roster.findings.values("column", "is_error", "sentence").annotate(times=Count("pk"), first=Min("row"))
    found = list(kinds.order_by("-is_error", "-times", "first")[: MOST_KINDS + 1])
    if not found:
        return
    sheet.set_row(row, 26)
    sheet.merge_range(row, 0, row, 4, "有哪些问题", paper.section)
    for place, heading in enumerate(("列", "类别", "次数", "首见于行", "问题和改法")):
        sheet.write_string(row + 1, place, heading, paper.head)
    for line, kind in enumerate(found[:MOST_KINDS], row + 2):
        sheet.set_row(line, height_of(kind["sentence"], 70))
        cells = (kind["column"], "要改" if kind["is_error"] else "提醒", str(kind["times"]), str(kind["first"]))
        for place, text in enumerate((*cells, kind["sentence"])):
            sheet.write_string(line, place, text, paper.cell)
    if len(found) > MOST_KINDS:
        sheet.write_string(row + 2 + MOST_KINDS, 0, "其余问题请看下一张工作表。", paper.plain)
