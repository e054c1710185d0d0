"""The only writers of roster imports: uploaded, checked, confirmed or discarded. All is written, or nothing."""

import hashlib
import json
import tempfile
import uuid
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incubator.common.encryption import seal, unseal
from incubator.common.errors import RuleBroken, Stale
from incubator.common.workbooks import LARGEST_FILE, Row, read_workbook
from incubator.jobs.services import ask_for_job
from incubator.metrics.services import register_accounts
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort
from incubator.programmes.services import admit, nominate_trainees
from incubator.regions.models import Region
from incubator.rosters.checking import CheckedRow, RosterCheck, counties_of, match_people, person_from
from incubator.rosters.choices import MOVES, ImportState, RowStatus
from incubator.rosters.models import RosterFinding, RosterImport, RosterRow
from incubator.rosters.sheet import Table, find_table
from trainees.models import Trainee
from trainees.services import NewTrainee, enter_trainees

FILE_CONTEXT = "rosters_rosterimport.file"


def upload_roster(file: BinaryIO, *, cohort: Cohort, region: Region, by: Any, name: str = "") -> RosterImport:
    """Keep the workbook and ask for its check in the background. Raises ``RuleBroken`` for a region not one's own."""
    if not Region.objects.visible_to(by).filter(pk=region.pk).exists():
        raise RuleBroken(_("You can import rosters for your own region only."))
    name = name or Path(getattr(file, "name", "") or "roster.xlsx").name
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise RuleBroken(_("This file is larger than 20 MB. Split it and upload the parts."))
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        roster = RosterImport(cohort=cohort, region=region, file_name=name[:200], sha256=digest, uploaded_by=by)
        roster.file.save(uuid.uuid4().hex, ContentFile(seal(content, context=FILE_CONTEXT)), save=False)
        roster.save()
        roster.job = ask_for_job(
            "roster_check", key=str(roster.pk), title=_("Check of %(file)s") % {"file": name}, by=by, roster=roster.pk
        )
        roster.save(update_fields=["job"])
    return roster


def check_roster(roster: RosterImport, *, on: date) -> RosterImport:
    """Read the workbook and stage its rows with what was found in them. Safe to do again. Nothing else is written."""
    if roster.state not in (ImportState.UPLOADED, ImportState.CHECKED):
        return roster
    try:
        table = find_table(_read(roster))
    except RuleBroken as refusal:
        return _refuse(roster, str(refusal))
    rows = RosterCheck(roster, table, by=roster.uploaded_by, on=on).rows()
    _stage(roster, table, rows)
    return roster


def _read(roster: RosterImport) -> list[Row]:
    """The workbook's rows. It lies encrypted, and is opened for the reader into a private, passing file."""
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as opened:
        opened.write(unseal(roster.file.read(), context=FILE_CONTEXT))
        opened.flush()
        roster.file.close()
        return read_workbook(Path(opened.name))


def _refuse(roster: RosterImport, sentence: str) -> RosterImport:
    _move(roster, ImportState.REFUSED, error=sentence)
    return roster


@transaction.atomic
def _stage(roster: RosterImport, table: Table, rows: list[CheckedRow]) -> None:
    roster.rows.all().delete()
    roster.findings.all().delete()
    RosterRow.objects.bulk_create(
        [
            RosterRow(
                roster=roster,
                number=row.number,
                status=row.status,
                values=json.dumps(row.values(), ensure_ascii=False),
                trainee_id=row.trainee_id,
            )
            for row in rows
        ],
        batch_size=1000,
    )
    RosterFinding.objects.bulk_create(
        [
            RosterFinding(
                roster=roster, row=f.row, column=f.column, value=f.value, sentence=f.sentence, is_error=f.is_error
            )
            for row in rows
            for f in row.findings
        ],
        batch_size=1000,
    )
    counts = Counter(row.status for row in rows)
    _move(
        roster,
        ImportState.CHECKED,
        title=table.title,
        filled_by=table.filled_by,
        new_count=counts[RowStatus.NEW],
        matched_count=counts[RowStatus.MATCHED],
        wrong_count=counts[RowStatus.WRONG],
        skipped_count=len(table.skipped),
    )


@transaction.atomic
def apply_roster(roster: RosterImport, *, by: Any, on: date) -> RosterImport:
    """Write everybody of a checked roster, nominated on that day, or nobody.

    Raises ``RuleBroken`` while a row is wrong, ``Stale`` when who is known has changed since the preview.
    """
    roster = RosterImport.objects.select_for_update().select_related("cohort", "region").get(pk=roster.pk)
    if roster.state == ImportState.APPLIED:
        raise Stale(_("This roster has been written already."))
    if roster.state == ImportState.CHECKED and roster.wrong_count:
        raise RuleBroken(
            ngettext(
                "%(count)s row is wrong. Correct it in the workbook and upload it again; nothing was written.",
                "%(count)s rows are wrong. Correct them in the workbook and upload it again; nothing was written.",
                roster.wrong_count,
            )
            % {"count": roster.wrong_count}
        )
    if not roster.can_be_applied:
        raise RuleBroken(_("There is nobody to write in this roster."))
    rows = _rows_as_previewed(roster, by=by)
    try:
        with transaction.atomic():
            _write(roster, rows, by=by, on=on)
    except IntegrityError:
        raise Stale(_("Somebody entered one of these people at this moment. Check the roster again.")) from None
    _move(roster, ImportState.APPLIED, applied_by=by, applied_at=timezone.now())
    return roster


def _rows_as_previewed(roster: RosterImport, *, by: Any) -> list[CheckedRow]:
    """The staged rows, matched anew; raises ``Stale`` when one would now be something else than was shown."""
    staged = list(roster.rows.all())
    rows = [CheckedRow(row.number, person_from(row.plain)) for row in staged]
    match_people(rows, by=by, headers={})
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
    with transaction.atomic():
        return _move(roster, ImportState.DISCARDED)


def recheck_roster(roster: RosterImport, *, by: Any) -> RosterImport:
    """Ask for the check again, after something changed since the preview."""
    if roster.state != ImportState.CHECKED:
        raise RuleBroken(_("Only a roster that waits for confirmation is checked again."))
    roster.job = ask_for_job(
        "roster_check", key=str(roster.pk), title=_("Check of %(file)s") % {"file": roster}, by=by, roster=roster.pk
    )
    roster.save(update_fields=["job"])
    return roster


def _move(roster: RosterImport, after: ImportState, **changes: Any) -> RosterImport:
    """Guarded by the state that was read, so of two at once one loses."""
    before = roster.state
    if after not in MOVES[before]:
        raise RuleBroken(
            _("The roster is “%(before)s” and cannot become “%(after)s”.")
            % {"before": roster.get_state_display(), "after": after.label}
        )
    if not RosterImport.objects.filter(pk=roster.pk, state=before).update(state=after, **changes):
        raise Stale(_("Somebody else has just changed this roster. Look again and repeat."))
    roster.refresh_from_db()
    return roster
