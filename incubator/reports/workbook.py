"""The county report as a file: a workbook with a sheet of indicators and one of trainees, ready to print, or a CSV."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from incubator.common.csv_files import csv_cell
from incubator.common.errors import RuleBroken
from incubator.regions.models import Region
from incubator.reports.columns import COUNT, DAY, HOURS, TEXT, Cell, Column, Totals, columns_of
from incubator.reports.indicators import INDICATORS
from incubator.reports.periods import Period
from incubator.reports.queries import (
    CountyFigures,
    CoverageLine,
    TraineeLine,
    county_figures,
    coverage_lines,
    one_moment,
    trainee_lines,
)

A4 = 9
ROW_HEIGHT = 21  # points
SAY_EVERY = 500  # rows between two signs of progress
MOST_PEOPLE = 1_000_000  # a sheet ends at row 1,048,576, and a row beyond it would be lost without a word

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a file is made of: the figures and the lines of one region and period, read at one moment."""

    region: Region | None
    period: Period
    figures: CountyFigures
    coverage: list[CoverageLine]
    columns: list[Column]
    lines: Iterator[TraineeLine]


def read_report(region: Region | None, period: Period, *, as_of: date) -> Report:
    """Read what a report shows. Raises ``RuleBroken`` for more people than a sheet holds."""
    with one_moment():
        figures = county_figures(region, period, as_of=as_of)
        if figures.trainees > MOST_PEOPLE:
            raise RuleBroken(_("These are more people than one sheet holds. Choose a smaller region."))
        coverage = coverage_lines(region, period, as_of=as_of)
        return Report(region, period, figures, coverage, columns_of(region), trainee_lines(region, period, as_of=as_of))


def write_workbook(
    path: Path,
    region: Region | None,
    period: Period,
    *,
    as_of: date,
    language: str,
    progress: Progress = lambda done, total: None,
) -> CountyFigures:
    """Write the workbook of a region and period to ``path``; the figures on its first sheet are returned.

    Texts are written as texts (a name that begins with ``=`` stays a name), ID numbers and phones masked. ``progress``
    hears how many of how many people are written. Raises ``RuleBroken`` for more people than a sheet holds.
    """
    with override(language):
        report = read_report(region, period, as_of=as_of)
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(str(path), options) as book:
            formats = _formats(book)
            _write_indicators(book, formats, report)
            _write_trainees(book, formats, report, progress)
    return report.figures


def write_csv(path: Path, region: Region | None, period: Period, *, as_of: date, language: str) -> CountyFigures:
    """The same as a CSV, one sheet below the other: UTF-8 with a mark that spreadsheets know.

    A text that a spreadsheet could take for a formula gets an apostrophe in front of it.
    """
    with override(language), path.open("w", encoding="utf-8-sig", newline="") as file:
        report = read_report(region, period, as_of=as_of)
        out = csv.writer(file)
        for row in _csv_rows(report):
            out.writerow([csv_cell(cell) for cell in row])
    return report.figures


def _csv_rows(report: Report) -> Iterator[list[Cell]]:
    yield [_("Happy Village Leaders: county report")]
    yield [region_name(report.region), report.period.label]
    yield [as_of_line(report.figures)]
    yield [_("Indicator"), _("Unit"), _("Value"), _("What is counted")]
    for indicator in INDICATORS:
        yield [str(indicator.name), str(indicator.unit), indicator.value(report.figures), str(indicator.counted)]
    for part in report.coverage:
        yield [part.label, "%", part.percent, coverage_sentence(part)]
    yield []
    yield [_("No."), *(str(column.name) for column in report.columns)]
    totals = Totals(report.columns)
    for n, line in enumerate(report.lines, 1):
        totals.add(line)
        yield [n, *(column.cell(line) for column in report.columns)]
    yield [_("Total"), *totals.cells()]


def region_name(region: Region | None) -> str:
    return region.path_name if region else _("The whole country")


def as_of_line(figures: CountyFigures) -> str:
    """When the figures stand for, and how much of the followers they cover."""
    if figures.as_of is None:
        return _("No follower reading in this period yet.")
    return _(
        "Followers as of %(day)s; %(fresh)s of %(connected)s connected accounts read in the last 7 days (%(share)s%%)."
    ) % {
        "day": date_format(figures.as_of, "DATE_FORMAT"),
        "fresh": figures.fresh,
        "connected": figures.connected,
        "share": "—" if figures.coverage is None else figures.coverage,
    }


def coverage_sentence(line: CoverageLine) -> str:
    """What stands behind a share of coverage."""
    if line.oldest is None or line.newest is None:
        return _("%(connected)s connected accounts, none read yet") % {"connected": line.connected}
    return _(
        "%(fresh)s of %(connected)s connected accounts read in the last 7 days, %(never)s never; newest reading "
        "%(newest)s, oldest %(oldest)s"
    ) % {
        "fresh": line.fresh,
        "connected": line.connected,
        "never": line.never,
        "newest": date_format(line.newest, "DATE_FORMAT"),
        "oldest": date_format(line.oldest, "DATE_FORMAT"),
    }


def _formats(book: xlsxwriter.Workbook) -> dict[str, Any]:
    line: dict[str, Any] = {"border": 1, "border_color": "#9CA3AF", "valign": "vcenter"}
    kinds: dict[str, dict[str, Any]] = {
        TEXT: {"num_format": "@", "indent": 1, "shrink": True},  # wrapped text is cut where a program keeps row heights
        COUNT: {"num_format": "#,##0", "align": "right"},
        HOURS: {"num_format": "#,##0.0", "align": "right"},
        DAY: {"num_format": "yyyy-mm-dd", "align": "center"},
    }
    last: dict[str, Any] = {"bold": True, "bg_color": "#FAF5EF"}
    return {
        "title": book.add_format({"bold": True, "font_size": 18, "align": "center", "valign": "vcenter"}),
        "under": book.add_format({"align": "center", "valign": "vcenter", "font_color": "#444444"}),
        "note": book.add_format({"font_color": "#555555", "italic": True, "valign": "vcenter"}),
        "head": book.add_format({**line, "bold": True, "align": "center", "bg_color": "#F2E6D8", "text_wrap": True}),
        "group": book.add_format({**line, **last}),
        "sentence": book.add_format({**line, "num_format": "@", "indent": 1, "text_wrap": True}),
        "plain": book.add_format({}),
        "right": book.add_format({"align": "right"}),
        **{kind: book.add_format({**line, **style}) for kind, style in kinds.items()},
        **{f"total {kind}": book.add_format({**line, **style, **last}) for kind, style in kinds.items()},
    }


def _write_cell(sheet: Any, row: int, column: int, cell: Cell, style: Any) -> None:
    """A number as a number, a day as a day, a text as a text; what is unknown as a dash, never 0."""
    if cell is None:
        sheet.write_string(row, column, "—", style)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell, style)
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, style)
    else:
        sheet.write_number(row, column, cell, style)


def _write_heading(sheet: Any, formats: dict[str, Any], last: int, title: str, report: Report, line: str) -> None:
    period = report.period
    sheet.set_row(0, 32)
    sheet.merge_range(0, 0, 0, last, title, formats["title"])
    sheet.merge_range(1, 0, 1, last, f"{region_name(report.region)}　{period.label}", formats["under"])
    days = _("From %(start)s to %(end)s") % {
        "start": date_format(period.starts_on, "DATE_FORMAT"),
        "end": date_format(period.ends_on, "DATE_FORMAT"),
    }
    sheet.merge_range(2, 0, 2, last, days, formats["under"])
    sheet.merge_range(3, 0, 3, last, line, formats["note"])


def _print_setup(sheet: Any, *, header_row: int, landscape: bool) -> None:
    sheet.set_paper(A4)
    if landscape:
        sheet.set_landscape()
    sheet.center_horizontally()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(0.5, 0.5, 0.6, 0.6)
    sheet.repeat_rows(header_row)
    sheet.set_footer("&C&P / &N")


# --- The sheet of indicators -----------------------------------------------------------------------------------------


def _write_indicators(book: Any, formats: dict[str, Any], report: Report) -> None:
    sheet = book.add_worksheet(_("County report"))
    sheet.set_default_row(ROW_HEIGHT)
    for column, width in enumerate((26, 14, 16, 54)):
        sheet.set_column(column, column, width)
    _write_heading(sheet, formats, 3, _("Happy Village Leaders: county report"), report, as_of_line(report.figures))
    for column, name in enumerate((_("Indicator"), _("Unit"), _("Value"), _("What is counted"))):
        sheet.write_string(4, column, name, formats["head"])
    row, group = 5, None
    for indicator in INDICATORS:
        if indicator.group != group:
            group = indicator.group
            sheet.merge_range(row, 0, row, 3, str(group), formats["group"])
            row += 1
        value = indicator.value(report.figures)
        _write_cell(sheet, row, 0, str(indicator.name), formats[TEXT])
        _write_cell(sheet, row, 1, str(indicator.unit), formats[TEXT])
        _write_cell(sheet, row, 2, value, formats[HOURS if isinstance(value, Decimal) else COUNT])
        _write_cell(sheet, row, 3, str(indicator.counted), formats[TEXT])
        row += 1
    row = _write_coverage(sheet, row, formats, report.coverage)
    _write_signatures(sheet, row + 1, formats)
    _print_setup(sheet, header_row=4, landscape=False)


def _write_coverage(sheet: Any, row: int, formats: dict[str, Any], lines: list[CoverageLine]) -> int:
    """The shares read lately, in the columns of the indicators; returns the next row."""
    if lines:
        sheet.merge_range(row, 0, row, 3, _("Coverage of follower readings"), formats["group"])
        row += 1
    for line in lines:
        sheet.set_row(row, 2 * ROW_HEIGHT)  # the sentence takes two lines
        _write_cell(sheet, row, 0, line.label, formats[TEXT])
        _write_cell(sheet, row, 1, "%", formats[TEXT])
        _write_cell(sheet, row, 2, line.percent, formats[COUNT])
        _write_cell(sheet, row, 3, coverage_sentence(line), formats["sentence"])
        row += 1
    return row


def _write_signatures(sheet: Any, row: int, formats: dict[str, Any]) -> None:
    made = _("Made on %(day)s") % {"day": date_format(timezone.localdate(), "DATE_FORMAT")}
    sheet.write_string(row, 0, _("Reporting office (seal):"), formats["plain"])
    sheet.write_string(row, 2, _("Prepared by:"), formats["plain"])
    sheet.write_string(row, 3, made, formats["right"])


# --- The sheet of trainees -------------------------------------------------------------------------------------------


def _write_trainees(book: Any, formats: dict[str, Any], report: Report, progress: Progress) -> None:
    sheet = book.add_worksheet(_("Trainees"))
    sheet.set_default_row(ROW_HEIGHT)
    sheet.set_column(0, 0, 6)
    for place, column in enumerate(report.columns, 1):
        sheet.set_column(place, place, column.width)
    note = _("Hours, growth and impressions are of the period; personal numbers are masked.")
    _write_heading(sheet, formats, len(report.columns), _("Trainees, one by one"), report, note)
    sheet.set_row(4, 32)
    for place, name in enumerate((_("No."), *(column.name for column in report.columns))):
        sheet.write_string(4, place, str(name), formats["head"])
    sheet.freeze_panes(5, 3)
    totals = _write_lines(sheet, formats, report, progress)
    row = 5 + report.figures.trainees
    _write_cell(sheet, row, 0, _("Total"), formats["total text"])
    for place, (column, cell) in enumerate(zip(report.columns, totals.cells(), strict=True), 1):
        kind = COUNT if isinstance(cell, int) else column.kind
        _write_cell(sheet, row, place, cell, formats[f"total {kind}"])
    _print_setup(sheet, header_row=4, landscape=True)


def _write_lines(sheet: Any, formats: dict[str, Any], report: Report, progress: Progress) -> Totals:
    totals, people = Totals(report.columns), report.figures.trainees
    progress(0, people)
    for n, line in enumerate(report.lines, 1):
        totals.add(line)
        sheet.write_number(4 + n, 0, n, formats[COUNT])
        for place, column in enumerate(report.columns, 1):
            cell = column.cell(line)
            missing_day = cell is None and column.kind == DAY
            _write_cell(sheet, 4 + n, place, "" if missing_day else cell, formats[column.kind])
        if n % SAY_EVERY == 0 or n == people:
            progress(n, people)
    return totals
