"""The only writers of figures imports: uploaded, checked, confirmed or discarded. All is written, or nothing."""

import json
from collections import Counter
from datetime import date, datetime
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken, Stale
from incubator.common.masking import mask_numbers
from incubator.common.workbooks import Table, find_table
from incubator.figures.checking import CheckedRow, FiguresCheck, figure_from, match_figures
from incubator.figures.choices import WRITTEN, RowStatus
from incubator.figures.models import FiguresFinding, FiguresImport, FiguresRow
from incubator.figures.sheet import FIGURES
from incubator.imports.checking import findings_of
from incubator.imports.choices import ImportState
from incubator.imports.services import (
    begin_reading,
    fail,
    keep_upload,
    move,
    read_rows,
    recheck,
    refuse,
    require_no_wrong_row,
    stage,
)
from incubator.metrics.choices import Source
from incubator.metrics.services.readings import write_readings
from incubator.regions.models import Region

CHECK = "figures_check"


def upload_figures(
    file: BinaryIO, *, region: Region, by: Any, day: date | None = None, name: str = ""
) -> FiguresImport:
    """Keep the workbook and ask for its check. ``day`` is for rows that name none, in a sheet that names none.

    Raises ``RuleBroken`` for a region not one's own.
    """
    figures = FiguresImport(region=region, day=day)
    keep_upload(figures, file, kind=CHECK, region=region, by=by, name=name)
    return figures


def check_figures(figures: FiguresImport, *, on: date) -> FiguresImport:
    """Read the workbook and stage its rows with what was found in them. Safe to do again. Nothing else is written."""
    if not begin_reading(figures):
        return figures
    try:
        table = find_table(read_rows(figures), FIGURES)
        rows = FiguresCheck(figures, table, by=figures.uploaded_by, on=on).rows()
    except RuleBroken as refusal:
        refuse(figures, str(refusal))
        return figures
    _stage(figures, table, rows)
    return figures


def _stage(figures: FiguresImport, table: Table, rows: list[CheckedRow]) -> None:
    counts = Counter(row.status for row in rows)
    stage(
        figures,
        rows=[_staged(figures, row) for row in rows],
        finding=FiguresFinding,
        owner="figures",
        found=findings_of(rows),
        title=mask_numbers(table.title),
        filled_by=mask_numbers(table.filled_by),
        skipped_count=len(table.skipped),
        **{f"{status}_count": counts[status] for status in RowStatus.values},
    )


def _staged(figures: FiguresImport, row: CheckedRow) -> FiguresRow:
    values = json.dumps(row.values(), ensure_ascii=False)
    return FiguresRow(figures=figures, number=row.number, status=row.status, values=values, account_id=row.account_id)


@transaction.atomic
def apply_figures(figures: FiguresImport, *, by: Any, at: datetime) -> FiguresImport:
    """Write every figure of a checked import that is not known already, read at ``at``, or none.

    There is no undoing it as a whole: a later file corrects a figure of its day, and the earlier one stays on record.
    Raises ``RuleBroken`` while a row is wrong, ``Stale`` when accounts or readings have changed since the preview.
    """
    figures = FiguresImport.objects.select_for_update().select_related("region").get(pk=figures.pk)
    require_no_wrong_row(figures)
    if not figures.can_be_applied:
        raise RuleBroken(_("There is nothing to write in this workbook: no figure in it is new."))
    rows = _rows_as_previewed(figures, by=by)
    done = write_readings(_readings(rows), source=Source.FILE, at=at)
    move(
        figures,
        ImportState.APPLIED,
        applied_by=by,
        applied_at=at,
        written_count=done.written + done.corrected,
        quarantined_count=done.quarantined,
    )
    return figures


def _readings(rows: list[CheckedRow]) -> list[tuple[int, date, int, int | None]]:
    """What is handed on, as the writer of readings wants it. How many others an account follows no file says."""
    return [
        (row.account_id, row.figure.on, row.figure.followers, None)
        for row in rows
        if row.status in WRITTEN and row.account_id is not None and row.figure.followers is not None
    ]


def _rows_as_previewed(figures: FiguresImport, *, by: Any) -> list[CheckedRow]:
    """The staged rows, matched anew; raises ``Stale`` when one would now be something else than was shown."""
    staged = list(figures.rows.all())
    rows = [CheckedRow(row.number, figure=figure_from(row.plain)) for row in staged]
    match_figures(rows, region=figures.region, by=by)
    for row, was in zip(rows, staged, strict=True):
        if row.status != was.status or row.account_id != was.account_id:
            raise Stale(_("Accounts or readings have changed since this preview. Check the workbook again."))
    return rows


def discard_figures(figures: FiguresImport, *, by: Any) -> FiguresImport:
    """Put an import aside that is not to be written."""
    move(figures, ImportState.DISCARDED)
    return figures


def check_failed(figures: FiguresImport, sentence: str) -> None:
    """The check came to no end and is not tried again by itself."""
    fail(figures, sentence)


def recheck_figures(figures: FiguresImport, *, by: Any) -> FiguresImport:
    """Ask for the check again, after something changed since the preview."""
    recheck(figures, kind=CHECK, by=by)
    return figures
