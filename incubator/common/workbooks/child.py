"""The process that reads one workbook: ``python -m incubator.common.workbooks.child FILE ROWS COLUMNS``.

It limits itself before it opens the file: memory, time, and what the archive may unpack to. The first sheet with
anything in it goes to standard output as JSON lines ``[row number, [cell, …]]``; a text is a text, a number
``{"n": …}``, a date ``{"d": "…"}``. A file whose name ends in ``.csv`` is read as text: all of its cells are texts, and
a row's number is that of its record, as a spreadsheet counts. A refusal is a line ``{"refused": "…"}``. One attempt;
whatever ends this process ends nothing else. Imports no Django.
"""

import csv
import io
import json
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

MEMORY = 768 * 1024 * 1024  # of address space, in bytes; the libraries alone map some hundred megabytes
SECONDS = 20  # of processor time
UNPACKED = 200 * 1024 * 1024
DELIMITERS = ",\t;"


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


def plain(value: Any) -> Any:
    """A cell as JSON. Calamine gives an empty text for an empty cell."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return {"n": value}
    if isinstance(value, datetime):
        return {"d": value.date().isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, time | timedelta):
        return str(value)
    return str(value)


def read(path: str, most_rows: int, most_columns: int) -> None:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(path)
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.start is not None:  # total_height is 0 for a sheet of one row, too
                check_size(sheet.height, sheet.width, most_rows, most_columns)
                write(sheet)
                return
    except (CalamineError, ValueError):
        raise Refused("broken") from None
    raise Refused("empty")


def check_size(height: int, width: int, most_rows: int, most_columns: int) -> None:
    if height > most_rows:
        raise Refused("too_many_rows")
    if width > most_columns:
        raise Refused("too_many_columns")


def write(sheet: Any) -> None:
    first_row, first_column = sheet.start or (0, 0)
    for number, row in enumerate(sheet.to_python(skip_empty_area=True), first_row + 1):
        cells = [None] * first_column + [plain(value) for value in row]
        if any(cell is not None for cell in cells):
            print(json.dumps([number, cells], ensure_ascii=False))  # noqa: T201 - the way to the parent


def read_csv(path: str, most_rows: int, most_columns: int) -> None:
    text = decode(Path(path).read_bytes())
    sample = text[:4096]
    delimiter = max(DELIMITERS, key=sample.count)
    written = False
    for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
        check_size(number, len(cells), most_rows, most_columns)
        if any(cell.strip() for cell in cells):
            print(json.dumps([number, [cell or None for cell in cells]], ensure_ascii=False))  # noqa: T201
            written = True
    if not written:
        raise Refused("empty")


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


def main() -> None:
    path, most_rows, most_columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    limit()
    try:
        if path.endswith(".csv"):
            read_csv(path, most_rows, most_columns)
        else:
            check_archive(path)
            read(path, most_rows, most_columns)
    except Refused as refused:
        print(json.dumps({"refused": str(refused)}))  # noqa: T201
    except csv.Error:
        print(json.dumps({"refused": "not_text"}))  # noqa: T201
    except MemoryError:
        print(json.dumps({"refused": "too_large"}))  # noqa: T201


if __name__ == "__main__":
    main()
