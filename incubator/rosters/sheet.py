"""Finding the people in a sheet made by hand: title and date rows above, totals and signatures below."""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.common.workbooks import Row
from incubator.rosters.choices import FOOTERS, REQUIRED, SYNONYMS, Column

FIRST_ROWS = 15  # the header stands among these
FILLED_BY = re.compile(r"填报单位[（(]?[^:：]*[:：]\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Table:
    """The people part of a sheet: where each column is, how it is called, and the rows."""

    columns: dict[str, int]
    headers: dict[str, str]
    rows: list[Row]
    skipped: list[int]
    title: str = ""
    filled_by: str = ""


def header_key(text: str) -> str:
    """``" 身份证号码\\n(必填)"`` → ``身份证号码``: without spaces, stars, and brackets with what stands in them."""
    text = unicodedata.normalize("NFKC", text)
    whole = re.sub(r"[\s*/、:()]", "", text)
    cut = re.sub(r"[\s*/、:]", "", re.sub(r"\(.*?\)", "", text))
    return whole if whole in KEYS else cut


KEYS = {synonym.upper(): column for column, synonyms in SYNONYMS.items() for synonym in synonyms} | {
    synonym: column for column, synonyms in SYNONYMS.items() for synonym in synonyms
}


def find_table(rows: list[Row]) -> Table:
    """The table in ``rows``; raises ``RuleBroken`` when there is none or a needed column is missing."""
    if not rows:
        raise RuleBroken(_("This workbook is empty. Upload the one with the people in it."))
    place, columns = _find_header(rows[:FIRST_ROWS])
    missing = [Column(column).label for column in REQUIRED if column not in columns]
    if missing:
        raise RuleBroken(
            _("The column %(names)s is missing in row %(row)s. Add it, or start from the template.")
            % {"names": "、".join(missing), "row": rows[place].number}
        )
    above, header, below = rows[:place], rows[place], rows[place + 1 :]
    people = [row for row in below if not _is_footer(row)]
    if not people:
        raise RuleBroken(_("There is a header in row %(row)s but nobody below it.") % {"row": header.number})
    return Table(
        columns=columns,
        headers={column: header.cell(n).text.replace("\n", "") for column, n in columns.items()},
        rows=people,
        skipped=[row.number for row in below if _is_footer(row)],
        title=_first_text(above),
        filled_by=_filled_by(above),
    )


def _find_header(rows: list[Row]) -> tuple[int, dict[str, int]]:
    """The row with most known headers, at least two of them."""
    found = [_columns(row) for row in rows]
    best = max(range(len(rows)), key=lambda n: len(found[n]))
    if len(found[best]) < 2:
        raise RuleBroken(
            _("No row with headers such as 姓名, 身份证号 and 联系电话 was found. Start from the template.")
        )
    return best, found[best]


def _columns(row: Row) -> dict[str, int]:
    columns: dict[str, int] = {}
    for n, cell in enumerate(row.cells):
        column = KEYS.get(header_key(cell.text)) or KEYS.get(header_key(cell.text).upper())
        if column and column not in columns:
            columns[column] = n
    return columns


def _is_footer(row: Row) -> bool:
    """A total, a note or a signature line: its first text says so, or it has nothing but a serial number."""
    texts = [cell.text for cell in row.cells if cell.text]
    first = re.sub(r"\s", "", texts[0])
    return first.startswith(FOOTERS) or (len(texts) == 1 and first.isdigit())


def _first_text(rows: list[Row]) -> str:
    return next((cell.text for row in rows for cell in row.cells if cell.text), "")[:200]


def _filled_by(rows: list[Row]) -> str:
    for row in rows:
        found = FILLED_BY.search(" ".join(cell.text for cell in row.cells if cell.text))
        if found:
            return found.group(1)[:200]
    return ""
