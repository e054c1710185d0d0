"""What calamine reads: .xls, .xlsb, .ods, and those .xlsx that are not written in a usual way.

A sheet is parsed whole when it is opened, so only one is kept.
"""

from collections.abc import Iterator
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from incubator.common.workbook_child.lines import encode
from incubator.common.workbook_child.refusals import Refused

Merged = tuple[int, int, int, int]


class Calamine:
    def __init__(self, path: str) -> None:
        try:
            self._workbook = CalamineWorkbook.from_path(path)
        except PasswordError:
            raise Refused("protected") from None
        except (CalamineError, ValueError, OSError):
            raise Refused("broken") from None
        self._opened: tuple[str, Any] | None = None
        self.sheets = [
            (sheet.name, sheet.visible != SheetVisibleEnum.Visible)
            for sheet in self._workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def survey(self, sheet: str) -> tuple[int, list[Merged] | None]:
        opened = self._open(sheet)
        merged = opened.merged_cell_ranges
        height = opened.end[0] + 1 if opened.end is not None else 0
        return height, None if merged is None else [(a + 1, b, c + 1, d) for (a, b), (c, d) in merged]

    def rows(self, sheet: str, most_columns: int) -> Iterator[tuple[int, str]]:
        opened = self._open(sheet)
        if opened.start is None:
            return
        before = [""] * opened.start[1]  # the rows before the first one are among those that come, the columns are not
        for number, row in enumerate(opened.iter_rows(), 1):
            while row and row[-1] in ("", None):
                row.pop()
            if len(before) + len(row) > most_columns and row:
                raise Refused("too_many_columns")
            if row:
                yield number, encode(before + row)

    def _open(self, sheet: str) -> Any:
        if self._opened is None or self._opened[0] != sheet:
            self._opened = None  # let go of the other one first
            try:
                self._opened = (sheet, self._workbook.get_sheet_by_name(sheet))
            except (CalamineError, ValueError, OSError):
                raise Refused("broken") from None
        return self._opened[1]
