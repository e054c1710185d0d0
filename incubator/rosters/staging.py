"""Bringing checked rows and what was found in them into the tables, by COPY."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from incubator.common.bulk import clean, copy_rows
from incubator.common.encryption import encrypt, reserve_keys
from incubator.imports.checking import Finding
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from incubator.rosters.checking import CheckedRow
from incubator.rosters.choices import RowStatus
from incubator.rosters.models import ID_NUMBER, PHONE, RosterCorrection, RosterFinding, RosterImport, RosterRow
from trainees.identity import id_number_index, phone_index
from trainees.models import Trainee
from trainees.names import initials

ROW_COLUMNS = (
    "roster_id", "number", "status", "reason", "is_bad", "name", "initials", "sex", "born_on", "county_id", "township",
    "background", "education", "handle", "trainee_number", "id_number", "id_number_index", "phone", "phone_index",
    "cells", "sealed_for", "participation_key", "account_key", "trainee_id", "decision", "decided_about",
)  # fmt: skip
FINDING_COLUMNS = ("roster_id", "row", "column", "value", "sentence", "is_error", "is_of_matching")
CELLS = f"{RosterRow._meta.db_table}.cells"
LONGEST_SENTENCE = 300
Decided = Mapping[int, RosterCorrection]


def stage_rows(roster: RosterImport, rows: Sequence[CheckedRow], decided: Decided) -> None:
    """Write checked rows; a good one is new for now, under keys reserved for it. ``decided`` is by number of row.

    Of a row that somebody left out nothing is found.
    """
    people, participations, accounts = (
        reserve_keys(model, len(rows)) for model in (Trainee, Participation, CreatorAccount)
    )
    copy_rows(
        RosterRow._meta.db_table,
        ROW_COLUMNS,
        [
            _staged(roster.pk, row, keys, decided.get(row.number))
            for row, keys in zip(rows, zip(people, participations, accounts, strict=True), strict=True)
        ],
    )
    left_out = {number for number, one in decided.items() if one.left_out}
    stage_findings(roster, [found for row in rows if row.number not in left_out for found in row.findings])


def _staged(roster: int, row: CheckedRow, keys: tuple[int, int, int], decided: RosterCorrection | None) -> tuple:
    person, is_bad, left_out = row.person, row.is_wrong, clean(decided.left_out) if decided else ""
    key, participation, account = keys
    id_number, phone = person.id_number, person.phone
    return (
        roster,
        row.number,
        "skipped" if left_out else "wrong" if is_bad else "new",
        left_out,
        is_bad,
        person.name,
        initials(person.name),
        person.sex,
        person.born_on,
        person.county or None,
        person.township,
        person.background,
        person.education,
        person.handle,
        person.number,
        encrypt(id_number, context=ID_NUMBER, row=key) if id_number else None,
        id_number_index(id_number) if id_number else None,
        encrypt(phone, context=PHONE, row=key) if phone else None,
        phone_index(phone) if phone else None,
        encrypt(json.dumps(row.texts, ensure_ascii=False), context=CELLS) if is_bad else None,
        key,
        participation,
        account,
        None if is_bad or left_out else key,
        decided.decision if decided else "",
        decided.decided_about if decided else None,
    )


def stage_leftovers(roster: RosterImport, reasons: Mapping[int, Any]) -> None:
    """Write rows that are about nobody, by number, each with why."""
    columns = ("roster_id", "number", "status", "reason", "is_bad")
    skipped = RowStatus.SKIPPED.value
    rows = [(roster.pk, number, skipped, str(why.label), False) for number, why in reasons.items()]
    copy_rows(RosterRow._meta.db_table, columns, rows)


def stage_findings(roster: RosterImport, findings: Iterable[Finding], *, is_of_matching: bool = False) -> None:
    rows: list[tuple[Any, ...]] = [
        (roster.pk, f.row, f.column[:60], f.value, clean(f.sentence)[:LONGEST_SENTENCE], f.is_error, is_of_matching)
        for f in findings
    ]
    copy_rows(RosterFinding._meta.db_table, [f'"{column}"' for column in FINDING_COLUMNS], rows)


def forget_rows(roster: RosterImport) -> None:
    """Take away what an earlier check left, finished or cut off."""
    for model in (RosterRow, RosterFinding):  # nothing hangs on them
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE roster_id = %s", [roster.pk])  # noqa: S608


def forget_row(row: RosterRow) -> None:
    """Take away one row and what was found in it alone, to stage it anew."""
    RosterFinding.objects.filter(roster=row.roster_id, row=row.number).delete()
    row.delete()
