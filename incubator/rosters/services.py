"""The only writers of roster imports: uploaded, checked, corrected, confirmed, put aside, undone.

All is written or nothing; by choice all but the wrong rows. A roster of more than ``AT_ONCE`` rows is written and
undone in the background. Whatever is cut off anywhere may be done again from its beginning.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from itertools import islice
from typing import Any, BinaryIO

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from psycopg.errors import DeadlockDetected

from incubator.common.encryption import index_fingerprint
from incubator.common.errors import RuleBroken, Stale
from incubator.common.masking import mask_numbers
from incubator.common.workbooks import Row, Table
from incubator.imports.choices import TO_CONFIRM, ImportState
from incubator.imports.services import (
    begin_reading,
    fail,
    keep_upload,
    move,
    recheck,
    refuse,
    require_no_wrong_row,
)
from incubator.jobs.services import ask_for_job
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.rosters.checking import CheckedRow, RowCheck, headers_of, texts_of
from incubator.rosters.choices import CORRECTABLE
from incubator.rosters.matching import Counts, is_stale, match_rows, pairs_alike
from incubator.rosters.models import RosterCorrection, RosterImport
from incubator.rosters.reading import keep_outline, read_table
from incubator.rosters.staging import forget_rows, stage_leftovers, stage_rows
from incubator.rosters.undoing import holds, take_back
from incubator.rosters.writing import lock_known, lock_written, one_after_the_other, write_rows
from trainees.services import require_index_key
from trainees.signals import people_look_alike

CHECK, APPLY, UNDO = "roster_check", "roster_apply", "roster_undo"
CHUNK = 10_000  # rows that are checked and staged between two words about how far it is
AT_ONCE = 2_000  # rows that are written while somebody waits

Tell = Callable[[int, int], None]  # so many rows are done, of so many


def _nobody_listens(done: int, total: int) -> None:
    pass


def upload_roster(file: BinaryIO, *, cohort: Cohort, region: Region, by: Any, name: str = "") -> RosterImport:
    """Keep the workbook and ask for its check in the background. Raises ``RuleBroken`` for a region not one's own."""
    roster = RosterImport(cohort=cohort, region=region, checked_by=by)
    keep_upload(roster, file, kind=CHECK, region=region, by=by, name=name)
    return roster


def upload_correction(earlier: RosterImport, file: BinaryIO, *, by: Any, name: str = "") -> RosterImport:
    """Keep the corrected workbook of an import, for the same cohort and region. When its check comes to an end, the
    earlier import is put aside; while it does not (the wrong file was chosen), that one stays as it is.

    Raises ``RuleBroken`` for an import that was written or put aside already, and as ``upload_roster`` does.
    """
    if earlier.state not in CORRECTABLE:
        raise RuleBroken(
            _("This import is “%(state)s”, so it takes no corrected workbook. Upload it as a new import.")
            % {"state": earlier.get_state_display()}
        )
    roster = RosterImport(cohort=earlier.cohort, region=earlier.region, corrects=earlier)
    keep_upload(roster, file, kind=CHECK, region=earlier.region, by=by, name=name)
    return roster


def put_corrected_aside(roster: RosterImport, *, by: Any) -> None:
    """Discard the import that this one, checked by now, corrects. Safe to do again, and where somebody was quicker."""
    earlier = roster.corrects
    if earlier is None or roster.state not in TO_CONFIRM or earlier.state not in CORRECTABLE:
        return
    with suppress(Stale):
        move(earlier, ImportState.DISCARDED, by=by)


# --- Checking ---------------------------------------------------------------------------------------------------------


def check_roster(roster: RosterImport, *, on: date, tell: Tell = _nobody_listens) -> RosterImport:
    """Read the workbook and stage its rows with what was found in them. Safe to do again. Nothing else is written.

    Rows come from the reading process and go to the tables a chunk at a time; ``tell`` hears how many have come.
    """
    if not begin_reading(roster):
        return roster
    forget_rows(roster)
    try:
        table = read_table(roster)
        roster.headers = headers_of(table)
        height = max((sheet.height for sheet in table.outline.sheets), default=0)
        _stage_table(roster, table, on=on, tell=tell, height=height)
        keep_outline(roster, table)
    except RuleBroken as refusal:
        forget_rows(roster)
        refuse(roster, str(refusal))
        return roster
    counts = match_rows(roster, by=roster.checked_by or roster.uploaded_by)
    review(
        roster,
        counts,
        title=mask_numbers(table.title),
        filled_by=mask_numbers(table.filled_by),
        headers=roster.headers,
        conditions=_conditions(roster.cohort),
        checked_on=on,
    )
    return roster


def _stage_table(roster: RosterImport, table: Table, *, on: date, tell: Tell, height: int) -> None:
    check = RowCheck(roster.region, roster.cohort, headers=roster.headers, on=on)
    decided = {one.number: one for one in roster.corrections.all()}  # type: ignore[attr-defined]
    come = 0
    while some := stage_rows(roster, _checked(islice(table.rows, CHUNK), check, table, decided), decided, most=CHUNK):
        come += some
        tell(come, height)
    stage_leftovers(roster, table.reasons)


def _checked(
    rows: Iterable[Row], check: RowCheck, table: Table, decided: Mapping[int, RosterCorrection]
) -> Iterator[CheckedRow]:
    """Rows as they come from the file; where somebody has written other cells, with those."""
    for row in rows:
        said = decided.get(row.number) if decided else None
        if said is not None and said.cells:
            yield check.check(row.number, said.texts)
        else:
            yield check.check(row.number, *texts_of(row, table.columns))


def review(roster: RosterImport, counts: Counts, **changes: Any) -> None:
    """Let the import wait for somebody: to confirm it, or to decide what is wrong or doubtful first."""
    after = ImportState.IN_REVIEW if counts.wrong or counts.doubtful else ImportState.CHECKED
    move(
        roster,
        after,
        new_count=counts.new,
        matched_count=counts.matched,
        changed_count=counts.changed,
        doubtful_count=counts.doubtful,
        wrong_count=counts.wrong,
        skipped_count=counts.skipped,
        **changes,
    )


def recheck_roster(roster: RosterImport, *, by: Any) -> RosterImport:
    """Ask for the check again, in the region of who asks, after something changed or failed."""
    recheck(roster, kind=CHECK, by=by)
    RosterImport.objects.filter(pk=roster.pk).update(checked_by=by)
    roster.checked_by = by
    return roster


def check_failed(roster: RosterImport, sentence: str) -> None:
    """The check came to no end and is not tried again by itself."""
    fail(roster, sentence)


# --- Writing ----------------------------------------------------------------------------------------------------------


def ask_to_apply(roster: RosterImport, *, by: Any, on: date, is_partial: bool = False) -> RosterImport:
    """Write a roster now, or let the background do it when it is long."""
    _require_confirmable(roster, is_partial=is_partial)
    if roster.row_count <= AT_ONCE:
        return apply_roster(roster, by=by, on=on, is_partial=is_partial)
    title = _("Writing of %(file)s") % {"file": roster.file_name}
    arguments = {"staged": roster.pk, "by_id": by.pk, "on": on.isoformat(), "is_partial": is_partial}
    _ask(roster, APPLY, by=by, title=title, total=roster.good_count, **arguments)
    return roster


def _ask(roster: RosterImport, kind: str, *, by: Any, title: str, total: int, **arguments: Any) -> None:
    """One thing at a time is done with an import: while another waits or runs, nothing is asked for."""
    if roster.job is not None and roster.job.is_live:
        raise Stale(_("Work on this import is under way. Wait for its end."))
    job = ask_for_job(kind, key=str(roster.pk), title=title, by=by, total=total, **arguments)
    RosterImport.objects.filter(pk=roster.pk).update(job=job)
    roster.job = job


@transaction.atomic
def apply_roster(
    roster: RosterImport, *, by: Any, on: date, is_partial: bool = False, tell: Tell = _nobody_listens
) -> RosterImport:
    """Write everybody of a checked roster, nominated on that day, or nobody; with ``is_partial`` all but wrong rows.

    Raises ``RuleBroken`` while a row is wrong, ``Stale`` when people or the cohort have changed since the preview.
    """
    one_after_the_other()
    roster = RosterImport.objects.select_for_update(of=["self"]).select_related("cohort", "region").get(pk=roster.pk)
    _require_confirmable(roster, is_partial=is_partial)
    lock_known(roster)
    require_index_key()
    if roster.conditions != _conditions(roster.cohort):
        raise Stale(_("What the cohort asks for has changed since this preview. Check the roster again."))
    if is_stale(roster, by=by):
        raise Stale(_("Who is known already has changed since this preview. Check the roster again."))
    try:
        with transaction.atomic():
            write_rows(roster, by=by, on=on, tell=tell)
    except IntegrityError:
        raise Stale(_("Somebody entered one of these people at this moment. Check the roster again.")) from None
    except OperationalError as fault:
        if not isinstance(fault.__cause__, DeadlockDetected):
            raise
        raise Stale(_("Somebody is just working with one of these people. Look again and repeat.")) from None
    if pairs := pairs_alike(roster):
        people_look_alike.send(sender=RosterImport, pairs=pairs)
    move(roster, ImportState.APPLIED, by=by, applied_by=by, applied_at=timezone.now(), is_partial=is_partial)
    return roster


def _conditions(cohort: Cohort) -> dict[str, int | str]:
    """What a preview holds under: what the cohort asks of rows, and the key by which people were looked up."""
    return {**cohort.roster_conditions, "index key": index_fingerprint()}


def _require_confirmable(roster: RosterImport, *, is_partial: bool) -> None:
    if roster.state == ImportState.APPLIED or not is_partial:
        require_no_wrong_row(roster)
    if roster.state not in TO_CONFIRM or not roster.good_count:
        raise RuleBroken(_("There is nobody to write in this roster."))


# --- Putting aside and undoing ----------------------------------------------------------------------------------------


def discard_roster(roster: RosterImport, *, by: Any) -> RosterImport:
    """Put a roster aside that is not to be written."""
    move(roster, ImportState.DISCARDED, by=by)
    return roster


def ask_to_undo(roster: RosterImport, *, by: Any) -> RosterImport:
    """Undo a roster now, or let the background do it when it is long."""
    if roster.state != ImportState.APPLIED:
        raise RuleBroken(_("Only a roster that was written can be undone."))
    if roster.row_count <= AT_ONCE:
        return undo_roster(roster, by=by)
    title = _("Undoing of %(file)s") % {"file": roster.file_name}
    _ask(roster, UNDO, by=by, title=title, total=roster.good_count, staged=roster.pk, by_id=by.pk)
    return roster


@transaction.atomic
def undo_roster(roster: RosterImport, *, by: Any) -> RosterImport:
    """Take back what a roster wrote: its people, participations and accounts go, changed values are put back.

    Raises ``RuleBroken``, naming rows, while something depends on them.
    """
    one_after_the_other()
    roster = RosterImport.objects.select_for_update(of=["self"]).get(pk=roster.pk)
    if roster.state != ImportState.APPLIED:
        raise RuleBroken(_("Only a roster that was written can be undone."))
    lock_written(roster)
    if held := holds(roster, most=4):
        raise RuleBroken(_held(held))
    try:
        with transaction.atomic():
            take_back(roster, by=by)
            connection.check_constraints()
    except IntegrityError:
        raise Stale(_("Somebody is just working with one of these people. Look again and repeat.")) from None
    move(roster, ImportState.UNDONE, by=by, undone_by=by, undone_at=timezone.now())
    return roster


def _held(held: list[Any]) -> str:
    rows = "; ".join(f"{hold.row} {hold.name} ({hold.what})" for hold in held[:3])
    more = " …" if len(held) > 3 else ""
    sentence = ngettext(
        "This import cannot be undone: row %(rows)s.", "This import cannot be undone: rows %(rows)s.", len(held)
    )
    return sentence % {"rows": rows + more}
