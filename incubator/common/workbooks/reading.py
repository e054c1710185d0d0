"""Reading a workbook somebody mailed: rows of cells, one after the other, or a sentence that says what to do."""

import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext_lazy

from incubator.common.errors import RuleBroken

WAIT_SECONDS = 60  # for the child, in all; the time its rows lie here until they are wanted does not count
MOST_ROWS = 200_000
MOST_COLUMNS = 200 + 2  # and those that a copy with findings adds
LARGEST_FILE = 30 * 1024 * 1024
CHUNK = 1 << 18

SENTENCES = {
    "not_a_workbook": gettext_lazy("This file is not an Excel workbook. Save it as .xlsx and upload it again."),
    "old_excel": gettext_lazy("This is a workbook of a very old Excel. Open it, save it as .xlsx, and upload that."),
    "protected": gettext_lazy(
        "This workbook is protected with a password. Open it, save it without the password, and upload that."
    ),
    "web_page": gettext_lazy(
        "This file is a web page, not a workbook, whatever its name says. Open it, save it as .xlsx, and upload that."
    ),
    "not_text": gettext_lazy("This CSV file cannot be read. Open it, save it as .xlsx, and upload that."),
    "broken": gettext_lazy("This workbook is damaged. Open it, save it again as .xlsx, and upload that."),
    "empty": gettext_lazy("This workbook is empty. Choose the right one and upload that."),
    "too_large": gettext_lazy("This workbook unpacks to too much. Copy the rows into a new workbook and upload that."),
    "too_many_rows": gettext_lazy("This sheet has too many rows. Split it into workbooks of at most 200,000 rows."),
    "too_many_columns": gettext_lazy(
        "This sheet has something written very far to the right. Delete all columns right of the table."
    ),
    "too_big_a_file": gettext_lazy("This file is larger than 30 MB. Split it and upload the parts."),
}


class UnreadableWorkbook(RuleBroken):
    """The file cannot be read; the sentence says what to do."""

    def __init__(self, word: str) -> None:
        super().__init__(str(SENTENCES[word]))


class Cell(NamedTuple):
    """One cell: its text as shown, and whether the file holds it as a number or a date instead of text."""

    text: str = ""
    is_number: bool = False
    is_date: bool = False


EMPTY = Cell()
NOTHING: tuple[Any, ...] = ("", None)


class Row:
    """A row with its number as the spreadsheet shows it (from 1).

    ``values`` is what the file holds: a text as a ``str``, a number as ``int`` or ``float``, a yes or no as ``bool``, a
    date as ``{"d": "2026-03-02"}``, nothing as ``""`` or None. A row may be shorter than the sheet is wide.
    """

    __slots__ = ("number", "values")

    def __init__(self, number: int, values: Sequence[Any]) -> None:
        self.number = number
        self.values = values

    def cell(self, column: int) -> Cell:
        return to_cell(self.values[column]) if column < len(self.values) else EMPTY

    @property
    def cells(self) -> list[Cell]:
        """All of them; for a few rows, not for every one of a long sheet."""
        return [to_cell(value) for value in self.values]


def to_cell(value: Any) -> Cell:
    """A cell of what the file holds. Whole numbers are shown without a fraction, as spreadsheets show them."""
    if isinstance(value, str):
        return Cell(value.strip()) if value else EMPTY
    if value is None:
        return EMPTY
    if isinstance(value, dict):
        return Cell(value["d"], is_date=True)
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE")
    if abs(value) < 1e15:
        return Cell(str(int(value)) if value == int(value) else str(value), is_number=True)
    return Cell(str(float(value)), is_number=True)  # more digits than a spreadsheet keeps are not shown as if they were


class Merged(NamedTuple):
    """Cells made into one: rows from 1 as the spreadsheet numbers them, columns from 0."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of a sheet before its rows are read: its size, and its first rows.

    A hidden one is not looked into. ``merged`` is None where the format does not say what is merged. ``refused`` is the
    word for a sheet that cannot be read.
    """

    name: str
    height: int = 0
    width: int = 0
    is_hidden: bool = False
    head: list[Row] = field(default_factory=list)
    merged: list[Merged] | None = None
    refused: str = ""


class Workbook:
    """A workbook that a process of its own reads: its sheets, and the rows of one of them as they come.

    Memory stays flat however long the sheet is. The process ends with the last row, with ``close``, or with this
    object. Every step raises ``UnreadableWorkbook`` when the process refuses, dies, or takes too long.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._child = _Child(file)
        first = self._child.read()
        self.sheets = [_sheet(told) for told in first["sheets"]]
        self.identity: str = first["identity"]

    def __enter__(self) -> "Workbook":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Row]:
        """The rows of the first sheet with anything in it."""
        return self.rows(self.filled_sheets[0].name)

    @property
    def filled_sheets(self) -> list[Sheet]:
        """Those that can be read: not hidden, not empty. Raises ``UnreadableWorkbook`` when there is none."""
        found = [sheet for sheet in self.sheets if sheet.height]
        if not found:
            self.close()
            raise UnreadableWorkbook(next((sheet.refused for sheet in self.sheets if sheet.refused), "empty"))
        return found

    def rows(self, sheet: str) -> Iterator[Row]:
        """The rows of a sheet by its name, blank ones left out, once."""
        self._child.ask(sheet)
        try:
            is_over = False
            while not is_over:
                answers = self._child.read_on()
                last = answers.pop()
                is_over = isinstance(last, dict)
                yield from starmap(Row, answers)
                if not is_over:
                    yield Row(*last)
                elif "refused" in last:
                    self._child.fail(last["refused"])
        finally:
            self.close()

    def close(self) -> None:
        self._child.close()


def _sheet(told: dict[str, Any]) -> Sheet:
    merged = told["merged"]
    return Sheet(
        name=told["name"],
        height=told["height"],
        width=told["width"],
        is_hidden=told["hidden"],
        head=[Row(*row) for row in told["head"]],
        merged=None if merged is None else [Merged(*cells) for cells in merged],
        refused=told.get("refused", ""),
    )


class _Child:
    """The reading process: asked in lines of JSON, it answers in lines of JSON."""

    def __init__(self, file: BinaryIO) -> None:
        self._patience = float(WAIT_SECONDS)
        self._lines: Iterator[bytes] = iter(())
        self._rest = b""
        place = f"/dev/fd/{file.fileno()}"
        limits = [str(MOST_ROWS), str(MOST_COLUMNS)]
        process = subprocess.Popen(
            [sys.executable, "-m", "incubator.common.workbook_child", place, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[file.fileno()],
            cwd=Path(__file__).resolve().parents[3],
            bufsize=0,
        )
        self._process = process
        self.close = weakref.finalize(self, _end, process, file)

    def ask(self, sheet: str) -> None:
        try:
            self._process.stdin.write(json.dumps({"sheet": sheet}).encode() + b"\n")  # type: ignore[union-attr]
        except OSError:  # it has ended
            self.fail("too_large")

    def read(self) -> Any:
        line = next(self._lines, None)
        while line is None:
            self._fill()
            line = next(self._lines, None)
        answer = json.loads(line)
        if isinstance(answer, dict) and "refused" in answer:
            self.fail(answer["refused"])
        return answer

    def read_on(self) -> list[Any]:
        """What it has answered by now, at least one line; a refusal is left to who asks."""
        lines = list(self._lines)
        while not lines:
            self._fill()
            lines = list(self._lines)
        return json.loads(b"[" + b",".join(lines) + b"]")  # at once: line by line takes three times as long

    def _fill(self) -> None:
        """Wait for more of its lines, as long as there is patience."""
        pipe = self._process.stdout.fileno()  # type: ignore[union-attr]
        started = time.monotonic()
        ready, _w, _x = select.select([pipe], [], [], max(self._patience, 0))
        self._patience -= time.monotonic() - started
        more = os.read(pipe, CHUNK) if ready else b""
        if not more:
            self.fail("too_large")
        *lines, self._rest = (self._rest + more).split(b"\n")
        self._lines = iter(lines)

    def fail(self, word: str) -> None:
        self.close()
        raise UnreadableWorkbook(word)


def _end(process: subprocess.Popen, file: BinaryIO) -> None:
    """End the process, whatever it is doing, and let go of everything."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        pipe.close()  # type: ignore[union-attr]
    process.wait()
    file.close()


def read_workbook(file: Path | BinaryIO) -> Workbook:
    """Start reading a file: a path, or an open file that lies on a disk, which is closed when reading ends.

    What it is is told by its content. Raises ``UnreadableWorkbook``.
    """
    opened = file.open("rb") if isinstance(file, Path) else file
    if os.fstat(opened.fileno()).st_size > LARGEST_FILE:
        opened.close()
        raise UnreadableWorkbook("too_big_a_file")
    return Workbook(opened)
