"""The only writers of roster imports: uploaded, checked, confirmed or discarded. All is written, or nothing."""

import json
from collections import Counter
from contextlib import suppress
from datetime import date
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken, Stale
from incubator.common.workbooks import Table
from incubator.imports.checking import findings_of
from incubator.imports.choices import ImportState
from incubator.imports.services import keep_upload, move, read_rows, recheck, refuse, require_no_wrong_row, stage
from incubator.metrics.services import register_accounts
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort
from incubator.programmes.services import admit, nominate_trainees
from incubator.regions.models import Region
from incubator.rosters.checking import CheckedRow, RosterCheck, counties_of, match_people, person_from
from incubator.rosters.choices import CORRECTABLE, READ, RowStatus
from incubator.rosters.identity import people_table
from incubator.rosters.models import RosterFinding, RosterImport, RosterRow
from trainees.models import Trainee
from trainees.services import NewTrainee, enter_trainees

CHECK = "roster_check"


def upload_roster(file: BinaryIO, *, cohort: Cohort, region: Region, by: Any, name: str = "") -> RosterImport:
    """Keep the workbook and ask for its check in the background. Raises ``RuleBroken`` for a region not one's own."""
    roster = RosterImport(cohort=cohort, region=region)
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
    if earlier is None or roster.state not in READ or earlier.state not in CORRECTABLE:
        return
    with suppress(Stale):
        move(earlier, ImportState.DISCARDED)


def check_roster(roster: RosterImport, *, on: date) -> RosterImport:
    """Read the workbook and stage its rows with what was found in them. Safe to do again. Nothing else is written."""
    if roster.state not in (ImportState.UPLOADED, ImportState.CHECKED):
        return roster
    try:
        table = people_table(read_rows(roster), cohort=roster.cohort, region=roster.region)
    except RuleBroken as refusal:
        refuse(roster, str(refusal))
        return roster
    rows = RosterCheck(roster, table, by=roster.uploaded_by, on=on).rows()
    _stage(roster, table, rows)
    return roster


def _stage(roster: RosterImport, table: Table, rows: list[CheckedRow]) -> None:
    counts = Counter(row.status for row in rows)
    stage(
        roster,
        rows=[_staged(roster, row) for row in rows],
        finding=RosterFinding,
        owner="roster",
        found=findings_of(rows),
        title=table.title,
        filled_by=table.filled_by,
        new_count=counts[RowStatus.NEW],
        matched_count=counts[RowStatus.MATCHED],
        wrong_count=counts[RowStatus.WRONG],
        skipped_count=len(table.skipped),
    )


def _staged(roster: RosterImport, row: CheckedRow) -> RosterRow:
    values = json.dumps(row.values(), ensure_ascii=False)
    return RosterRow(roster=roster, number=row.number, status=row.status, values=values, trainee_id=row.trainee_id)


@transaction.atomic
def apply_roster(roster: RosterImport, *, by: Any, on: date) -> RosterImport:
    """Write everybody of a checked roster, nominated on that day, or nobody.

    Raises ``RuleBroken`` while a row is wrong, ``Stale`` when who is known has changed since the preview.
    """
    roster = RosterImport.objects.select_for_update().select_related("cohort", "region").get(pk=roster.pk)
    require_no_wrong_row(roster)
    if not roster.can_be_applied:
        raise RuleBroken(_("There is nobody to write in this roster."))
    rows = _rows_as_previewed(roster, by=by)
    try:
        with transaction.atomic():
            _write(roster, rows, by=by, on=on)
    except IntegrityError:
        raise Stale(_("Somebody entered one of these people at this moment. Check the roster again.")) from None
    move(roster, ImportState.APPLIED, applied_by=by, applied_at=timezone.now())
    return roster


def _rows_as_previewed(roster: RosterImport, *, by: Any) -> list[CheckedRow]:
    """The staged rows, matched anew; raises ``Stale`` when one would now be something else than was shown."""
    staged = list(roster.rows.all())
    rows = [CheckedRow(row.number, person=person_from(row.plain)) for row in staged]
    match_people(rows, by=by)
    for row, was in zip(rows, staged, strict=True):
        if row.status != was.status or row.trainee_id != was.trainee_id:
            raise Stale(_("Who is known already has changed since this preview. Check the roster again."))
    return rows


def _write(roster: RosterImport, rows: list[CheckedRow], *, by: Any, on: date) -> None:
    counties = counties_of([row.person for row in rows])
    new = [row for row in rows if row.status == RowStatus.NEW]
    entered = enter_trainees([_new_trainee(row, counties) for row in new], year=on.year)
    known = Trainee.objects.in_bulk([row.trainee_id for row in rows if row.trainee_id])
    people: dict[int, Trainee] = {row.number: trainee for row, trainee in zip(new, entered, strict=True)}
    people |= {row.number: known[row.trainee_id] for row in rows if row.trainee_id}
    nominated = nominate_trainees(people.values(), cohort=roster.cohort, on=on, by=by)
    admit([p for p in nominated if p.state == ParticipationState.NOMINATED], by=by)
    register_accounts([(people[row.number], row.person.handle) for row in rows if row.person.handle])
    _remember_trainees(roster, people)


def _remember_trainees(roster: RosterImport, people: dict[int, Trainee]) -> None:
    staged = list(roster.rows.all())
    for row in staged:
        row.trainee = people[row.number]
    RosterRow.objects.bulk_update(staged, ["trainee"], batch_size=1000)


def _new_trainee(row: CheckedRow, counties: dict[str, Region]) -> NewTrainee:
    person = row.person
    return NewTrainee(
        name=person.name,
        county=counties[person.county],
        sex=person.sex,
        born_on=date.fromisoformat(person.born_on) if person.born_on else None,
        township=person.township,
        background=person.background,
        education=person.education,
        id_number=person.id_number,
        phone=person.phone,
    )


def discard_roster(roster: RosterImport, *, by: Any) -> RosterImport:
    """Put a roster aside that is not to be written."""
    move(roster, ImportState.DISCARDED)
    return roster


def recheck_roster(roster: RosterImport, *, by: Any) -> RosterImport:
    """Ask for the check again, after something changed since the preview."""
    recheck(roster, kind=CHECK, by=by)
    return roster
