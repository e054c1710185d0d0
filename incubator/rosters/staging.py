"""Bringing checked rows and what was found in them into the tables, by COPY."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction

from incubator.common.bulk import NOTHING, clean, copy_lines, copy_rows, field
from incubator.common.encryption import encrypt, indexer, reserve_keys, sealer
from incubator.imports.checking import Finding
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from incubator.rosters.checking import CheckedRow
from incubator.rosters.choices import RowStatus
from incubator.rosters.models import ID_NUMBER, PHONE, RosterCorrection, RosterFinding, RosterImport, RosterRow
from trainees.identity import ID_NUMBER_INDEX, PHONE_INDEX
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


def stage_rows(roster: RosterImport, rows: Iterable[CheckedRow], decided: Decided, *, most: int) -> int:
    """Write checked rows, at most so many, or none; returns how many. A good one is new for now, under reserved keys.

    Rows are taken while the server is writing, so making them must ask it nothing. ``decided`` is by number of row; of
    a row that somebody left out nothing is found.
    """
    keys = zip(*(reserve_keys(model, most) for model in (Trainee, Participation, CreatorAccount)), strict=True)
    staging = _Staging(roster.pk, decided)
    with transaction.atomic():
        copy_lines(RosterRow._meta.db_table, ROW_COLUMNS, map(staging.line, rows, keys))
        stage_findings(roster, staging.findings)
    return staging.count


class _Staging:
    """Turns checked rows into lines of the table and collects what was found in them."""

    def __init__(self, roster: int, decided: Decided) -> None:
        self.count = 0
        self.findings: list[Finding] = []
        self._roster = roster
        self._decided = decided
        self._seal_id_number, self._seal_phone = sealer(ID_NUMBER), sealer(PHONE)
        self._index_id_number, self._index_phone = indexer(ID_NUMBER_INDEX), indexer(PHONE_INDEX)

    def line(self, row: CheckedRow, keys: tuple[int, int, int]) -> str:
        """In the order of ``ROW_COLUMNS``. Written out, because there are a hundred thousand of them."""
        person, is_bad = row.person, row.is_wrong
        key, participation, account = keys
        self.count += 1
        status, trainee = ("wrong", NOTHING) if is_bad else ("new", key)
        left_out = decision = ""
        decided_about = cells = id_number = id_index = phone = phone_index = NOTHING
        if self._decided and (decided := self._decided.get(row.number)):
            left_out, decision = clean(decided.left_out), decided.decision
            decided_about = field(decided.decided_about)
            if left_out:
                status, trainee = "skipped", NOTHING
        if row.findings and not left_out:
            self.findings += row.findings
        if person.id_number:
            id_number = "\\x" + self._seal_id_number(person.id_number, key).hex()
            id_index = "\\x" + self._index_id_number(person.id_number).hex()
        if person.phone:
            phone = "\\x" + self._seal_phone(person.phone, key).hex()
            phone_index = "\\x" + self._index_phone(person.phone).hex()
        if is_bad:
            cells = field(encrypt(json.dumps(row.texts, ensure_ascii=False), context=CELLS))
        return (
            f"{self._roster}\x01{row.number}\x01{status}\x01{left_out}\x01{'t' if is_bad else 'f'}\x01{person.name}\x01"
            f"{initials(person.name)}\x01{person.sex}\x01{person.born_on or NOTHING}\x01{person.county or NOTHING}\x01"
            f"{person.township}\x01{person.background}\x01{person.education}\x01{person.handle}\x01{person.number}\x01"
            f"{id_number}\x01{id_index}\x01{phone}\x01{phone_index}\x01{cells}\x01"
            f"{key}\x01{participation}\x01{account}\x01{trainee}\x01{decision}\x01{decided_about}"
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
