"""Checking a file of online learning: each row becomes a record, or findings that say what to correct."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from courses.choices import Delivery
from courses.models import Course, CourseVersion
from courses.services.learning import Key as Told
from courses.services.learning import Learned, courses_of, records_known, too_much_a_day
from incubator.classbooks.choices import LearningColumn, RowStatus
from incubator.classbooks.models import LearningImport
from incubator.classbooks.people import (
    CheckedRow,
    Key,
    Known,
    add_keys,
    choose,
    empty,
    lookups_of,
    not_known,
    people_known,
    read_who,
    require_a_number,
)
from incubator.classbooks.sheet import read_minutes, read_moment
from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_numbers
from incubator.common.plain_text import narrow
from incubator.common.workbooks import Cell, Row, Table
from incubator.imports.checking import MOST_OF_A_VALUE
from incubator.programmes.models import Cohort, Participation
from incubator.regions.models import Region


@dataclass(slots=True)
class LearnedRow(CheckedRow):
    """A row with the course in it, as the sheet calls it, its minutes, and when it was finished (ISO)."""

    course: str = ""
    version_id: int | None = None
    minutes: int = 0
    finished_at: str = ""
    fate: str = RowStatus.NEW
    minutes_header: str = ""

    @property
    def status(self) -> str:
        return RowStatus.WRONG if self.is_wrong else self.fate

    @property
    def learned(self) -> Learned:
        """What is handed on, of a row in which nothing is wrong."""
        finished_at = datetime.fromisoformat(self.finished_at)
        return Learned(self.participation_id, self.version_id, self.minutes, finished_at)  # type: ignore[arg-type]

    def values(self) -> dict[str, Any]:
        return {
            "key": list(self.key),
            "name": self.name,
            "course": self.course,
            "version": self.version_id,
            "minutes": self.minutes,
            "finished_at": self.finished_at,
        }


def row_from(number: int, values: dict[str, Any]) -> LearnedRow:
    column, value = values["key"]
    return LearnedRow(
        number,
        key=(column, value),
        name=values["name"],
        course=values["course"],
        version_id=values["version"],
        minutes=values["minutes"],
        finished_at=values["finished_at"],
    )


class Catalogue:
    """Courses by code and by title; two queries, whatever there is to be found."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = dict(_plain(Course.objects.values_list("code", "pk")))
        self._titles: dict[str, set[int]] = {}
        self._versions: dict[int, list[CourseVersion]] = {}
        for version in CourseVersion.objects.defer("syllabus", "materials").order_by("course", "number"):
            self._titles.setdefault(_word(version.title), set()).add(version.course_id)
            self._versions.setdefault(version.course_id, []).append(version)

    def find(self, text: str, finished_at: datetime | None) -> CourseVersion:
        """The version of the course that was taught when it was finished, the first for what is older than it.

        Raises ``RuleBroken`` for a course that is not known and for a title that several have.
        """
        word = _word(text)
        courses = {self._codes[word]} if word in self._codes else self._titles.get(word, set())
        if not courses:
            raise RuleBroken(_("No course has this code or title. Look it up in the list of courses."))
        if len(courses) > 1:
            raise RuleBroken(_("Several courses have this title. Write the code of the one that is meant."))
        versions = self._versions[courses.pop()]
        there = [version for version in versions if finished_at is not None and version.made_at <= finished_at]
        return there[-1] if there else versions[0]


def _word(text: str) -> str:
    return "".join(narrow(text).split()).upper()


def _plain(rows: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int]]:
    return ((_word(code), pk) for code, pk in rows)


class LearningCheck:
    """Checks a table for one import and one importer. A constant number of queries, whatever the number of rows."""

    def __init__(self, learning: LearningImport, table: Table, *, by: Any, at: datetime) -> None:
        self._learning = learning
        self._table = table
        self._by = by
        self._at = at
        require_a_number(table)
        self._catalogue = Catalogue()

    def rows(self) -> list[LearnedRow]:
        rows = [self._check_row(row) for row in self._table.rows]
        judge_records(rows, cohort=self._learning.cohort, region=self._learning.region, by=self._by)
        return rows

    def _check_row(self, row: Row) -> LearnedRow:
        checked = LearnedRow(row.number, minutes_header=self._table.header(LearningColumn.MINUTES))
        read_who(checked, row, self._table)
        self._read(checked, row, LearningColumn.MINUTES, self._take_minutes)
        self._read(checked, row, LearningColumn.FINISHED, self._take_moment)
        self._read(checked, row, LearningColumn.COURSE, self._take_course)
        return checked

    def _read(self, checked: LearnedRow, row: Row, column: str, take: Callable[[LearnedRow, Cell], None]) -> None:
        cell = self._table.cell(row, column)
        try:
            if not cell.text:
                raise RuleBroken(empty())
            take(checked, cell)
        except RuleBroken as refusal:
            checked.note(self._table.header(column), mask_numbers(cell.text), str(refusal))

    @staticmethod
    def _take_minutes(checked: LearnedRow, cell: Cell) -> None:
        checked.minutes = read_minutes(cell)

    def _take_moment(self, checked: LearnedRow, cell: Cell) -> None:
        """A day without a time is taken for its end, but never for later than now."""
        day, clock = read_moment(cell.text)
        finished_at = timezone.make_aware(datetime.combine(day, clock or time(23, 59)))
        if clock is None and day == timezone.localtime(self._at).date():
            finished_at = self._at
        if finished_at > self._at:
            raise RuleBroken(_("This is still to come. Write when the course was finished."))
        checked.finished_at = finished_at.isoformat()

    def _take_course(self, checked: LearnedRow, cell: Cell) -> None:
        checked.course = cell.text[:MOST_OF_A_VALUE]
        finished_at = datetime.fromisoformat(checked.finished_at) if checked.finished_at else None
        version = self._catalogue.find(cell.text, finished_at)
        checked.version_id = version.pk
        if version.delivery != Delivery.ONLINE:
            sentence = _("This course is taught on site. Look whether its hours are counted from attendance already.")
            checked.note(self._table.header(LearningColumn.COURSE), cell.text, sentence, is_error=False)


# --- What is known ----------------------------------------------------------------------------------------------------


def judge_records(rows: list[LearnedRow], *, cohort: Cohort, region: Region, by: Any) -> None:
    """Find each row's person and say what will become of its record, from what is known at this moment."""
    keys = [row.key for row in rows if row.key[1]]
    here, participations = _people_of(cohort, region, keys, by)
    strangers = [key for key in keys if key not in here]
    known = people_known(strangers, by=by) if strangers else {}
    for row in rows:
        if row.key[1]:
            _find_person(row, here, known, participations, region)
    _foresee([row for row in rows if not row.is_wrong])


def _people_of(
    cohort: Cohort, region: Region, keys: list[Key], by: Any
) -> tuple[dict[Key, list[Known]], dict[int, int]]:
    """Who of these takes part in the cohort, lives in the region and may be seen; participations by trainee."""
    people: dict[Key, list[Known]] = {}
    participations: dict[int, int] = {}
    person = "trainee__"
    fields = ("pk", "trainee", f"{person}name", f"{person}county__name", f"{person}number")
    indexes = (f"{person}id_number_index", f"{person}phone_index")
    places = (f"{person}county", f"{person}county__prefecture", f"{person}county__province")
    for question in lookups_of(keys, person):
        found = Participation.objects.visible_to(by).filter(question, cohort=cohort).order_by("pk")
        for pk, trainee, name, county, number, id_index, phone, *codes in found.values_list(*fields, *indexes, *places):
            if region.code in codes and trainee not in participations:
                participations[trainee] = pk
                add_keys(people, Known(trainee, name, county, tuple(codes)), number, id_index, phone)
    return people, participations


def _find_person(
    row: LearnedRow,
    here: dict[Key, list[Known]],
    known: dict[Key, list[Known]],
    participations: dict[int, int],
    region: Region,
) -> None:
    if people := here.get(row.key):
        person = choose(row, people)
        row.participation_id = participations[person.trainee_id] if person else None
    elif people := known.get(row.key):
        person = choose(row, people)
        if person and region.code not in person.places:
            sentence = _("This person is not in %(region)s, which this import is for.") % {"region": region}
            row.note(row.header, row.cell, sentence)
        elif person:
            row.note(row.header, row.cell, _("This person does not take part in the cohort. Nominate them first."))
    else:
        row.note(row.header, row.cell, not_known())


def _foresee(rows: list[LearnedRow]) -> None:
    """What writing will do with each record: of a person and course the longest is written, if it is longer."""
    rows = [row for row in rows if row.participation_id is not None and row.version_id is not None]
    known = records_known({row.participation_id for row in rows if row.participation_id is not None})
    courses = courses_of(row.version_id for row in rows if row.version_id is not None)
    longest = _longest(rows, courses)
    while days := too_much_a_day({key: row.learned for key, row in longest.items()}, known):
        _blame_days(rows, days)
        rows = [row for row in rows if not row.is_wrong]
        longest = _longest(rows, courses)
    for row in rows:
        was = known.get(_told(row, courses))
        if longest[_told(row, courses)] is not row or (was is not None and was.minutes >= row.minutes):
            row.fate = RowStatus.SAME
        else:
            row.fate = RowStatus.NEW if was is None else RowStatus.CORRECTED


def _told(row: LearnedRow, courses: dict[int, int]) -> Told:
    return row.participation_id, courses[row.version_id]  # type: ignore[return-value, index]


def _longest(rows: list[LearnedRow], courses: dict[int, int]) -> dict[Told, LearnedRow]:
    found: dict[Told, LearnedRow] = {}
    for row in rows:
        key = _told(row, courses)
        if key not in found or found[key].minutes < row.minutes:
            found[key] = row
    return found


def _blame_days(rows: list[LearnedRow], days: set[tuple[int, date]]) -> None:
    """More than 24 hours on one day: nobody knows which of the records is wrong, so all of that day are."""
    for row in rows:
        if (row.participation_id, row.learned.day) in days:
            sentence = _("With this, more than 24 hours of learning were finished on %(day)s. Correct the minutes.")
            row.note(row.minutes_header, str(row.minutes), sentence % {"day": row.learned.day.isoformat()})
