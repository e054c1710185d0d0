"""The blank workbook counties can start from."""

from io import BytesIO

import xlsxwriter

from incubator.rosters.choices import REQUIRED, Column

ROWS = 500  # rows that are formatted as text beforehand
WIDTHS = {Column.ID_NUMBER: 24, Column.PHONE: 16, Column.COUNTY: 18, Column.HANDLE: 18}


def blank_roster() -> bytes:
    """A workbook with title, date row, headers and text columns; needed columns are marked with a star."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("报名表")
    title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
    head = book.add_format({"bold": True, "border": 1, "align": "center", "bg_color": "#F2E6D8"})
    text = book.add_format({"num_format": "@"})
    columns = list(Column)
    sheet.merge_range(0, 0, 0, len(columns), "学员报名表", title)
    sheet.write_string(1, 0, "填报单位：")
    sheet.write_string(1, len(columns) - 1, "填报日期：")
    sheet.write_string(2, 0, "序号", head)
    for place, column in enumerate(columns, 1):
        sheet.set_column(place, place, WIDTHS.get(column, 12), text)
        sheet.write_string(2, place, f"{column.label}{'*' if column in REQUIRED else ''}", head)
    sheet.data_validation(3, 2, 2 + ROWS, 2, {"validate": "list", "source": ["男", "女"]})
    sheet.freeze_panes(3, 2)
    book.close()
    return buffer.getvalue()
