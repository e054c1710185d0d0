"""How this room's workbooks look: their formats, the height of wrapped text, and the page they are printed on."""

import math
import unicodedata

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

A4 = 9
LINE = 17  # points of height of a line of text
BORDER = {"border": 1, "border_color": "#9CA3AF", "valign": "vcenter"}


class Paper:
    """The formats of one workbook. All cells of people are texts: a spreadsheet rounds an ID number of 18 digits."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        add = book.add_format
        wrapped = {**BORDER, "num_format": "@", "text_wrap": True}
        head = {**BORDER, "bold": True, "align": "center", "text_wrap": True}
        self.title = add({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
        self.plain = add({"valign": "vcenter"})
        self.note = add({"font_color": "#7C2D12", "font_size": 10, "valign": "vcenter"})
        self.section = add({"bold": True, "font_size": 12, "valign": "vcenter", "font_color": "#7C2D12"})
        self.sentence = add({"text_wrap": True, "valign": "vcenter", "num_format": "@"})
        self.head = add({**head, "bg_color": "#F2E6D8"})
        self.required = add({**head, "bg_color": "#F2E6D8", "font_color": "#B91C1C"})
        self.text = add({"num_format": "@"})
        self.value = add({**BORDER, "num_format": "@"})
        self.number = add({**BORDER, "align": "center"})
        self.day = add({**BORDER, "num_format": "yyyy-mm-dd", "align": "left"})
        self.cell = add({**wrapped, "indent": 1})
        example = {"italic": True, "font_color": "#6B7280", "bg_color": "#F3F4F6"}
        self.example = add({**BORDER, **example, "num_format": "@"})
        self.wrong = add({**BORDER, "num_format": "@", "bg_color": "#FECACA", "font_color": "#7F1D1D"})
        self.doubtful = add({**BORDER, "num_format": "@", "bg_color": "#FEF3C7"})
        self.finding = add({**wrapped, "bg_color": "#FEF2F2"})
        self.finding_head = add({**head, "bg_color": "#FECACA"})


def width_of(text: str) -> int:
    """Of the longest line, in characters of the sheet's columns: a Chinese one is as wide as two others."""
    return max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in text.split("\n"))


def height_of(text: str, width: float) -> float:
    """Points that a wrapped text needs in a column: not every program finds that out by itself."""
    return 4 + LINE * sum(max(1, math.ceil(width_of(line) / (width - 1))) for line in text.split("\n"))


def print_on_a4(sheet: Worksheet, *, header_row: int | None = None, pages: int = 0) -> None:
    """Landscape, one page wide and ``pages`` high (0: as many as it takes), the header on each page."""
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, pages)
    sheet.set_margins(0.4, 0.4, 0.5, 0.6)
    sheet.set_footer("&C第 &P 页，共 &N 页")
    if header_row is not None:
        sheet.repeat_rows(header_row)
