"""Reading a workbook somebody mailed: rows of cells, or a sentence that says what to do."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incubator.common.errors import RuleBroken

WAIT_SECONDS = 30
MOST_ROWS = 20_000
MOST_COLUMNS = 100
LARGEST_FILE = 20 * 1024 * 1024

SENTENCES = {
    "not_a_workbook": gettext_lazy("This file is not an Excel workbook. Save it as .xlsx and upload it again."),
    "old_excel": gettext_lazy("This is an old .xls workbook. Open it, save it as .xlsx, and upload that."),
    "not_text": gettext_lazy("This CSV file cannot be read. Open it, save it as .xlsx, and upload that."),
    "broken": gettext_lazy("This workbook is damaged. Open it, save it again as .xlsx, and upload that."),
    "empty": gettext_lazy("This workbook is empty. Choose the right one and upload that."),
    "too_large": gettext_lazy("This workbook unpacks to too much. Copy the rows into a new workbook and upload that."),
    "too_many_rows": gettext_lazy("This sheet has too many rows. Split it into workbooks of at most 20,000 rows."),
    "too_many_columns": gettext_lazy("This sheet has too many columns. Delete the empty ones at its right."),
}


class UnreadableWorkbook(RuleBroken):
    """The file cannot be read; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text as shown, and whether the file holds it as a number or a date instead of text."""

    text: str = ""
    is_number: bool = False
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its number as the spreadsheet shows it (from 1)."""

    number: int
    cells: list[Cell]

    def cell(self, column: int) -> Cell:
        return self.cells[column] if column < len(self.cells) else Cell()


def read_workbook(path: Path) -> list[Row]:
    """The first sheet that has anything in it, without its blank rows; a ``.csv`` is one sheet of texts.

    Raises ``UnreadableWorkbook``.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise UnreadableWorkbook(_("This file is larger than 20 MB. Split it and upload the parts."))
    lines = _read_apart(path)
    rows = []
    for line in lines:
        answer = json.loads(line)
        if isinstance(answer, dict):
            raise UnreadableWorkbook(str(SENTENCES[answer["refused"]]))
        number, cells = answer
        rows.append(Row(number, [_cell(value) for value in cells]))
    return rows


def _read_apart(path: Path) -> list[str]:
    command = [sys.executable, "-m", "incubator.common.workbooks.child", str(path), str(MOST_ROWS), str(MOST_COLUMNS)]
    root = Path(__file__).resolve().parents[3]
    try:
        done = subprocess.run(command, capture_output=True, timeout=WAIT_SECONDS, check=False, cwd=root, text=True)
    except subprocess.TimeoutExpired:
        raise UnreadableWorkbook(str(SENTENCES["too_large"])) from None
    if done.returncode:
        raise UnreadableWorkbook(str(SENTENCES["too_large"]))
    return done.stdout.splitlines()


def _cell(value: object) -> Cell:
    if value is None:
        return Cell()
    if isinstance(value, dict):
        if "d" in value:
            return Cell(str(value["d"]), is_date=True)
        number = value["n"]
        whole = isinstance(number, float) and number.is_integer() and abs(number) < 1e15
        return Cell(str(int(number)) if whole else str(number), is_number=True)
    return Cell(str(value).strip())
