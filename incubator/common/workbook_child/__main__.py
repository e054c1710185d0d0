"""``python -m incubator.common.workbook_child FILE ROWS COLUMNS``: reads a workbook for who started it.

It limits itself before it opens the file: memory, time, and what the archive may unpack to. Lines of JSON go both ways.
First it says ``{"sheets": [{"name", "height", "width", "hidden", "head", "merged"}, …], "identity"}``.
Every line ``{"sheet": name}`` it is then sent is answered by the sheet's rows, each ``[row number, [cell, …]]``, and
``{"end": rows}``. A text is a text, a number a number, a date ``{"d": "…"}``, an empty cell ``""``. A refusal is
``{"refused": "a word"}``, and the last line. Rows with nothing in them are left out. ``merged`` lists what is merged in
a sheet (first row and column, last row and column; rows from 1, columns from 0), ``null`` where the format does not
say; ``refused`` stands with a sheet that cannot be read. One attempt; whatever ends this process ends nothing
else.
"""

import json
import resource
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from incubator.common.workbook_child.archives import Archive
from incubator.common.workbook_child.kinds import Kind, recognise
from incubator.common.workbook_child.lines import encode
from incubator.common.workbook_child.refusals import Refused, Unusual

MEMORY = 1024 * 1024 * 1024  # of address space, in bytes; the libraries alone map some hundred megabytes
SECONDS = 40  # of processor time
HEAD = 40  # rows of a sheet by which it is chosen
MOST_SHEETS = 200
IDENTITY = "incubator"  # the sheet of our own templates; its first cell says which one it is


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Reader:
    """One workbook, by the reader that fits it."""

    def __init__(self, path: str, most_rows: int, most_columns: int) -> None:
        self._path, self._most_rows, self._most_columns = path, most_rows, most_columns
        self._file = Path(path).open("rb")  # noqa: SIM115 - open as long as the process
        self._book = self._open(recognise(self._file))

    def _open(self, kind: Kind) -> Any:
        if kind == Kind.XLSX:
            from incubator.common.workbook_child.xlsx import Workbook

            try:
                return Workbook(Archive(self._file))
            except Unusual:
                return self._thorough()
        if kind == Kind.CALAMINE:
            return self._thorough()
        from incubator.common.workbook_child import markup, text

        readers: dict[Kind, Any] = {Kind.HTML: markup.Html, Kind.XML: markup.SpreadsheetXml, Kind.TEXT: text.Csv}
        return readers[kind](self._file)

    def _thorough(self) -> Any:
        from incubator.common.workbook_child.calamine import Calamine

        self._file.seek(0)
        if self._file.read(2) == b"PK":
            Archive(self._file).check_all()
        return Calamine(self._path)

    def describe(self) -> dict[str, Any]:
        try:
            return self._describe()
        except Unusual:
            self._book = self._thorough()
            return self._describe()

    def _describe(self) -> dict[str, Any]:
        sheets = self._book.sheets[:MOST_SHEETS]
        identity = next((self._first_cell(name) for name, _hidden in sheets if name == IDENTITY), "")
        return {"sheets": [self._sheet(*sheet) for sheet in sheets if sheet[0] != IDENTITY], "identity": identity}

    def _sheet(self, name: str, is_hidden: bool) -> dict[str, Any]:
        told = {"name": name, "height": 0, "width": 0, "hidden": is_hidden, "head": [], "merged": []}
        if is_hidden:
            return told
        height, merged = self._book.survey(name)
        try:
            head = [[number, json.loads(cells)] for number, cells in islice(self._rows(name), HEAD)]
        except Refused as refused:
            return told | {"refused": str(refused)}  # another sheet may be the one that is wanted
        width = max((len(cells) for _number, cells in head), default=0)
        height = max(height, head[-1][0]) if head else 0
        return told | {"height": height, "width": width, "head": head, "merged": merged}

    def _first_cell(self, name: str) -> str:
        for number, cells in self._book.rows(name, self._most_columns):
            return str(json.loads(cells)[0]) if number == 1 else ""
        return ""

    def rows(self, sheet: str) -> Iterator[tuple[int, str]]:
        """The rows of a sheet; where the quick reader does not know it, the thorough one goes on after the last."""
        last = 0
        try:
            for last, cells in self._rows(sheet):
                yield last, cells
        except Unusual:
            self._book = self._thorough()
            for number, cells in self._rows(sheet):
                if number > last:
                    yield number, cells

    def _rows(self, sheet: str) -> Iterator[tuple[int, str]]:
        for count, row in enumerate(self._book.rows(sheet, self._most_columns), 1):
            if count > self._most_rows:
                raise Refused("too_many_rows")
            yield row


def answer(reader: Reader, questions: BinaryIO) -> None:
    write = sys.stdout.write
    write(encode(reader.describe()) + "\n")
    sys.stdout.flush()
    for line in questions:
        count = 0
        for number, cells in reader.rows(json.loads(line)["sheet"]):
            write(f"[{number},{cells}]\n")
            count += 1
        write(encode({"end": count}) + "\n")
        sys.stdout.flush()


def main() -> None:
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    limit()
    try:
        answer(Reader(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), sys.stdin.buffer)
        return
    except Refused as refused:
        word = str(refused)
    except MemoryError:
        word = "too_large"
    except Exception:
        word = "broken"
    sys.stdout.write(encode({"refused": word}) + "\n")


if __name__ == "__main__":
    main()
