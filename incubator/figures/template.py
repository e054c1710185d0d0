"""The blank workbook that figures can be written into."""

from io import BytesIO

import xlsxwriter

from incubator.figures.choices import REQUIRED, Column

ROWS = 500  # rows that are formatted beforehand
WIDTHS = {Column.HANDLE: 20, Column.FOLLOWERS: 14, Column.DAY: 14}
FIRST = 3  # index of the first row below the header


def blank_figures() -> bytes:
    """A workbook with title, day row and headers: account numbers are texts, counts whole numbers, days days."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("粉丝数")
    title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
    head = book.add_format({"bold": True, "border": 1, "align": "center", "bg_color": "#F2E6D8"})
    formats = {column: book.add_format({"num_format": "@"}) for column in Column}
    formats[Column.FOLLOWERS] = book.add_format({"num_format": "0"})
    formats[Column.DAY] = book.add_format({"num_format": "yyyy-mm-dd"})
    columns = list(Column)
    sheet.merge_range(0, 0, 0, len(columns), "学员账号粉丝数统计表", title)
    sheet.write_string(1, 0, "填报单位：")
    sheet.write_string(1, len(columns) - 1, "统计日期：")
    sheet.write_string(2, 0, "序号", head)
    for place, column in enumerate(columns, 1):
        sheet.set_column(place, place, WIDTHS.get(column, 12), formats[column])
        sheet.write_string(2, place, f"{column.label}{'*' if column in REQUIRED else ''}", head)
    _help(sheet, columns.index(Column.PLATFORM) + 1, columns.index(Column.FOLLOWERS) + 1)
    sheet.freeze_panes(FIRST, 0)
    book.close()
    return buffer.getvalue()


def _help(sheet: xlsxwriter.worksheet.Worksheet, platform: int, followers: int) -> None:
    """Let the spreadsheet itself refuse what the check would refuse."""
    last = FIRST + ROWS - 1
    sheet.data_validation(FIRST, platform, last, platform, {"validate": "list", "source": ["快手", "抖音"]})
    whole = {
        "validate": "integer",
        "criteria": ">=",
        "value": 0,
        "error_message": "请填写完整数字，例如 12345，不要写“1.2万”。",
    }
    sheet.data_validation(FIRST, followers, last, followers, whole)
