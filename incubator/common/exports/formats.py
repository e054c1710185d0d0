"""The two formats of a list's file. What a text cell holds comes out of both as it went in, and is never computed.

- XLSX: every text is a text cell with format ``@``: a spreadsheet computes none, also not when the cell is opened and
  closed again. See ``ExactWorksheet`` for what XML cannot hold as it is.
- CSV: texts in quotes, numbers and days without, UTF-8 with the mark. It has no types: whoever opens it in a
  spreadsheet must say that quoted fields are texts. It is for programs, and called so.

Both are formats of django-import-export; they write rows as they come, so that memory does not grow with their number.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import IO, Any

import xlsxwriter
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from import_export.formats.base_formats import Format
from xlsxwriter.worksheet import Worksheet

from incubator.common.csv_files import MARK
from incubator.common.errors import RuleBroken

MOST_ROWS = 1_048_575  # of an XLSX sheet, below its header
LONGEST_TEXT = 32_767  # of an XLSX cell, in UTF-16 units; XlsxWriter leaves a longer one out without a word
EXACT_DIGITS = 15  # a spreadsheet's numbers are doubles: longer ones would be rounded
FIRST_DAY = date(1900, 3, 1)  # the calendar of spreadsheets has a 29 February 1900
ROWS_MEASURED = 200  # the first rows, whose texts make the widths of the columns
NARROWEST, WIDEST = 8, 48

Cells = Sequence[Any]
Notes = Callable[[], Iterable[tuple[str, str]]]


class ListFormat(Format):
    """A way to write a list. ``key`` names it in arguments of jobs."""

    key = ""
    title: Any = ""

    def get_title(self) -> Any:
        return self.title

    def get_extension(self) -> str:
        return self.key

    def can_export(self) -> bool:
        return True

    def write(
        self,
        file: IO[bytes],
        headers: Sequence[str],
        rows: Iterable[Cells],
        *,
        name: str,
        notes: Notes,
        folder: str = "",
    ) -> None:
        """Write ``rows`` (texts, numbers, days, times, None) below ``headers``; ``notes`` are asked for afterwards.

        ``folder`` is where passing files may lie. Raises ``RuleBroken`` for what the format cannot hold.
        """
        raise NotImplementedError

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        """As django-import-export calls it: a whole dataset at once."""
        file = io.BytesIO()
        self.write(file, dataset.headers or [], iter(dataset), name=dataset.title or "", notes=list)
        return file.getvalue()


class CsvFormat(ListFormat):
    key = "csv"
    title = _("CSV, for other programs")
    CONTENT_TYPE = "text/csv; charset=utf-8"

    def get_content_type(self) -> str:
        return self.CONTENT_TYPE

    def write(
        self,
        file: IO[bytes],
        headers: Sequence[str],
        rows: Iterable[Cells],
        *,
        name: str,
        notes: Notes,
        folder: str = "",
    ) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        text.write(MARK)
        writer = csv.writer(text, quoting=csv.QUOTE_STRINGS)
        writer.writerow(headers)
        for row in rows:
            writer.writerow([""] if list(row) == [None] else row)  # a line of nothing would be no line
        text.flush()
        text.detach()


class XlsxFormat(ListFormat):
    key = "xlsx"
    title = _("XLSX, for Excel, WPS and LibreOffice")
    CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def get_content_type(self) -> str:
        return self.CONTENT_TYPE

    def write(
        self,
        file: IO[bytes],
        headers: Sequence[str],
        rows: Iterable[Cells],
        *,
        name: str,
        notes: Notes,
        folder: str = "",
    ) -> None:
        """Two sheets: the rows below a header that stays in sight and filters, and the notes."""
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": folder or None,
        }
        with xlsxwriter.Workbook(file, options) as book:
            sheet = _Sheet(book, sheet_name(name), headers)
            for row in rows:
                sheet.add(row)
            sheet.finish()
            _write_notes(book, notes())


class _Sheet:
    """The sheet of rows, written from top to bottom."""

    def __init__(self, book: xlsxwriter.Workbook, name: str, headers: Sequence[str]) -> None:
        self._sheet = book.add_worksheet(name, worksheet_class=ExactWorksheet)
        self._headers = headers
        self._text = book.add_format({"num_format": "@", "valign": "top"})
        self._whole = book.add_format({"num_format": "0_ ", "valign": "top"})  # a little off the text beside it
        self._day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left", "valign": "top"})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left", "valign": "top"})
        self._widths = [_width(header) + 3 for header in headers]  # the filter's arrow stands beside the header
        self._row = 0
        head = book.add_format({"num_format": "@", "bold": True, "bg_color": "#DCEFE6", "bottom": 1})
        for column, header in enumerate(headers):
            self._sheet.write_string(0, column, header, head)

    def add(self, row: Cells) -> None:
        self._row += 1
        if self._row > MOST_ROWS:
            sentence = gettext("A sheet holds %(count)s rows at most. Narrow the list with its filters, or choose CSV.")
            raise RuleBroken(sentence % {"count": f"{MOST_ROWS:,}"})
        for column, value in enumerate(row):
            if value is not None:
                self._write(column, value)
        if self._row <= ROWS_MEASURED:
            self._widths = [max(w, _width(value)) for w, value in zip(self._widths, row, strict=True)]

    def _write(self, column: int, value: Any) -> None:
        row, sheet = self._row, self._sheet
        if isinstance(value, str):
            if len(value) > LONGEST_TEXT // 2 and len(value.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_TEXT:
                self._refuse_text(column)
            sheet.write_string(row, column, value, self._text)
        elif isinstance(value, date):
            self._write_day(column, value)
        elif isinstance(value, int):
            sheet.write_number(row, column, value, self._whole)
        else:
            sheet.write_number(row, column, float(value))

    def _write_day(self, column: int, value: date) -> None:
        """A day or a time; as text where the calendar of spreadsheets is wrong."""
        is_time = isinstance(value, datetime)
        if (value.date() if isinstance(value, datetime) else value) < FIRST_DAY:
            self._sheet.write_string(self._row, column, str(value), self._text)
        else:
            self._sheet.write_datetime(self._row, column, value, self._moment if is_time else self._day)

    def _refuse_text(self, column: int) -> None:
        sentence = gettext("Row %(row)s, “%(column)s”: the text is too long for a cell of a workbook. Choose CSV.")
        raise RuleBroken(sentence % {"row": self._row, "column": self._headers[column]})

    def finish(self) -> None:
        sheet = self._sheet
        for column, width in enumerate(self._widths):
            sheet.set_column(column, column, min(max(width + 1, NARROWEST), WIDEST))
        sheet.freeze_panes(1, 0)
        if self._headers:
            sheet.autofilter(0, 0, self._row, len(self._headers) - 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)


def _write_notes(book: xlsxwriter.Workbook, notes: Iterable[tuple[str, str]]) -> None:
    sheet = book.add_worksheet(sheet_name(pgettext("sheet of a workbook", "Notes")), worksheet_class=ExactWorksheet)
    name = book.add_format({"num_format": "@", "bold": True, "valign": "top"})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 70)
    sheet.fit_to_pages(1, 0)
    for row, (label, value) in enumerate(notes):
        sheet.write_string(row, 0, label, name)
        sheet.write_string(row, 1, value, text)


def sheet_name(name: str) -> str:
    """``name`` as a sheet may be called: at most 31 characters, none of those that Excel refuses."""
    return re.sub(r"[\[\]:*?/\\']", " ", name).strip()[:31] or "1"


def _width(value: Any) -> int:
    """Columns that a value takes; Chinese characters take two."""
    if value is None:
        return 0
    if isinstance(value, datetime):
        return 19
    text = str(value)[: WIDEST + 1]
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def plain_number(value: int | float | Decimal) -> int | float | str:
    """A number that a spreadsheet shows as it is; one that it would round, or that is none, as text."""
    if isinstance(value, int):
        return value if abs(value) < 10**EXACT_DIGITS else str(value)
    if not isfinite(value):
        return str(value)
    if isinstance(value, Decimal):
        return float(value) if len(value.as_tuple().digits) <= EXACT_DIGITS else str(value)
    return value


# --- Texts that XML cannot hold as they are ---------------------------------------------------------------------------

FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"  # in XML 1.0
ESCAPE = "x[0-9a-fA-F]{4}_"
NEEDS_CARE = re.compile(f"[\r{FORBIDDEN}]|_{ESCAPE}|^<r>")
LOOKS_ESCAPED = re.compile(f"(?<=_)(?={ESCAPE})")
IS_FORBIDDEN = re.compile(f"[{FORBIDDEN}]")


class ExactWorksheet(Worksheet):
    """A sheet whose texts are read back as they were written, by every reader.

    Workbooks write a carriage return as ``_x000D_``, and a text that says ``_x000D_`` as ``_x005F_x000D_``. Excel,
    LibreOffice and calamine undo that, openpyxl does not. So a carriage return is written as XML's own ``&#13;``, and a
    text that looks like such an escape is cut in two runs after its first ``_``, so that nobody sees one. Only what XML
    forbids outright (control characters) has to be escaped.

    XlsxWriter takes a text that begins with ``<r>`` and ends with ``</r>`` for its own mark-up; such a text is
    escaped here before it looks. What this method returns for a text that needs care is that mark-up.
    """

    @staticmethod
    def _escape_control_characters(data: Any) -> Any:
        if not isinstance(data, str) or not NEEDS_CARE.search(data):
            return data
        return "".join(f'<r><t xml:space="preserve">{_in_xml(run)}</t></r>' for run in LOOKS_ESCAPED.split(data))


def _in_xml(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return IS_FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
