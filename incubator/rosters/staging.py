"""Bringing checked rows and what was found in them into the tables, by COPY."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from incubator.common.bulk import clean, copy_rows, reserve_keys
from incubator.common.encryption import encrypt
from incubator.imports.checking import Finding
from incubator.rosters.checking import CheckedRow
from incubator.rosters.choices import RowStatus
from incubator.rosters.models import ID_NUMBER, PHONE, RosterCorrection, RosterFinding, RosterImport, RosterRow
from trainees.identity import id_number_index, phone_index
from trainees.names import initials

ROW_COLUMNS = (
    "roster_id", "number", "status", "is_bad", "name", "initials", "sex", "born_on", "county_id", "township",
    "background", "education", "handle", "trainee_number", "id_number", "id_number_index", "phone", "phone_index",
    "cells", "sealed_for", "participation_key", "account_key", "trainee_id", "decision", "decided_about",
)  # fmt: skip
FINDING_COLUMNS = ("roster_id", "row", "column", "value", "sentence", "is_error", "is_of_matching")
CELLS = f"{RosterRow._meta.db_table}.cells"
LONGEST_SENTENCE = 300
Decided = Mapping[int, RosterCorrection]


def stage_rows(roster: RosterImport, rows: Sequence[CheckedRow], decided: Decided) -> None:
    """Write checked rows; a good one is new for now, under keys reserved for it. ``decided`` is by number of row."""
    people, participations, accounts = (
        reserve_keys(table, len(rows))
        for table in ("trainees_trainee", "programmes_participation", "metrics_creatoraccount")
    )
    copy_rows(
        RosterRow._meta.db_table,
        ROW_COLUMNS,
        [
            _staged(roster.pk, row, keys, decided.get(row.number))
            for row, keys in zip(rows, zip(people, participations, accounts, strict=True), strict=True)
        ],
    )
    stage_findings(roster, [finding for row in rows for finding in row.findings])


def _staged(roster: int, row: CheckedRow, keys: tuple[int, int, int], decided: RosterCorrection | None) -> tuple:
    person, is_bad = row.person, row.is_wrong
    key, participation, account = keys
    id_number, phone = person.id_number, person.phone
    return (
        roster,
        row.number,
        "wrong" if is_bad else "new",
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
        None if is_bad else key,
        decided.decision if decided else "",
        decided.decided_about if decided else None,
    )


def stage_skipped(roster: RosterImport, skipped: Iterable[tuple[int, str]]) -> None:
    """Write rows that nobody is taken from, by number, each with why; of footers nothing is said."""
    columns = ("roster_id", "number", "status", "reason", "is_bad")
    rows = [(roster.pk, number, RowStatus.SKIPPED.value, clean(reason), False) for number, reason in skipped]
    copy_rows(RosterRow._meta.db_table, columns, rows)


def stage_findings(roster: RosterImport, findings: Iterable[Finding], *, is_of_matching: bool = False) -> None:
    rows: list[tuple[Any, ...]] = [
        (roster.pk, f.row, f.column[:60], f.value, clean(f.sentence)[:LONGEST_SENTENCE], f.is_error, is_of_matching)
        for f in findings
    ]
    copy_rows(RosterFinding._meta.db_table, [f'"{column}"' for column in FINDING_COLUMNS], rows)


def forget_rows(roster: RosterImport) -> None:
    """Take away what an earlier check left, finished or cut off."""
    roster.rows.all()._raw_delete(roster.rows.db)  # type: ignore[attr-defined] - nothing hangs on them
    roster.findings.all()._raw_delete(roster.findings.db)  # type: ignore[attr-defined]
