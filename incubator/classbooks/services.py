"""The only writers of these imports: uploaded, checked, confirmed (whole, or without wrong rows), put aside."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from courses.choices import AttendanceMethod
from courses.models import TrainingClass
from courses.services.attendance import mark_attendance
from courses.services.learning import write_learning_records
from incubator.classbooks import attendance as attendance_rows
from incubator.classbooks import learning as learning_rows
from incubator.classbooks.attendance import AttendanceCheck, MarkedRow, judge_marks, sessions_of
from incubator.classbooks.choices import WRITTEN, RowStatus
from incubator.classbooks.identity import check_identity
from incubator.classbooks.learning import LearningCheck, judge_records
from incubator.classbooks.models import (
    AttendanceFinding,
    AttendanceImport,
    AttendanceImportRow,
    ClassbookImport,
    ClassbookRow,
    LearningFinding,
    LearningImport,
    LearningImportRow,
)
from incubator.classbooks.people import CheckedRow
from incubator.classbooks.sheet import ATTENDANCE, LEARNING
from incubator.common.errors import RuleBroken, Stale
from incubator.common.masking import mask_numbers
from incubator.common.workbooks import Table, Workbook, find_table
from incubator.imports.checking import findings_of
from incubator.imports.choices import CAN_BE_READ_AGAIN, TO_CONFIRM, ImportState
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
from incubator.programmes.models import Cohort
from incubator.regions.models import Region

ATTENDANCE_CHECK, LEARNING_CHECK = "attendance_check", "learning_check"


# --- Attendance -------------------------------------------------------------------------------------------------------


def upload_attendance(
    file: BinaryIO, *, training_class: TrainingClass, by: Any, reason: str = "", name: str = ""
) -> AttendanceImport:
    """Keep the workbook of a class and ask for its check. ``reason`` is why marks that are made already change.

    Raises ``RuleBroken`` for a class that ``by`` may not see.
    """
    if not TrainingClass.objects.visible_to(by).filter(pk=training_class.pk).exists():
        raise RuleBroken(_("You can import for classes you may see only."))
    attendance = AttendanceImport(training_class=training_class, reason=reason.strip())
    keep_upload(attendance, file, kind=ATTENDANCE_CHECK, region=None, by=by, name=name)
    return attendance


def check_attendance(attendance: AttendanceImport, *, at: datetime) -> AttendanceImport:
    """Read the workbook and stage its rows with what was found in them. Safe to do again. Nothing else is written."""
    if not begin_reading(attendance):
        return attendance
    try:
        table = find_table(_own_workbook(attendance), ATTENDANCE)
        rows = AttendanceCheck(attendance, table, by=attendance.uploaded_by, at=at).rows()
    except RuleBroken as refusal:
        refuse(attendance, str(refusal))
        return attendance
    staged = [AttendanceImportRow(attendance=attendance, **_staged(row, row.values(), row.status)) for row in rows]
    _stage(attendance, table, rows, staged, finding=AttendanceFinding, owner="attendance")
    return attendance


def _own_workbook(attendance: AttendanceImport) -> Workbook:
    workbook = read_rows(attendance)
    try:
        check_identity(workbook.identity, training_class=attendance.training_class, by=attendance.uploaded_by)
    except RuleBroken:
        workbook.close()
        raise
    return workbook


@transaction.atomic
def apply_attendance(
    attendance: AttendanceImport, *, by: Any, at: datetime, is_partial: bool = False
) -> AttendanceImport:
    """Mark everybody of a checked workbook, or nobody; with ``is_partial`` all but its wrong rows.

    Marks are made by ``mark_attendance``, a session at a time. Raises ``RuleBroken`` while a row is wrong, ``Stale``
    when the class or its marks have changed since the preview.
    """
    attendance = AttendanceImport.objects.select_for_update(of=["self"]).get(pk=attendance.pk)
    _require_confirmable(attendance, is_partial=is_partial)
    sessions = {session.pk: session for session in sessions_of(attendance.training_class)}
    staged = _good_rows(attendance)
    rows = [attendance_rows.row_from(row.number, row.plain) for row in staged]
    judge_marks(
        rows,
        training_class=attendance.training_class,
        sessions=sessions,
        by=by,
        at=at,
        reason=attendance.reason,
    )
    _require_as_previewed(rows, staged)
    written = 0
    for pk, marks in _marks_by_session(rows).items():
        written += mark_attendance(
            sessions[pk], marks=marks, by=by, method=AttendanceMethod.WORKBOOK, reason=attendance.reason, at=at
        )
    _applied(attendance, by=by, at=at, is_partial=is_partial, written=written)
    return attendance


def _marks_by_session(rows: Sequence[MarkedRow]) -> dict[int, dict[int, tuple[str, int | None]]]:
    found: dict[int, dict[int, tuple[str, int | None]]] = {}
    for row in rows:
        for mark in row.marks:
            if row.participation_id is not None:
                found.setdefault(mark.session, {})[row.participation_id] = (mark.state, mark.minutes)
    return found


def explain_corrections(attendance: AttendanceImport, *, by: Any, reason: str) -> AttendanceImport:
    """Say why marks that are made already change, and ask for the check again."""
    if not reason.strip():
        raise RuleBroken(_("Say why marks are corrected."))
    if attendance.state not in CAN_BE_READ_AGAIN:
        raise RuleBroken(_("This import is “%(state)s”.") % {"state": attendance.get_state_display()})
    AttendanceImport.objects.filter(pk=attendance.pk).update(reason=reason.strip())
    attendance.reason = reason.strip()
    recheck(attendance, kind=ATTENDANCE_CHECK, by=by)
    return attendance


def recheck_attendance(attendance: AttendanceImport, *, by: Any) -> AttendanceImport:
    """Ask for the check again, after something changed since the preview."""
    recheck(attendance, kind=ATTENDANCE_CHECK, by=by)
    return attendance


# --- Online learning --------------------------------------------------------------------------------------------------


def upload_learning(file: BinaryIO, *, cohort: Cohort, region: Region, by: Any, name: str = "") -> LearningImport:
    """Keep the file and ask for its check. Raises ``RuleBroken`` for a region not one's own."""
    learning = LearningImport(cohort=cohort, region=region)
    keep_upload(learning, file, kind=LEARNING_CHECK, region=region, by=by, name=name)
    return learning


def check_learning(learning: LearningImport, *, at: datetime) -> LearningImport:
    """Read the file and stage its rows with what was found in them. Safe to do again. Nothing else is written."""
    if not begin_reading(learning):
        return learning
    try:
        table = find_table(read_rows(learning), LEARNING)
        rows = LearningCheck(learning, table, by=learning.uploaded_by, at=at).rows()
    except RuleBroken as refusal:
        refuse(learning, str(refusal))
        return learning
    staged = [LearningImportRow(learning=learning, **_staged(row, row.values(), row.status)) for row in rows]
    _stage(learning, table, rows, staged, finding=LearningFinding, owner="learning")
    return learning


@transaction.atomic
def apply_learning(learning: LearningImport, *, by: Any, at: datetime, is_partial: bool = False) -> LearningImport:
    """Write every record of a checked file that is new or longer, or none; with ``is_partial`` all but its wrong rows.

    Raises ``RuleBroken`` while a row is wrong, ``Stale`` when people or records have changed since the preview.
    """
    learning = LearningImport.objects.select_for_update(of=["self"]).get(pk=learning.pk)
    _require_confirmable(learning, is_partial=is_partial)
    staged = _good_rows(learning)
    rows = [learning_rows.row_from(row.number, row.plain) for row in staged]
    judge_records(rows, cohort=learning.cohort, region=learning.region, by=by)
    _require_as_previewed(rows, staged)
    told = [row.learned for row in rows if row.status in WRITTEN]
    written = write_learning_records(told, origin=f"{learning._meta.label_lower}/{learning.pk}", at=at)
    _applied(learning, by=by, at=at, is_partial=is_partial, written=written)
    return learning


def recheck_learning(learning: LearningImport, *, by: Any) -> LearningImport:
    """Ask for the check again, after something changed since the preview."""
    recheck(learning, kind=LEARNING_CHECK, by=by)
    return learning


# --- What both have ---------------------------------------------------------------------------------------------------


def discard(staged: ClassbookImport, *, by: Any) -> None:
    """Put an import aside that is not to be written."""
    move(staged, ImportState.DISCARDED)


def check_failed(staged: ClassbookImport, sentence: str) -> None:
    """The check came to no end and is not tried again by itself."""
    fail(staged, sentence)


def _staged(row: CheckedRow, values: dict[str, Any], status: str) -> dict[str, Any]:
    return {
        "number": row.number,
        "status": status,
        "values": json.dumps(values, ensure_ascii=False),
        "participation_id": row.participation_id,
    }


def _stage(
    staged: ClassbookImport,
    table: Table,
    rows: Sequence[Any],
    to_stage: Sequence[ClassbookRow],
    *,
    finding: Any,
    owner: str,
) -> None:
    counts = Counter(row.status for row in rows)
    stage(
        staged,
        rows=to_stage,
        finding=finding,
        owner=owner,
        found=findings_of(rows),
        title=mask_numbers(table.title),
        filled_by=mask_numbers(table.filled_by),
        skipped_count=len(table.skipped),
        **{f"{status}_count": counts[status] for status in RowStatus.values},
    )


def _require_confirmable(staged: ClassbookImport, *, is_partial: bool) -> None:
    if staged.state == ImportState.APPLIED or not is_partial:
        require_no_wrong_row(staged)
    if staged.state not in TO_CONFIRM or not staged.to_write_count:
        raise RuleBroken(_("There is nothing to write in this workbook: all of it is known already."))


def _good_rows(staged: Any) -> list[Any]:
    return list(staged.rows.exclude(status=RowStatus.WRONG))


def _require_as_previewed(rows: Sequence[Any], staged: Sequence[ClassbookRow]) -> None:
    """Raises ``Stale`` when a row would now be something else than was shown."""
    for row, was in zip(rows, staged, strict=True):
        if row.status != was.status or row.participation_id != was.participation_id:
            raise Stale(_("People or what is known of them have changed since this preview. Check the workbook again."))


def _applied(staged: ClassbookImport, *, by: Any, at: datetime, is_partial: bool, written: int) -> None:
    is_partial = is_partial and staged.wrong_count > 0
    move(staged, ImportState.APPLIED, applied_by=by, applied_at=at, is_partial=is_partial, written_count=written)
