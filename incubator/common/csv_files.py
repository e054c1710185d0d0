"""CSV for spreadsheets: UTF-8 with the mark they know it by, and no text that they would compute."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

MARK = "\ufeff"
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # what a spreadsheet may take for the start of a formula


def csv_cell(cell: Any) -> str:
    """Numbers and days as they are, unknown as nothing, a text so that no program computes it."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell
    return str(cell)


class _Line:
    """What ``csv.writer`` writes to: hands every line back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The file line by line, the mark first."""
    writer = csv.writer(_Line())
    yield MARK
    for row in rows:
        yield writer.writerow([csv_cell(cell) for cell in row])  # type: ignore[misc]  # what ``write`` gave back


def csv_response(name: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A download that is sent while its rows are read, and kept by no cache."""
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "private, no-store"
    return response
