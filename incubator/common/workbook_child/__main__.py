"""``python -m incubator.common.workbook_child FILE NAME ROWS COLUMNS``: reads a workbook for who started it.

It limits itself before it opens the file: memory, time, and what the archive may unpack to. Lines of JSON go both ways.
First it says ``{"sheets": [{"name", "height", "width", "hidden", "head": [row, …]}, …], "identity": "…"}``. Every line
``{"sheet": name}`` it is then sent is answered by the sheet's rows, each ``[row number, [cell, …]]``, and
``{"end": rows}``. A text is a text, a number a number, a date ``{"d": "…"}``, an empty cell ``""`` or ``null``. A
refusal is ``{"refused": "a word"}``, and the last line. Rows with nothing in them are left out. One attempt; whatever
ends this process ends nothing else.
"""

import csv
import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

MEMORY = 1024 * 1024 * 1024  # of address space, in bytes; the libraries alone map some hundred megabytes
SECONDS = 40  # of processor time
UNPACKED = 300 * 1024 * 1024
DELIMITERS = ",\t;"
HEAD = 30  # rows of a sheet by which it is chosen
IDENTITY = "incubator"  # the hidden sheet of our own templates; its first cell says which one it is
CSV_SHEET = "CSV"

Numbered = tuple[int, list[Any]]


class Refused(Exception):
    """A short word for the parent, which knows the sentence."""


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check_archive(path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.read(8)
    if not head.startswith(b"PK\x03\x04"):
        raise Refused("old_excel" if head.startswith(b"\xd0\xcf\x11\xe0") else "not_a_workbook")
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise Refused("not_a_workbook")
            if sum(info.file_size for info in archive.infolist()) > UNPACKED:
                raise Refused("too_large")
    except zipfile.BadZipFile:
        raise Refused("broken") from None


class Spreadsheet:
    """A workbook that calamine reads. A sheet is parsed whole when it is opened, so only one is kept."""

    def __init__(self, path: str) -> None:
        from python_calamine import CalamineWorkbook

        self._workbook = CalamineWorkbook.from_path(path)
        self._opened: tuple[str, Any] | None = None

    def sheets(self) -> list[dict[str, Any]]:
        return [
            self._describe(sheet.name, is_hidden="Hidden" in str(sheet.visible) or sheet.name == IDENTITY)
            for sheet in self._workbook.sheets_metadata
            if "WorkSheet" in str(sheet.typ)
        ]

    def _describe(self, name: str, *, is_hidden: bool) -> dict[str, Any]:
        if is_hidden:
            return {"name": name, "height": 0, "width": 0, "hidden": True, "head": []}
        height, width = self.size(name)
        head = list(islice(self.rows(name), HEAD))
        return {"name": name, "height": height, "width": width, "hidden": False, "head": head}

    def identity(self) -> str:
        """Also of a sheet that somebody unhid: showing it must not make a template a workbook of one's own."""
        for sheet in self._workbook.sheets_metadata:
            if sheet.name == IDENTITY:
                first = next(self.rows(sheet.name), (0, [""]))
                return str(first[1][0] if first[0] == 1 else "")
        return ""

    def size(self, name: str) -> tuple[int, int]:
        sheet = self._open(name)
        return (sheet.height, sheet.width) if sheet.start is not None else (0, 0)

    def rows(self, name: str) -> Iterator[Numbered]:
        sheet = self._open(name)
        if sheet.start is None:
            return
        before = [""] * sheet.start[1]  # the rows before the first are counted, the columns are not
        for number, row in enumerate(sheet.iter_rows(), 1):
            if row.count("") != len(row):
                yield number, before + row

    def _open(self, name: str) -> Any:
        if self._opened is None or self._opened[0] != name:
            self._opened = None  # let go of the other one first
            self._opened = (name, self._workbook.get_sheet_by_name(name))
        return self._opened[1]


class Text:
    """A CSV file: one sheet of texts. A row's number is that of its record, as a spreadsheet counts."""

    def __init__(self, path: str) -> None:
        text = decode(Path(path).read_bytes())
        delimiter = max(DELIMITERS, key=text[:4096].count)
        records = enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1)
        self._rows = [(number, cells) for number, cells in records if any(cell.strip() for cell in cells)]

    def sheets(self) -> list[dict[str, Any]]:
        height, width = self.size(CSV_SHEET)
        head = self._rows[:HEAD]
        return [{"name": CSV_SHEET, "height": height, "width": width, "hidden": False, "head": head}]

    def identity(self) -> str:
        return ""

    def size(self, name: str) -> tuple[int, int]:
        return len(self._rows), max((len(cells) for _, cells in self._rows), default=0)

    def rows(self, name: str) -> Iterator[Numbered]:
        yield from self._rows


def decode(content: bytes) -> str:
    """Spreadsheets save CSV as UTF-8 with a mark, as UTF-16 with one, or in the system's own GB 18030."""
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if is_utf_16 else ["utf-8-sig", "gb18030"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refused("not_text")


def plain(value: Any) -> Any:
    """What JSON does not know: dates, and times as texts."""
    if isinstance(value, datetime):
        return {"d": value.date().isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    return str(value)


encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=plain).encode


def say(what: Any) -> None:
    sys.stdout.write(encode(what) + "\n")


def answer(workbook: Spreadsheet | Text, most_rows: int, most_columns: int) -> None:
    say({"sheets": workbook.sheets(), "identity": workbook.identity()})
    sys.stdout.flush()
    for line in sys.stdin:
        name = json.loads(line)["sheet"]
        height, width = workbook.size(name)
        if height > most_rows:
            raise Refused("too_many_rows")
        if width > most_columns:
            raise Refused("too_many_columns")
        count = 0
        for row in workbook.rows(name):
            say(row)
            count += 1
        say({"end": count})
        sys.stdout.flush()


def open_workbook(path: str, name: str) -> Spreadsheet | Text:
    from python_calamine import CalamineError

    if name.endswith(".csv"):
        return Text(path)
    check_archive(path)
    try:
        return Spreadsheet(path)
    except (CalamineError, ValueError):
        raise Refused("broken") from None


def main() -> None:
    path, name, most_rows, most_columns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    limit()
    try:
        answer(open_workbook(path, name.lower()), most_rows, most_columns)
    except Refused as refused:
        say({"refused": str(refused)})
    except csv.Error:
        say({"refused": "not_text"})
    except MemoryError:
        say({"refused": "too_large"})


if __name__ == "__main__":
    main()
