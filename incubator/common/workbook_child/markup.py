"""Tables of web pages, and Excel's XML of 2003: what many offices' systems hand out under the name .xls."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, BinaryIO
from xml.etree import ElementTree

from incubator.common.workbook_child.lines import encode
from incubator.common.workbook_child.refusals import Refused
from incubator.common.workbook_child.text import opened

CHUNK = 1 << 16
Merged = tuple[int, int, int, int]
SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
MOST_CELLS = 4_000_000


class Grid:
    """A sheet as it is put together: rows by number, and what is merged in it."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Any]] = {}
        self.merged: list[Merged] = []
        self._covered: dict[int, int] = {}  # by column, the last row that a cell above reaches
        self.number = 0

    def begin_row(self, number: int | None = None) -> None:
        self.number = number or self.number + 1
        self._column = 0

    def add(self, value: Any, *, across: int = 1, down: int = 1, column: int | None = None) -> None:
        """Put a cell, ``across`` and ``down`` cells big, at the row's next free place or in ``column`` (from 0)."""
        place = self._column if column is None else column
        while column is None and self._covered.get(place, 0) >= self.number:
            place += 1
        if place + across > 16384 or down > 1_048_576:
            raise Refused("too_many_columns")
        if across > 1 or down > 1:
            self.merged.append((self.number, place, self.number + down - 1, place + across - 1))
            self._covered |= dict.fromkeys(range(place, place + across), self.number + down - 1)
        self._column = place + across
        if value == "":
            return
        row = self.rows.setdefault(self.number, [])
        row += [""] * (place - len(row)) + [value]


class _Tables:
    """Sheets that were put together before they are asked for."""

    def __init__(self, grids: dict[str, Grid]) -> None:
        self._grids = grids
        self.sheets = [(name, False) for name in grids]

    def survey(self, sheet: str) -> tuple[int, list[Merged]]:
        grid = self._grids[sheet]
        return max(grid.rows, default=0), grid.merged

    def rows(self, sheet: str, most_columns: int) -> Iterator[tuple[int, str]]:
        for number, cells in self._grids[sheet].rows.items():
            if len(cells) > most_columns:
                raise Refused("too_many_columns")
            yield number, encode(cells)


class Html(_Tables):
    """The outer tables of a web page, each a sheet. All cells are texts."""

    def __init__(self, file: BinaryIO) -> None:
        parser = _TableParser()
        text = opened(file)
        while chunk := text.read(CHUNK):
            parser.feed(chunk)
        parser.close()
        if not parser.grids:
            raise Refused("web_page")
        super().__init__({f"Table {n}": grid for n, grid in enumerate(parser.grids, 1)})


class _TableParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[Grid] = []
        self._depth = 0
        self._cell: list[str] | None = None
        self._span = (1, 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.grids.append(Grid())
        if self._depth != 1:
            return
        if tag == "tr":
            self._end_cell()
            self.grids[-1].begin_row()
        elif tag in ("td", "th"):
            self._end_cell()
            if not self.grids[-1].number:
                self.grids[-1].begin_row()
            self._cell, given = [], dict(attrs)
            self._span = (_count(given.get("colspan")), _count(given.get("rowspan")))
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table") and self._depth == 1:
            self._end_cell()
        if tag == "table" and self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None:
            text = "\n".join(" ".join(line.split()) for line in "".join(self._cell).split("\n")).strip()
            self.grids[-1].add(text, across=self._span[0], down=self._span[1])
            self._cell = None


def _count(text: str | None) -> int:
    return max(int(text), 1) if text and text.isascii() and text.isdigit() and len(text) < 8 else 1


class SpreadsheetXml(_Tables):
    """Excel's "XML Spreadsheet 2003". Entities are never declared in it, so a file that does is refused."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        if b"<!ENTITY" in file.read() or file.seek(0):
            raise Refused("not_a_workbook")
        grids: dict[str, Grid] = {}
        try:
            for name, row in _rows_of(ElementTree.iterparse(file, ["start", "end"])):  # noqa: S314 - no entities
                _take_row(grids.setdefault(name, Grid()), row)
        except ElementTree.ParseError:
            raise Refused("broken") from None
        super().__init__(grids)


def _rows_of(events: Any) -> Iterator[tuple[str, Any]]:
    name = ""
    for event, element in events:
        if event == "start" and element.tag == f"{SS}Worksheet":
            name = element.get(f"{SS}Name", "")
        elif event == "end" and element.tag == f"{SS}Row":
            yield name, element
            element.clear()


def _take_row(grid: Grid, row: Any) -> None:
    grid.begin_row(int(row.get(f"{SS}Index", 0)) or None)
    for cell in row.iter(f"{SS}Cell"):
        data = cell.find(f"{SS}Data")
        if data is None:  # written in HTML for its fonts, under another name
            data = next((part for part in cell if part.tag.endswith("}Data")), None)
        grid.add(
            _value(data) if data is not None else "",
            across=int(cell.get(f"{SS}MergeAcross", 0)) + 1,
            down=int(cell.get(f"{SS}MergeDown", 0)) + 1,
            column=int(cell.get(f"{SS}Index", 0)) - 1 if cell.get(f"{SS}Index") else None,
        )
    first = int(row.get(f"{SS}Span", 0))
    grid.number += first


def _value(data: Any) -> Any:
    text = "".join(data.itertext())
    kind = data.get(f"{SS}Type", "String")
    if kind == "Number":
        try:
            return float(text)
        except ValueError:
            return text
    return {"d": text[:10]} if kind == "DateTime" else text
