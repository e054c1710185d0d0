"""Reading the workbook of a roster: which sheet, which columns, and what is kept of how it was understood."""

from collections import Counter
from typing import Any

from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_numbers
from incubator.common.workbooks import Outline, Table, TableNotFound, Workbook, find_table
from incubator.imports.services import read_rows
from incubator.rosters.choices import Column
from incubator.rosters.identity import check_identity
from incubator.rosters.mapping import mapping_of
from incubator.rosters.models import RosterImport
from incubator.rosters.sheet import ROSTER

MOST_HEADERS = 100  # kept of a sheet


def read_table(roster: RosterImport) -> Table:
    """The table of the sheet somebody chose, or that fits best, under what is known of the region's headers.

    Raises ``RuleBroken``. How the sheet was understood is kept with the import, also where it was not.
    """
    try:
        table = people_table(read_rows(roster), roster)
    except TableNotFound as refusal:
        _keep(roster, outline_of(refusal.outline))
        raise
    _keep(roster, outline_of(table.outline))
    return table


def people_table(workbook: Workbook, roster: RosterImport) -> Table:
    """The table of people in a workbook: in the sheet somebody chose or a template names, else in the one that fits.

    Closes the workbook and raises ``RuleBroken`` where it is a template of something else, and as ``find_table`` does.
    """
    try:
        identity = check_identity(workbook.identity, cohort=roster.cohort, region=roster.region)
    except RuleBroken:
        workbook.close()
        raise
    named = identity.sheet if identity and any(sheet.name == identity.sheet for sheet in workbook.sheets) else ""
    return find_table(workbook, ROSTER, sheet=roster.sheet or named, mapping=mapping_of(roster.region))


def keep_outline(roster: RosterImport, table: Table) -> None:
    """Keep what is known when the last row was taken, too: why rows were left out, what was taken from above."""
    reasons = Counter(reason.value for reason in table.reasons.values())
    _keep(roster, {**outline_of(table.outline), "left_out": dict(reasons), "taken": dict(table.taken)})


def _keep(roster: RosterImport, outline: dict[str, Any]) -> None:
    roster.outline = outline
    roster.save(update_fields=["outline"])


def outline_of(outline: Outline) -> dict[str, Any]:
    """An outline as JSON: the sheets, which was read, its header row and headers, samples so that nobody is known."""
    return {
        "sheets": [sheet.name for sheet in outline.sheets if sheet.height],
        "hidden": [sheet.name for sheet in outline.sheets if sheet.is_hidden],
        "sheet": outline.sheet,
        "header_row": outline.header_row,
        "headers": [
            {
                "place": header.place,
                "letter": header.letter,
                "text": mask_numbers(header.text),  # where there is no header, the first person stands in its place
                "key": mask_numbers(header.key),
                "column": header.column,
                "is_chosen": header.is_chosen,
                "is_serial": header.is_serial,
                "samples": [mask_sample(text) for text in header.samples],
            }
            for header in outline.headers[:MOST_HEADERS]
        ],
    }


def mask_sample(text: str) -> str:
    """Enough of a cell to see what kind of thing it is: ``马兰花`` → ``马**``, ``15400001234`` → ``154********``."""
    text = " ".join(text.split())[:30]
    shown = 3 if len(text) >= 8 else 1
    return text[:shown] + "*" * (len(text) - shown)


def unused_columns(outline: dict[str, Any]) -> list[str]:
    """``K 备注``: columns that lead nowhere although nobody said so."""
    return [
        f"{header['letter']} {header['text']}".strip()
        for header in outline.get("headers", [])
        if not (header["column"] or header["is_chosen"] or header["is_serial"])
    ]


def column_name(column: str) -> str:
    return str(Column(column).label)
