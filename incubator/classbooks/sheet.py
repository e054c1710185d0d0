"""What these sheets look like, and how attendance, minutes and times in them are written."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses.choices import LATE_AFTER_MINUTES, AttendanceState
from courses.models import Session
from courses.services.attendance import require_minutes
from incubator.classbooks.choices import LEARNING_SYNONYMS, SYNONYMS, WORDS, Column, LearningColumn
from incubator.common.dates import read_date
from incubator.common.errors import RuleBroken
from incubator.common.plain_text import narrow, squeeze
from incubator.common.workbooks import Cell, Layout

ATTENDANCE = Layout(
    columns=Column,
    synonyms=SYNONYMS,
    required=(Column.NAME,),
    no_header=gettext_lazy(
        "No row with headers such as 学员编号 and 姓名 was found. Start from the workbook of the class."
    ),
    nothing_below=gettext_lazy("There is a header in row %(row)s but nobody below it."),
)
LEARNING = Layout(
    columns=LearningColumn,
    synonyms=LEARNING_SYNONYMS,
    required=(LearningColumn.NAME, LearningColumn.COURSE, LearningColumn.MINUTES, LearningColumn.FINISHED),
    no_header=gettext_lazy(
        "No row with headers such as 姓名, 课程 and 学习分钟 was found. Start from the blank workbook."
    ),
    nothing_below=gettext_lazy("There is a header in row %(row)s but no record below it."),
)

LONGEST_MINUTES = 100_000  # more than any course, and still fits the column
DAY_AND_TIME = re.compile(
    r"(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?)[T\s]*(?:(\d{1,2})\s*[:时点]\s*(\d{2})?)?"
)
CLOCK = re.compile(r"(?:\d{4}\D.*?\D)?(\d{1,2})[:时点](\d{2})?分?(?::\d{2}(?:\.\d+)?)?")
LATE = re.compile(r"(迟到|早退)(\d{1,4})?(?:分钟?)?")
MINUTES = re.compile(r"(-?\d+(?:\.\d+)?)(?:分钟?|MIN)?")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a cell says of one session: a state, and the minutes somebody was there."""

    session: int
    state: str
    minutes: int


def read_mark(cell: Cell, session: Session) -> Mark:
    """``出勤``, ``×``, ``请假``, ``迟到20``, or the minutes somebody was there. Raises ``RuleBroken``.

    Who is late without saying how long is refused: nobody knows how many minutes that would be.
    """
    text = squeeze(cell.text).upper()
    if state := WORDS.get(text):
        return Mark(session.pk, state, session.minutes if state == AttendanceState.PRESENT else 0)
    if found := LATE.fullmatch(text):
        return _present(session, session.minutes - _lost(found[2], session))
    if MINUTES.fullmatch(text):
        return _present(session, read_minutes(cell))
    raise RuleBroken(
        _("This is not known. Write 出勤, 缺勤, 请假, 迟到 with its minutes (迟到20), or the minutes present.")
    )


def _present(session: Session, minutes: int) -> Mark:
    require_minutes(session, minutes)
    return Mark(session.pk, AttendanceState.PRESENT, minutes)


def _lost(minutes: str | None, session: Session) -> int:
    """Minutes that a late one missed: none within the grace that every check-in has."""
    if minutes is None:
        raise RuleBroken(_("Say by how many minutes, such as 迟到20, or write how many minutes the person was there."))
    return 0 if int(minutes) <= LATE_AFTER_MINUTES else min(int(minutes), session.minutes)


def read_minutes(cell: Cell) -> int:
    """A whole number of minutes, also with 分钟 behind it. Raises ``RuleBroken`` for less than one."""
    found = MINUTES.fullmatch(squeeze(cell.text).upper())
    if found is None:
        raise RuleBroken(_("Write the minutes as a whole number, such as 45."))
    number = float(found[1])
    if number < 0:
        raise RuleBroken(_("Minutes cannot be negative. Write how many minutes it was."))
    if number == 0:
        raise RuleBroken(_("There are 0 minutes. Write how many it was, or 缺勤 where somebody was not there."))
    if not number.is_integer():
        raise RuleBroken(_("Write the minutes as a whole number, such as 45."))
    if number > LONGEST_MINUTES:
        raise RuleBroken(_("No course takes that long. Write the minutes, not the seconds."))
    return int(number)


def minutes_between(session: Session, came: str, left: str) -> int:
    """Minutes of the session between two clock times, the grace at both ends given. Raises ``RuleBroken``."""
    day = timezone.localtime(session.starts_at).date()
    begins, ends = timezone.localtime(session.starts_at), timezone.localtime(session.ends_at)
    there = _instant(day, read_clock(came)) if came else begins
    gone = _instant(day, read_clock(left)) if left else ends
    if gone <= there:
        raise RuleBroken(_("Nobody leaves before coming. Correct one of the two times."))
    grace = timedelta(minutes=LATE_AFTER_MINUTES)
    there = begins if there <= begins + grace else there
    gone = ends if gone >= ends - grace else gone
    return max(0, int((gone - there).total_seconds() // 60))


def _instant(day: date, clock: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, clock))


def read_clock(text: str) -> time:
    """``08:00``, ``8点``, ``8时30分``, also behind a day. Raises ``RuleBroken``."""
    found = CLOCK.fullmatch(narrow(text).strip())
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59:
        raise RuleBroken(_("This is not a time of day. Write it like 08:00."))
    return time(int(found[1]), int(found[2] or 0))


def read_moment(text: str) -> tuple[date, time | None]:
    """The day at the beginning of a text and the time behind it, None where there is none. Raises ``RuleBroken``."""
    found = DAY_AND_TIME.match(narrow(text).strip())
    if found is None:
        return read_date(text), None
    day = read_date(found[1])
    return day, read_clock(f"{found[2]}:{found[3] or '00'}") if found[2] else None


class Timetable:
    """The sessions of one class, found by day and start."""

    def __init__(self, sessions: list[Session]) -> None:
        self.by_id = {session.pk: session for session in sessions}
        self._by_day: dict[date, list[Session]] = {}
        for session in sessions:
            self._by_day.setdefault(timezone.localtime(session.starts_at).date(), []).append(session)

    def find(self, day: date, start: time | None) -> Session:
        """The session of the day that starts then; without a start the only one. Raises ``RuleBroken``."""
        there = self._by_day.get(day, [])
        fitting = [s for s in there if start is None or clock_of(s) == start]
        if len(fitting) == 1:
            return fitting[0]
        if not there:
            raise RuleBroken(_("This class has no session on %(day)s. Correct the day.") % {"day": day.isoformat()})
        known = {"day": day.isoformat(), "times": "、".join(f"{clock_of(s):%H:%M}" for s in there)}
        if start is None:
            raise RuleBroken(_("This class has several sessions on %(day)s. Write which: %(times)s.") % known)
        raise RuleBroken(_("On %(day)s this class has sessions at %(times)s only. Correct the time.") % known)


def clock_of(session: Session) -> time:
    return timezone.localtime(session.starts_at).time().replace(second=0, microsecond=0)
