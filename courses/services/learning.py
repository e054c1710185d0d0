"""The only writer of online learning records: told however often, a course counts once, with its longest record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.models import CourseVersion, LearningRecord
from courses.models.learning import MINUTES_A_DAY
from courses.services.graduation import question_graduations
from incubator.common.errors import RuleBroken
from incubator.programmes.models import Participation

LONGEST_ORIGIN = 60


@dataclass(frozen=True, slots=True)
class Learned:
    """A course that somebody finished online: which version of it, in how many minutes, when."""

    participation_id: int
    version_id: int
    minutes: int
    finished_at: datetime

    @property
    def day(self) -> date:
        return timezone.localtime(self.finished_at).date()


@transaction.atomic
def write_learning_records(learned: Iterable[Learned], *, origin: str = "", at: datetime | None = None) -> int:
    """Write what was learned online; returns how many records are new or became longer.

    A person has one record of a course, whatever its versions: the longest that was told. People are locked, so that of
    two imports at once one waits. Six queries for any number of records, and those of the questions about graduations.
    Raises ``RuleBroken`` for minutes that are none, for what was finished in the future, and for more than 24 hours
    finished by one person on one day.
    """
    told = list(learned)
    at = at or timezone.now()
    if any(one.minutes < 1 for one in told):
        raise RuleBroken(_("Learning takes at least a minute."))
    if any(one.finished_at > at for one in told):
        raise RuleBroken(_("Nothing is finished in the future."))
    people = {one.participation_id for one in told}
    list(Participation.objects.select_for_update(of=["self"]).filter(pk__in=people).order_by("pk").values_list("pk"))
    known = records_known(people)
    longest = _longest(told)
    if too_much_a_day(longest, known):
        raise RuleBroken(_("Nobody learns more than 24 hours a day."))
    changed = [(key, one) for key, one in longest.items() if key not in known or known[key].minutes < one.minutes]
    rows = [_row(one, known.get(key), origin) for key, one in changed]
    LearningRecord.objects.bulk_create(row for row in rows if row.pk is None)
    LearningRecord.objects.bulk_create(
        [row for row in rows if row.pk is not None],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["version", "minutes", "finished_at", "origin", "told_at"],
    )
    if rows:
        question_graduations([row.participation_id for row in rows], cause=_("Online learning was added."))
    return len(rows)


Key = tuple[int, int]  # participation, course


def _longest(told: Iterable[Learned]) -> dict[Key, Learned]:
    """The longest of each person and course; of equal ones the first."""
    told = list(told)
    courses = courses_of(one.version_id for one in told)
    found: dict[Key, Learned] = {}
    for one in told:
        key = (one.participation_id, courses[one.version_id])
        if key not in found or found[key].minutes < one.minutes:
            found[key] = one
    return found


def courses_of(versions: Iterable[int]) -> dict[int, int]:
    """The course of each version; one query."""
    return dict(CourseVersion.objects.filter(pk__in=set(versions)).values_list("pk", "course"))


def records_known(people: Iterable[int]) -> dict[Key, LearningRecord]:
    """The records there are of these people, by person and course; one query. Of two of a course the longer one."""
    rows = LearningRecord.objects.filter(participation__in=list(people)).select_related("version").order_by("minutes")
    return {(row.participation_id, row.version.course_id): row for row in rows}


def too_much_a_day(learned: Mapping[Key, Learned], known: Mapping[Key, LearningRecord]) -> set[tuple[int, date]]:
    """Persons and days on which, with what is known, more than 24 hours would be finished.

    ``learned`` is one record of a person and course. Where one is known already the longer one counts, on its own day.
    """
    minutes: dict[tuple[int, date], int] = {}
    for (person, course), record in known.items():
        if (person, course) not in learned or learned[person, course].minutes <= record.minutes:
            day = timezone.localtime(record.finished_at).date()
            minutes[person, day] = minutes.get((person, day), 0) + record.minutes
    new = [one for key, one in learned.items() if key not in known or known[key].minutes < one.minutes]
    for one in new:
        key = (one.participation_id, one.day)
        minutes[key] = minutes.get(key, 0) + one.minutes
    return {key for one in new if minutes[key := (one.participation_id, one.day)] > MINUTES_A_DAY}


def _row(one: Learned, known: LearningRecord | None, origin: str) -> LearningRecord:
    values: dict[str, Any] = {
        "participation_id": one.participation_id,
        "version_id": one.version_id,
        "minutes": one.minutes,
        "finished_at": one.finished_at,
        "origin": origin[:LONGEST_ORIGIN],
    }
    return LearningRecord(pk=known.pk if known else None, **values)
