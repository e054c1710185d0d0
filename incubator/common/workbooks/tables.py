"""Finding the table in a sheet made by hand: title and date rows above, totals and signatures below."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.common.workbooks.reading import EMPTY, SENTENCES, Cell, Row, Workbook

FIRST_ROWS = 15  # the header stands among these
LONGEST_HEADER = 60  # characters kept of what a sheet calls a column; explanations in brackets may run on
FILLED_BY = re.compile(r"填报单位[（(]?[^:：]*[:：]\s*(\S+)")
# What the first cells of rows below the table say.
FOOTERS = ("合计", "小计", "总计", "备注", "说明", "填表人", "审核人", "制表人", "联系人", "注:", "注：")
NOTHING = ("", None)


@dataclass(frozen=True)
class Layout:
    """What one kind of sheet is made of: its columns, how people write their headers, and which it cannot do without.

    ``synonyms`` are compared without spaces, brackets and what stands in them. ``no_header`` and ``nothing_below``
    (with the place ``%(row)s``) are the sentences for a sheet without a header and for one with nothing under it.
    A row with all texts of ``example`` is the template's own, left in.
    """

    columns: type[TextChoices]
    synonyms: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    no_header: Any
    nothing_below: Any
    example: tuple[str, ...] = ()

    @cached_property
    def keys(self) -> dict[str, str]:
        pairs = [(synonym, column) for column, synonyms in self.synonyms.items() for synonym in synonyms]
        return {synonym.upper(): column for synonym, column in pairs}


@dataclass(frozen=True, slots=True)
class Table:
    """The table of a sheet: where each column is, how it is called, its rows, and what stands above them.

    ``rows`` comes row by row and can be gone through once. ``skipped`` (numbers of rows that are totals, notes,
    signatures or the template's example) is complete when the last row was taken.
    """

    layout: Layout
    columns: dict[str, int]
    headers: dict[str, str]
    rows: Iterator[Row]
    skipped: list[int]
    above: list[Row]
    title: str = ""
    filled_by: str = ""

    def cell(self, row: Row, column: str) -> Cell:
        """The row's cell of a column, an empty one where the sheet has no such column."""
        place = self.columns.get(column)
        return EMPTY if place is None else row.cell(place)

    def header(self, column: str) -> str:
        """How the sheet calls a column; where it has none, how the template would."""
        return self.headers.get(column) or self.layout.columns(column).label


def find_table(workbook: Workbook | Iterable[Row], layout: Layout) -> Table:
    """The table in a workbook, or in rows; raises ``RuleBroken`` when there is none or a needed column is missing."""
    rows = iter(workbook)
    first = list(islice(rows, FIRST_ROWS))
    if not first:
        raise RuleBroken(str(SENTENCES["empty"]))
    place, columns = _find_header(first, layout)
    missing = [layout.columns(column).label for column in layout.required if column not in columns]
    if missing:
        raise RuleBroken(
            _("The column %(names)s is missing in row %(row)s. Add it, or start from the template.")
            % {"names": "、".join(missing), "row": first[place].number}
        )
    above, header = first[:place], first[place]
    skipped: list[int] = []
    people = _without_footers(chain(first[place + 1 :], rows), columns, layout.example, skipped)
    beginning = next(people, None)
    if beginning is None:
        raise RuleBroken(str(layout.nothing_below) % {"row": header.number})
    return Table(
        layout=layout,
        columns=columns,
        headers={column: header.cell(n).text.replace("\n", "")[:LONGEST_HEADER] for column, n in columns.items()},
        rows=chain([beginning], people),
        skipped=skipped,
        above=above,
        title=_first_text(above),
        filled_by=_filled_by(above),
    )


def _without_footers(
    rows: Iterable[Row], columns: Mapping[str, int], example: tuple[str, ...], skipped: list[int]
) -> Iterator[Row]:
    for row in rows:
        if _is_footer(row, columns) or (example and all(text in row.values for text in example)):
            skipped.append(row.number)
        else:
            yield row


def header_column(text: str, layout: Layout) -> str | None:
    """The column that a header such as ``" 身份证号码\\n(必填)"`` names, if any."""
    text = unicodedata.normalize("NFKC", text).upper()
    whole = re.sub(r"[\s*/、:()]", "", text)
    cut = re.sub(r"[\s*/、:]", "", re.sub(r"\(.*?\)", "", text))
    return layout.keys.get(whole) or layout.keys.get(cut)


def _find_header(rows: list[Row], layout: Layout) -> tuple[int, dict[str, int]]:
    """The row with most known headers, at least two of them."""
    found = [_columns(row, layout) for row in rows]
    best = max(range(len(rows)), key=lambda n: len(found[n]))
    if len(found[best]) < 2:
        raise RuleBroken(str(layout.no_header))
    return best, found[best]


def _columns(row: Row, layout: Layout) -> dict[str, int]:
    columns: dict[str, int] = {}
    for n, cell in enumerate(row.cells):
        column = header_column(cell.text, layout)
        if column and column not in columns:
            columns[column] = n
    return columns


def _is_footer(row: Row, columns: Mapping[str, int]) -> bool:
    """A total, a note or a signature line: its first text says so, or it has nothing but a serial number.

    A number alone in a column of the table is no serial number but a row somebody did not finish.
    """
    place = next((n for n, value in enumerate(row.values) if value not in NOTHING), None)
    if place is None:
        return True
    first = "".join(row.cell(place).text.split())
    if first.startswith(FOOTERS):
        return True
    is_number = first.isdigit() and place not in columns.values()
    return is_number and all(value in NOTHING for value in row.values[place + 1 :])


def _first_text(rows: list[Row]) -> str:
    return next((cell.text for row in rows for cell in row.cells if cell.text), "")[:200]


def _filled_by(rows: list[Row]) -> str:
    for row in rows:
        found = FILLED_BY.search(" ".join(cell.text for cell in row.cells if cell.text))
        if found:
            return found.group(1)[:200]
    return ""
