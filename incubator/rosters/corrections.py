"""Putting single rows of a checked roster right in the desk: writers of what people say about them.

What was said is kept beside the row and holds when the file is checked again. After each word all rows are matched
anew, because a row may have been wrong for what another one says.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken, Stale
from incubator.imports.choices import TO_CONFIRM
from incubator.rosters.checking import RowCheck
from incubator.rosters.choices import BACKGROUNDS, SEXES, Column, Decision, RowStatus
from incubator.rosters.matching import match_rows
from incubator.rosters.models import RosterCorrection, RosterImport, RosterRow
from incubator.rosters.services import review
from incubator.rosters.staging import forget_row, stage_rows

SECRET = (Column.ID_NUMBER.value, Column.PHONE.value, Column.BORN_ON.value)
LONGEST_CELL = 200


@transaction.atomic
def correct_row(roster: RosterImport, number: int, texts: Mapping[str, str], *, by: Any) -> RosterImport:
    """Check the row anew with other cells, by column. What is secret and not among them stays as it is.

    Raises ``Stale`` when the roster no longer waits for confirmation.
    """
    roster, row = _locked(roster, number)
    if row.status == RowStatus.SKIPPED:
        raise RuleBroken(_("This row is left out. Take it in first."))
    kept = {column: text for column, text in texts_of_row(row).items() if column in SECRET}
    said = {column: text.strip()[:LONGEST_CELL] for column, text in texts.items()}
    return _say(roster, row, by=by, cells=json.dumps({**kept, **said}, ensure_ascii=False))


@transaction.atomic
def leave_out_row(roster: RosterImport, number: int, *, by: Any, reason: str) -> RosterImport:
    """Take nobody from the row, and say why."""
    if not reason.strip():
        raise RuleBroken(_("Say why the row is left out."))
    roster, row = _locked(roster, number)
    if not (row.name or row.cells):
        raise RuleBroken(_("Nobody stands in this row."))
    return _say(roster, row, by=by, left_out=reason.strip()[:LONGEST_CELL])


@transaction.atomic
def take_in_row(roster: RosterImport, number: int, *, by: Any) -> RosterImport:
    """Take the row in again that somebody left out."""
    roster, row = _locked(roster, number)
    if not RosterCorrection.objects.filter(roster=roster, number=number).exclude(left_out="").exists():
        raise RuleBroken(_("Nobody left this row out."))
    return _say(roster, row, by=by, left_out="")


@transaction.atomic
def decide_row(roster: RosterImport, number: int, decision: str, *, by: Any) -> RosterImport:
    """Say of a row that looks like somebody whether it is the same person, or (``""``) that it is not known yet."""
    roster, row = _locked(roster, number)
    if row.looks_like_id is None:
        raise RuleBroken(_("This row looks like nobody; there is nothing to decide."))
    about = row.looks_like_id if decision else None
    return _say(roster, row, by=by, decision=Decision(decision).value if decision else "", decided_about=about)


def _locked(roster: RosterImport, number: int) -> tuple[RosterImport, RosterRow]:
    """The import, nobody else's until the end of the transaction, and its row."""
    found = RosterImport.objects.select_for_update(of=["self"]).select_related("cohort", "region", "job", "checked_by")
    roster = found.get(pk=roster.pk)
    if roster.state not in TO_CONFIRM or roster.is_under_way:
        raise Stale(_("This import does not wait for anything to be put right just now. Look at its state."))
    row = RosterRow.objects.filter(roster=roster, number=number).first()
    if row is None:
        raise RuleBroken(_("There is no row %(row)s in this import.") % {"row": number})
    return roster, row


def _say(roster: RosterImport, row: RosterRow, *, by: Any, **said: Any) -> RosterImport:
    """Keep what was said, stage the row as it is now, and match all rows anew."""
    correction, _is_new = RosterCorrection.objects.update_or_create(
        roster=roster, number=row.number, defaults={**said, "by": by}
    )
    on = roster.checked_on or timezone.localdate()
    check = RowCheck(roster.region, roster.cohort, headers=roster.headers, on=on)
    checked = check.check(row.number, correction.texts or texts_of_row(row))
    forget_row(row)
    stage_rows(roster, [checked], {row.number: correction}, most=1)
    review(roster, match_rows(roster, by=roster.checked_by or roster.uploaded_by))
    return roster


def texts_of_row(row: RosterRow) -> dict[str, str]:
    """What the cells of a row say, by column: of a wrong one as they are written, of others as understood."""
    if row.cells:
        return row.plain_cells
    sexes = {sex: text for text, sex in SEXES.items()}
    backgrounds = {background: text for text, background in reversed(BACKGROUNDS.items())}
    texts = {
        Column.NAME: row.name,
        Column.SEX: sexes.get(row.sex, ""),
        Column.ID_NUMBER: row.plain_id_number,
        Column.PHONE: row.plain_phone.removeprefix("+86"),
        Column.COUNTY: row.county_id or "",
        Column.TOWNSHIP: row.township,
        Column.EDUCATION: row.education,
        Column.BACKGROUND: backgrounds.get(row.background, ""),
        Column.HANDLE: row.handle,
        Column.NUMBER: row.trainee_number,
        Column.BORN_ON: row.born_on.isoformat() if row.born_on and not row.id_number else "",
    }
    return {column.value: text for column, text in texts.items() if text}
