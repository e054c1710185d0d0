"""Checking an attendance workbook: each row becomes marks, or findings that say what to correct."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.choices import AttendanceState, EnrolmentState
from courses.models import Attendance, Enrolment, Session, TrainingClass
from courses.services.attendance import EARLY
from incubator.classbooks.choices import Column, RowStatus
from incubator.classbooks.models import AttendanceImport
from incubator.classbooks.people import (
    CheckedRow,
    Key,
    Known,
    add_keys,
    choose,
    empty,
    not_known,
    people_known,
    read_who,
    require_a_number,
)
from incubator.classbooks.sheet import (
    Mark,
    Timetable,
    clock_of,
    minutes_between,
    read_clock,
    read_mark,
    read_moment,
)
from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_numbers
from incubator.common.workbooks import Cell, Row, Table

MOST_NAMED = 5  # headers that one sentence names


@dataclass(slots=True)
class MarkedRow(CheckedRow):
    """A row with the marks in it. ``columns`` says where each session's mark stands, for findings."""

    marks: list[Mark] = field(default_factory=list)
    columns: dict[int, tuple[str, str]] = field(default_factory=dict)  # session → column, value
    fate: str = RowStatus.SAME

    @property
    def status(self) -> str:
        return RowStatus.WRONG if self.is_wrong else self.fate

    def blame(self, session: int, sentence: str) -> None:
        column, value = self.columns.get(session, ("", ""))
        self.note(column, value, sentence)

    def values(self) -> dict[str, Any]:
        return {
            "key": list(self.key),
            "name": self.name,
            "marks": [[mark.session, mark.state, mark.minutes] for mark in self.marks],
        }


def row_from(number: int, values: dict[str, Any]) -> MarkedRow:
    marks = [Mark(*mark) for mark in values["marks"]]
    column, value = values["key"]
    return MarkedRow(number, key=(column, value), name=values["name"], marks=marks)


def sessions_of(training_class: TrainingClass) -> list[Session]:
    return list(training_class.sessions.order_by("starts_at"))


class AttendanceCheck:
    """Checks a table for one class and one importer. A constant number of queries, whatever the number of rows.

    Raises ``RuleBroken`` for a sheet that is not about this class's sessions.
    """

    def __init__(self, attendance: AttendanceImport, table: Table, *, by: Any, at: datetime) -> None:
        self._attendance = attendance
        self._table = table
        self._by = by
        self._at = at
        self._timetable = Timetable(sessions_of(attendance.training_class))
        require_a_number(table)
        self._is_long = Column.DAY in table.columns
        self._places = {} if self._is_long else self._session_columns()

    def rows(self) -> list[MarkedRow]:
        rows = self._long() if self._is_long else self._wide()
        judge_marks(
            rows,
            training_class=self._attendance.training_class,
            sessions=self._timetable.by_id,
            by=self._by,
            at=self._at,
            reason=self._attendance.reason,
        )
        _find_repeats(rows, by_session=self._is_long)
        return rows

    # --- A column for each session ---

    def _session_columns(self) -> dict[int, tuple[str, Session]]:
        """Place → header and session, for headers that begin with a day. Raises ``RuleBroken``."""
        found: dict[int, tuple[str, Session]] = {}
        troubles: list[str] = []
        for header in self._table.outline.headers:
            if header.column or not header.text[:4].isdigit():
                continue
            try:
                session = self._timetable.find(*read_moment(header.text))
                if session.pk in {other.pk for _text, other in found.values()}:
                    raise RuleBroken(_("Two columns are about this session. Delete one of the two."))
                found[header.place] = (header.text, session)
            except RuleBroken as refusal:
                troubles.append(f"{header.letter} “{header.text}”: {refusal}")
        if troubles:
            raise RuleBroken(" ".join(troubles[:MOST_NAMED]))
        if not found:
            raise RuleBroken(
                _("No column is about a session. Name each by its day and time, such as 2026-04-01 08:00.")
            )
        return found

    def _wide(self) -> list[MarkedRow]:
        cells: list[tuple[MarkedRow, dict[int, Cell]]] = []
        used: set[int] = set()
        for row in self._table.rows:
            checked = MarkedRow(row.number)
            read_who(checked, row, self._table)
            there = {place: row.cell(place) for place in self._places}
            used |= {place for place, cell in there.items() if cell.text}
            cells.append((checked, there))
        for checked, there in cells:
            for place, (header, session) in self._places.items():
                if place in used:  # a column in which nothing is written says nothing
                    self._take(checked, header, there[place], partial(_read_filled, session=session))
        return [checked for checked, _there in cells]

    def _take(self, checked: MarkedRow, header: str, cell: Cell, read: Callable[[Cell], Mark]) -> None:
        try:
            mark = read(cell)
        except RuleBroken as refusal:
            checked.note(header, mask_numbers(cell.text), str(refusal))
        else:
            checked.marks.append(mark)
            checked.columns[mark.session] = (header, mask_numbers(cell.text))

    # --- A row for each mark ---

    def _long(self) -> list[MarkedRow]:
        return [self._long_row(row) for row in self._table.rows]

    def _long_row(self, row: Row) -> MarkedRow:
        checked = MarkedRow(row.number)
        read_who(checked, row, self._table)
        day = self._table.cell(row, Column.DAY)
        try:
            session = self._session_of(row)
        except RuleBroken as refusal:
            checked.note(self._table.header(Column.DAY), mask_numbers(day.text), str(refusal))
            return checked
        column = next((c for c in (Column.STATE, Column.MINUTES, Column.CAME, Column.LEFT) if self._text(row, c)), None)
        column = column or (Column.STATE if Column.STATE in self._table.columns else Column.MINUTES)
        cell = self._table.cell(row, column)
        self._take(checked, self._table.header(column), cell, lambda _cell: self._mark_of(row, session))
        return checked

    def _session_of(self, row: Row) -> Session:
        text = self._text(row, Column.DAY)
        if not text:
            raise RuleBroken(empty())
        day, start = read_moment(text)
        if begins := self._text(row, Column.START):
            start = read_clock(begins)
        return self._timetable.find(day, start)

    def _mark_of(self, row: Row, session: Session) -> Mark:
        """The state and, where somebody was there, minutes as written or between the two times."""
        state, minutes = self._text(row, Column.STATE), self._text(row, Column.MINUTES)
        came, left = self._text(row, Column.CAME), self._text(row, Column.LEFT)
        mark = read_mark(self._table.cell(row, Column.STATE), session) if state else None
        if mark is not None and mark.state != AttendanceState.PRESENT:
            return mark
        if minutes:
            return read_mark(self._table.cell(row, Column.MINUTES), session)
        if came or left:
            there = minutes_between(session, came, left)
            if there < 1:
                raise RuleBroken(_("These times are not within the session. Correct them, or write 缺勤."))
            return Mark(session.pk, AttendanceState.PRESENT, there)
        if mark is None:
            raise RuleBroken(empty())
        return mark

    def _text(self, row: Row, column: str) -> str:
        return self._table.cell(row, column).text


def _read_filled(cell: Cell, session: Session) -> Mark:
    if not cell.text:
        raise RuleBroken(empty())
    return read_mark(cell, session)


def _find_repeats(rows: list[MarkedRow], *, by_session: bool) -> None:
    """Somebody in two rows (about one session): nobody knows which of the two is right, so both are wrong."""
    told: dict[tuple[int, int], list[MarkedRow]] = {}
    for row in rows:
        if row.participation_id is not None:
            for session in [mark.session for mark in row.marks] if by_session else [0]:
                told.setdefault((row.participation_id, session), []).append(row)
    for found in told.values():
        first, *others = found
        for row in others:
            sentence = _("Rows %(first)s and %(second)s are about the same person. Delete the wrong one.")
            both = {"first": first.number, "second": row.number}
            row.note(row.header, row.cell, sentence % both)
            if row is others[0]:
                first.note(first.header, first.cell, sentence % both)


# --- What is known ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A participation in the class, in it until a moment, if it left."""

    participation_id: int
    state: str
    since: datetime

    def was_in(self, session: Session) -> bool:
        """As ``courses.services.attendance.of_the_session`` says it of rows."""
        if self.state == EnrolmentState.LEFT:
            return self.since > session.starts_at
        return self.state == EnrolmentState.ENROLLED


def judge_marks(
    rows: list[MarkedRow],
    *,
    training_class: TrainingClass,
    sessions: dict[int, Session],
    by: Any,
    at: datetime,
    reason: str = "",
) -> None:
    """Find each row's person among those of the class and say what will become of its marks. Five queries at most."""
    in_class, places = _class_as_seen(training_class, by)
    strangers = [row.key for row in rows if row.key[1] and row.key not in in_class]
    elsewhere_known = people_known(strangers, by=by) if strangers else {}
    for row in rows:
        if row.key[1]:
            _find_person(row, in_class, elsewhere_known, places)
    found = [row for row in rows if row.participation_id is not None]
    by_participation = {place.participation_id: place for place in places.values()}
    for row in found:
        _require_of_the_session(row, by_participation[row.participation_id], sessions, at)  # type: ignore[index]
    _require_at_one_place(found, training_class)
    _foresee(found, training_class, reason)


def _class_as_seen(training_class: TrainingClass, by: Any) -> tuple[dict[Key, list[Known]], dict[int, Place]]:
    """The people of a class whom ``by`` may see: by number, and their places by trainee."""
    enrolments = Enrolment.objects.visible_to(by).filter(training_class=training_class)
    person = "participation__trainee"
    rows = enrolments.values_list(
        "participation",
        "state",
        "since",
        person,
        f"{person}__name",
        f"{person}__county__name",
        f"{person}__number",
        f"{person}__id_number_index",
        f"{person}__phone_index",
    )
    people: dict[Key, list[Known]] = {}
    places: dict[int, Place] = {}
    for participation, state, since, trainee, name, county, *numbers in rows:
        places[trainee] = Place(participation, state, since)
        add_keys(people, Known(trainee, name, county), *numbers)
    return people, places


def _find_person(
    row: MarkedRow, in_class: dict[Key, list[Known]], known: dict[Key, list[Known]], places: dict[int, Place]
) -> None:
    if people := in_class.get(row.key):
        person = choose(row, people)
        row.participation_id = places[person.trainee_id].participation_id if person else None
    elif people := known.get(row.key):
        if choose(row, people):
            row.note(row.header, row.cell, _("This person is not in this class. Delete the row, or enrol them first."))
    else:
        row.note(row.header, row.cell, not_known())


def _require_of_the_session(row: MarkedRow, place: Place, sessions: dict[int, Session], at: datetime) -> None:
    for mark in row.marks:
        session = sessions.get(mark.session)
        if session is None:
            row.blame(mark.session, _("This session is gone. Check the workbook again."))
        elif at < session.starts_at - EARLY:
            row.blame(mark.session, _("This session is still to come. Leave its column empty until it was held."))
        elif place.state == EnrolmentState.WAITING:
            row.blame(mark.session, _("This person waits for a place in this class and was in none of its sessions."))
        elif not place.was_in(session):
            row.blame(mark.session, _("This person had left the class before this session. Empty the cell."))
        elif mark.minutes > session.minutes:
            row.blame(mark.session, _("This session has become shorter. Check the workbook again."))


# Marks at sessions of other classes that overlap one of this class, by participation and session of this class.
ELSEWHERE = """
SELECT DISTINCT own.id, here.id, there.starts_at, there.ends_at
FROM programmes_participation own
JOIN programmes_participation other ON other.trainee_id = own.trainee_id
JOIN courses_attendance mark ON mark.participation_id = other.id AND mark.state = 'present'
JOIN courses_session there ON there.id = mark.session_id AND there.training_class_id <> %(class)s
JOIN courses_session here ON here.training_class_id = %(class)s
    AND there.starts_at < here.ends_at AND there.ends_at > here.starts_at
WHERE own.id = ANY(%(people)s)
"""


def _require_at_one_place(rows: list[MarkedRow], training_class: TrainingClass) -> None:
    """Nobody is present at two sessions at once. The other class is not named: the importer may not see it."""
    with connection.cursor() as cursor:
        cursor.execute(ELSEWHERE, {"class": training_class.pk, "people": [row.participation_id for row in rows]})
        found = {(person, session): times for person, session, *times in cursor.fetchall()}
    for row in rows:
        for mark in row.marks:
            times = found.get((row.participation_id, mark.session))
            if times and mark.state == AttendanceState.PRESENT:
                begins, ends = (timezone.localtime(moment) for moment in times)
                sentence = _(
                    "This person is marked present in another class at that time (%(begins)s to %(ends)s). "
                    "One of the two is wrong."
                )
                row.blame(mark.session, sentence % {"begins": f"{begins:%Y-%m-%d %H:%M}", "ends": f"{ends:%H:%M}"})


def _foresee(rows: list[MarkedRow], training_class: TrainingClass, reason: str) -> None:
    """What marking will do: write, correct (which takes a reason), or nothing."""
    marks = Attendance.objects.filter(
        session__training_class=training_class, participation__in=[row.participation_id for row in rows]
    )
    known = {
        (person, session): (state, minutes)
        for person, session, state, minutes in marks.values_list("participation", "session", "state", "minutes")
    }
    for row in rows:
        fates = set()
        for mark in row.marks:
            was = known.get((row.participation_id, mark.session))  # type: ignore[arg-type]
            if was is None:
                fates.add(RowStatus.NEW)
            elif was != (mark.state, mark.minutes):
                fates.add(RowStatus.CORRECTED)
                if not reason.strip():
                    row.blame(mark.session, _needs_a_reason(*was))
        row.fate = next((fate for fate in (RowStatus.CORRECTED, RowStatus.NEW) if fate in fates), RowStatus.SAME)


def _needs_a_reason(state: str, minutes: int) -> str:
    sentence = _("“%(state)s” (%(minutes)s min) is marked already. Say on this page why marks are corrected.")
    return sentence % {"state": AttendanceState(state).label, "minutes": minutes}


def header_of(session: Session) -> str:
    """How a session's column is called: ``2026-04-01 08:00``."""
    return f"{timezone.localtime(session.starts_at):%Y-%m-%d} {clock_of(session):%H:%M}"
