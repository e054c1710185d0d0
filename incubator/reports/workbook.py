"""The county report as a workbook: a sheet of indicators and a sheet of trainees, ready to print."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from courses.queries import class_hours
from incubator.common.encryption import decrypt
from incubator.common.masking import mask_id_number, mask_phone
from incubator.programmes.choices import ParticipationState
from incubator.regions.models import Region
from incubator.reports.indicators import INDICATORS
from incubator.reports.periods import Period
from incubator.reports.queries import CountyFigures, TraineeLine, county_figures, trainee_lines

A4 = 9
REPORT_EVERY = 500  # rows between two signs of progress


def write_workbook(
    path: Path,
    region: Region | None,
    period: Period,
    *,
    as_of: date,
    language: str,
    progress: Callable[[int], None] = lambda done: None,
) -> CountyFigures:
    """Write the workbook of a region and period to ``path``; the figures on its first sheet are returned.

    Texts are written as texts (a name that begins with ``=`` stays a name), ID numbers and phones masked.
    """
    with override(language):
        figures = county_figures(region, period, as_of=as_of)
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(str(path), options)
        formats = _formats(book)
        _write_indicators(book, formats, region, period, figures)
        _write_trainees(book, formats, region, period, trainee_lines(region, period, as_of=as_of), progress)
        book.close()
    return figures


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


def _formats(book: xlsxwriter.Workbook) -> dict[str, Any]:
    line = {"border": 1, "border_color": "#9CA3AF", "valign": "vcenter"}
    return {
        "title": book.add_format({"bold": True, "font_size": 18, "align": "center", "valign": "vcenter"}),
        "under": book.add_format({"align": "center", "font_color": "#444444"}),
        "note": book.add_format({"font_color": "#555555", "italic": True}),
        "head": book.add_format({**line, "bold": True, "align": "center", "bg_color": "#F2E6D8", "text_wrap": True}),
        "group": book.add_format({**line, "bold": True, "bg_color": "#FAF5EF"}),
        "text": book.add_format({**line, "num_format": "@"}),
        "wrap": book.add_format({**line, "num_format": "@", "text_wrap": True}),
        "count": book.add_format({**line, "num_format": "#,##0"}),
        "hours": book.add_format({**line, "num_format": "#,##0.0"}),
        "day": book.add_format({**line, "num_format": "yyyy-mm-dd", "align": "center"}),
        "total": book.add_format({**line, "bold": True, "num_format": "#,##0", "bg_color": "#FAF5EF"}),
        "total_hours": book.add_format({**line, "bold": True, "num_format": "#,##0.0", "bg_color": "#FAF5EF"}),
        "plain": book.add_format({}),
    }


def _print_setup(sheet: Any, *, last_row: int | None, header_row: int, landscape: bool) -> None:
    sheet.set_paper(A4)
    if landscape:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(0.5, 0.5, 0.6, 0.6)
    sheet.repeat_rows(header_row)
    sheet.set_footer("&C&P / &N")


# --- The sheet of indicators -----------------------------------------------------------------------------------------


def _write_indicators(
    book: Any, formats: dict[str, Any], region: Region | None, period: Period, figures: CountyFigures
) -> None:
    sheet = book.add_worksheet(_("County report"))
    for column, width in enumerate((24, 12, 16, 52)):
        sheet.set_column(column, column, width)
    _write_heading(sheet, formats, 3, _("Happy Village Leaders: county report"), region, period, as_of_line(figures))
    for column, name in enumerate((_("Indicator"), _("Unit"), _("Value"), _("What is counted"))):
        sheet.write_string(4, column, name, formats["head"])
    row, group = 5, None
    for indicator in INDICATORS:
        if indicator.group != group:
            group = indicator.group
            sheet.merge_range(row, 0, row, 3, str(group), formats["group"])
            row += 1
        sheet.write_string(row, 0, str(indicator.name), formats["text"])
        sheet.write_string(row, 1, str(indicator.unit), formats["text"])
        _write_value(sheet, row, 2, indicator.value(figures), formats)
        sheet.write_string(row, 3, str(indicator.counted), formats["wrap"])
        row += 1
    _write_signatures(sheet, row + 1, formats)
    _print_setup(sheet, last_row=row, header_row=4, landscape=True)


def _write_heading(
    sheet: Any, formats: dict[str, Any], last: int, title: str, region: Region | None, period: Period, line: str
) -> None:
    sheet.set_row(0, 32)
    sheet.merge_range(0, 0, 0, last, title, formats["title"])
    sheet.merge_range(1, 0, 1, last, f"{region_name(region)}　{period.label}", formats["under"])
    days = _("From %(start)s to %(end)s") % {
        "start": date_format(period.starts_on, "DATE_FORMAT"),
        "end": date_format(period.ends_on, "DATE_FORMAT"),
    }
    sheet.merge_range(2, 0, 2, last, days, formats["under"])
    sheet.merge_range(3, 0, 3, last, line, formats["note"])


def _write_value(sheet: Any, row: int, column: int, value: int | Decimal | None, formats: dict[str, Any]) -> None:
    """A number as a number; an unknown one as a dash, never 0."""
    if value is None:
        sheet.write_string(row, column, "—", formats["text"])
    else:
        sheet.write_number(row, column, value, formats["hours" if isinstance(value, Decimal) else "count"])


def _write_signatures(sheet: Any, row: int, formats: dict[str, Any]) -> None:
    made = _("Made on %(day)s") % {"day": date_format(timezone.localdate(), "DATE_FORMAT")}
    sheet.write_string(row, 0, _("Reporting office (seal):"), formats["plain"])
    sheet.write_string(row, 2, _("Prepared by:"), formats["plain"])
    sheet.write_string(row, 3, made, formats["plain"])


# --- The sheet of trainees -------------------------------------------------------------------------------------------


def _headings() -> list[tuple[str, int]]:
    return [
        (_("No."), 6),
        (_("Trainee number"), 15),
        (_("Name"), 14),
        (_("ID number"), 21),
        (_("Phone"), 14),
        (_("County"), 22),
        (_("Township"), 12),
        (_("State"), 10),
        (_("Days"), 7),
        (_("Class hours"), 9),
        (_("Graduated on"), 12),
        (_("Account"), 16),
        (_("Followers before"), 12),
        (_("Followers"), 12),
        (_("Growth"), 12),
        (_("Read on"), 12),
        (_("Impressions"), 13),
        (_("Certificate"), 16),
    ]


def _write_trainees(
    book: Any,
    formats: dict[str, Any],
    region: Region | None,
    period: Period,
    lines: Iterable[TraineeLine],
    progress: Callable[[int], None],
) -> None:
    sheet = book.add_worksheet(_("Trainees"))
    headings = _headings()
    for column, (_name, width) in enumerate(headings):
        sheet.set_column(column, column, width)
    note = _("Hours, growth and impressions are of the period; personal numbers are masked.")
    _write_heading(sheet, formats, len(headings) - 1, _("Trainees, one by one"), region, period, note)
    for column, (name, _width) in enumerate(headings):
        sheet.write_string(4, column, name, formats["head"])
    sheet.freeze_panes(5, 3)
    totals, row = Totals(), 5
    for line in lines:
        totals.add(line)
        _write_line(sheet, row, row - 4, line, formats)
        row += 1
        if (row - 5) % REPORT_EVERY == 0:
            progress(row - 5)
    _write_totals(sheet, row, totals, formats, len(headings))
    _print_setup(sheet, last_row=row, header_row=4, landscape=True)
    progress(row - 5)


def _write_line(sheet: Any, row: int, n: int, line: TraineeLine, formats: dict[str, Any]) -> None:
    sheet.write_number(row, 0, n, formats["count"])
    texts = [
        line.number,
        line.name,
        mask_id_number(_plain(line.id_number, "id_number")),
        mask_phone(_plain(line.phone, "phone")),
        line.county,
        line.township,
        str(ParticipationState(line.state).label),
    ]
    for column, text in enumerate(texts, 1):
        sheet.write_string(row, column, text, formats["text"])
    sheet.write_number(row, 8, line.days, formats["count"])
    sheet.write_number(row, 9, class_hours(line.minutes), formats["hours"])
    _write_day(sheet, row, 10, line.graduated_on, formats)
    sheet.write_string(row, 11, line.handle or "", formats["text"])
    for column, value in ((12, line.first_followers), (13, line.last_followers), (14, line.growth)):
        _write_value(sheet, row, column, value if value is None else int(value), formats)
    _write_day(sheet, row, 15, line.read_on, formats)
    sheet.write_number(row, 16, line.impressions, formats["count"])
    sheet.write_string(row, 17, line.award or "", formats["text"])


def _write_day(sheet: Any, row: int, column: int, day: date | None, formats: dict[str, Any]) -> None:
    if day is None:
        sheet.write_string(row, column, "", formats["text"])
    else:
        sheet.write_datetime(row, column, day, formats["day"])


def _plain(stored: bytes | None, column: str) -> str:
    return decrypt(stored, context=f"trainees_trainee.{column}") if stored else ""


class Totals:
    """Sums of the last row, of what is known."""

    def __init__(self) -> None:
        self.people = self.minutes = self.graduates = self.first = self.last = 0
        self.growth = self.impressions = self.awards = 0

    def add(self, line: TraineeLine) -> None:
        self.people += 1
        self.minutes += line.minutes
        self.graduates += line.graduated_on is not None
        self.first += int(line.first_followers or 0)
        self.last += int(line.last_followers or 0)
        self.growth += line.growth or 0
        self.impressions += int(line.impressions)
        self.awards += line.award is not None


def _write_totals(sheet: Any, row: int, totals: Totals, formats: dict[str, Any], width: int) -> None:
    """The last row, 合计: real numbers, so that any program shows them."""
    for column in range(width):
        sheet.write_string(row, column, "", formats["total"])
    sheet.write_string(row, 1, _("Total"), formats["total"])
    sheet.write_number(row, 2, totals.people, formats["total"])
    sheet.write_number(row, 9, class_hours(totals.minutes), formats["total_hours"])
    for column, value in (
        (10, totals.graduates),
        (12, totals.first),
        (13, totals.last),
        (14, totals.growth),
        (16, totals.impressions),
        (17, totals.awards),
    ):
        sheet.write_number(row, column, value, formats["total"])
