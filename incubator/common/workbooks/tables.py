"""Finding the table in a workbook made by hand: which sheet, under which header, and which of its rows are rows."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.common.workbooks.headers import Header, Heading, Layout, find_heading, guess_heading
from incubator.common.workbooks.leftovers import Leftover, Leftovers
from incubator.common.workbooks.reading import EMPTY, NOTHING, SENTENCES, Cell, Merged, Row, Sheet, Workbook

FIRST_ROWS = 30  # the header stands among these
FILLED_BY = re.compile(r"填报单位[（(]?[^:：]*[:：]\s*(\S+)")
MOST_PLAIN = 1000  # texts remembered as such
DITTO = frozenset({"同上", "同前", "〃", "″", "＂", '"', "“", "”", "''", "′′"})


@dataclass(frozen=True, slots=True)
class Outline:
    """How a sheet was understood, or not: its name, the number of its header row, and every column of it.

    ``header_row`` is 0 where there is nothing that could be a header. ``sheets`` are those one can choose from.
    """

    sheets: list[Sheet]
    sheet: str
    header_row: int
    headers: list[Header]

    @property
    def unused(self) -> list[Header]:
        """Columns that lead nowhere although nobody says that they should."""
        return [header for header in self.headers if not header.column and not (header.is_serial or header.is_chosen)]


class TableNotFound(RuleBroken):
    """A sheet without a header, or one that lacks a needed column. Somebody may say what its columns are."""

    def __init__(self, sentence: str, outline: Outline) -> None:
        super().__init__(sentence)
        self.outline = outline


@dataclass(frozen=True, slots=True)
class Table:
    """The table of a sheet: where each column is, how it is called, its rows, and what stands above them.

    ``rows`` comes row by row and can be gone through once. When the last row was taken these are complete: ``skipped``
    (numbers of rows about nobody), ``reasons`` (why, by number), and ``taken`` (by column, for how many rows
    its value stood in a row above).
    """

    layout: Layout
    columns: dict[str, int]
    headers: dict[str, str]
    rows: Iterator[Row]
    skipped: list[int]
    above: list[Row]
    outline: Outline
    reasons: dict[int, Leftover] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)
    title: str = ""
    filled_by: str = ""

    def cell(self, row: Row, column: str) -> Cell:
        """The row's cell of a column, an empty one where the sheet has no such column."""
        place = self.columns.get(column)
        return EMPTY if place is None else row.cell(place)

    def header(self, column: str) -> str:
        """How the sheet calls a column; where it has none, how the template would."""
        return self.headers.get(column) or self.layout.columns(column).label


def find_table(
    workbook: Workbook | Iterable[Row], layout: Layout, *, sheet: str = "", mapping: Mapping[str, str] | None = None
) -> Table:
    """The table in a workbook, or in rows of which nothing else is known.

    ``sheet`` is its name; without one it is the sheet that fits best. ``mapping`` says which column a header stands for
    (``""``: for none), by the header's ``key``; it goes before what headers are known to mean. Raises ``RuleBroken``
    for a sheet that is not there, ``TableNotFound`` for one in which needed columns are not found.
    """
    mapping = mapping or {}
    if not isinstance(workbook, Workbook):
        return _table(iter(workbook), layout, mapping, Sheet("", merged=[]), [])
    try:
        chosen = _choose(workbook, layout, mapping, sheet)
        return _table(workbook.rows(chosen.name), layout, mapping, chosen, workbook.sheets)
    except RuleBroken:
        workbook.close()
        raise


def _choose(workbook: Workbook, layout: Layout, mapping: Mapping[str, str], name: str) -> Sheet:
    sheets = workbook.filled_sheets
    if not name:
        return max(sheets, key=lambda sheet: _fit(sheet, layout, mapping))  # of equals the first
    found = next((sheet for sheet in sheets if sheet.name == name), None)
    if found is None:
        names = {"name": name, "names": "、".join(sheet.name for sheet in sheets)}
        raise RuleBroken(_("There is no sheet “%(name)s” in this workbook, only %(names)s.") % names)
    return found


def _fit(sheet: Sheet, layout: Layout, mapping: Mapping[str, str]) -> tuple[int, int]:
    """How well the sheet's header fits: needed columns before other ones."""
    heading = find_heading(sheet.head[:FIRST_ROWS], layout, mapping)
    columns = heading.columns if heading else {}
    return sum(column in columns for column in layout.required), len(columns)


def _table(rows: Iterator[Row], layout: Layout, mapping: Mapping[str, str], sheet: Sheet, sheets: list[Sheet]) -> Table:
    first = list(islice(rows, FIRST_ROWS))
    if not first:
        raise RuleBroken(str(SENTENCES["empty"]))
    heading = find_heading(first, layout, mapping)
    if heading is None:
        guessed = guess_heading(first, layout, mapping)
        raise TableNotFound(str(layout.no_header), _outline(guessed, first, sheet, sheets))
    outline = _outline(heading, first, sheet, sheets)
    _require_columns(heading, layout, outline)
    above = first[: heading.first]
    table = Table(
        layout=layout,
        columns=heading.columns,
        headers={header.column: header.text for header in heading.headers if header.column},
        rows=iter(()),
        skipped=[],
        above=above,
        outline=outline,
        title=_first_text(above),
        filled_by=_filled_by(above),
    )
    people = _people(chain(first[heading.last + 1 :], rows), heading, sheet.merged, table)
    beginning = next(people, None)
    if beginning is None:
        raise RuleBroken(str(layout.nothing_below) % {"row": first[heading.last].number})
    object.__setattr__(table, "rows", chain([beginning], people))
    return table


def _outline(heading: Heading | None, first: list[Row], sheet: Sheet, sheets: list[Sheet]) -> Outline:
    if heading is None:
        return Outline(sheets, sheet.name, 0, [])
    return Outline(sheets, sheet.name, first[heading.last].number, heading.headers)


def _require_columns(heading: Heading, layout: Layout, outline: Outline) -> None:
    missing = [layout.columns(column).label for column in layout.required if column not in heading.columns]
    if missing:
        sentence = _("The column %(names)s is missing in row %(row)s. Add it, or start from the template.")
        names = {"names": "、".join(missing), "row": outline.header_row}
        raise TableNotFound(sentence % names, outline)


def _people(rows: Iterable[Row], heading: Heading, merged: list[Merged] | None, table: Table) -> Iterator[Row]:
    """The rows about somebody; the others are noted in the table."""
    leftovers = Leftovers(heading, table.layout, merged)
    filling = _Filling(table, merged)
    for row in rows:
        why = leftovers.why(row)
        if why is None:
            filling.fill(row)
            yield row
        else:
            table.skipped.append(row.number)
            table.reasons[row.number] = why
            filling.end_block(row)


class _Filling:
    """Values that stand once for several rows: merged cells, and 同上.

    Where a format says what is merged, only that is filled. Where it does not (.ods, .csv) an empty cell of such a
    column takes the value above it, as long as the rows follow each other without a gap, a total or a heading.
    """

    def __init__(self, table: Table, merged: list[Merged] | None) -> None:
        layout, columns = table.layout, table.columns
        self._taken = table.taken
        self._ditto = [(column, columns[column]) for column in layout.ditto if column in columns]
        self._columns = [(column, columns[column]) for column in layout.fill_down if column in columns]
        self._is_known = merged is not None
        self._reaches = {(m.first_column, m.first_row): m.last_row for m in merged or () if m.last_row > m.first_row}
        self._above: dict[int, tuple[object, int]] = {}  # by place: the value, and the last row it stands for
        if self._is_known and not self._reaches:
            self._columns = []
        self._said: dict[int, object] = {}  # by place: the last value, for 同上
        self._plain: set[str] = set()  # texts that are no 同上: most of these columns say the same over and over
        self._last = 0

    def fill(self, row: Row) -> None:
        for column, place in self._columns:
            self._fill(row, column, place)
        values, wide, plain = row.values, len(row.values), self._plain
        for column, place in self._ditto:
            if place < wide and (value := values[place]).__class__ is str and value in plain:
                self._said[place] = value
            else:
                self._repeat(row, column, place)
        self._last = row.number

    def end_block(self, row: Row) -> None:
        """A total or a heading: what stands above it is not meant below it, unless it is merged over both."""
        for _column, place in self._columns:
            self._look(row, place)
        self._last = 0

    def _look(self, row: Row, place: int) -> bool:
        """Remember a value that stands for more rows; True when the row has one of its own."""
        value = row.values[place] if place < len(row.values) else ""
        if value in NOTHING or (isinstance(value, str) and not value.strip()):
            return False
        reach = self._reaches.get((place, row.number), 0) if self._is_known else 0
        self._above[place] = (value, reach)
        return True

    def _fill(self, row: Row, column: str, place: int) -> None:
        if self._look(row, place) or place not in self._above:
            return
        value, reach = self._above[place]
        if row.number <= reach or (not self._is_known and self._last and row.number == self._last + 1):
            self._set(row, column, place, value)

    def _repeat(self, row: Row, column: str, place: int) -> None:
        value = row.values[place] if place < len(row.values) else ""
        is_ditto = isinstance(value, str) and value.strip() in DITTO
        if is_ditto and place in self._said:
            self._set(row, column, place, self._said[place])
        elif value not in NOTHING:
            self._said[place] = value
            if isinstance(value, str) and not is_ditto and len(self._plain) < MOST_PLAIN:
                self._plain.add(value)

    def _set(self, row: Row, column: str, place: int, value: object) -> None:
        values = [*row.values, *[""] * (place + 1 - len(row.values))]
        values[place] = value
        row.values = values
        self._taken[column] += 1


def _first_text(rows: list[Row]) -> str:
    return next((cell.text for row in rows for cell in row.cells if cell.text), "")[:200]


def _filled_by(rows: list[Row]) -> str:
    for row in rows:
        found = FILLED_BY.search(" ".join(cell.text for cell in row.cells if cell.text))
        if found:
            return found.group(1)[:200]
    return ""
