"""Two thousand rows with twelve kinds of error; and that counts add up whatever stands in the cells."""

import re
from datetime import timedelta
from itertools import cycle

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses.models import Attendance, AttendanceChange
from courses.services import mark_attendance
from incubator.classbooks.services import apply_attendance, check_attendance, upload_attendance
from incubator.common.errors import RuleBroken
from tests.classbooks.world import FIRST_ROW, HOURS, book_of, bring_in, enrol_rows, make_room, session_on, sums_up, told
from tests.factories import TraineeFactory, official, region

pytestmark = pytest.mark.django_db

ROWS = 2_000
EACH = 5  # rows of every kind of error


def plain(sentence):
    """A sentence without what it says of one row: numbers, days, and names (here all of 马 and a character)."""
    return re.sub(r"[\d:T-]+|马.", "", sentence)


def test_two_thousand_rows_with_twelve_kinds_of_error(db):
    """Every error at its row and column; nothing written while all is to be; and then exactly the rest."""
    clerk = official("622927")
    room = make_room(people=ROWS, sessions=2)
    first, second = room.headers[3:]
    tomorrow = timezone.localtime(timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    coming = session_on(room.training_class, 20)
    coming.starts_at, coming.ends_at = tomorrow, tomorrow + timedelta(minutes=HOURS)
    coming.save()
    headers = [*room.headers, f"{tomorrow:%Y-%m-%d %H:%M}"]
    elsewhere = session_on(make_room(people=0, sessions=0).training_class, 1, hour=9)

    rows = [room.line(n, "出勤", "√") for n in range(ROWS)]
    expected: set[tuple[int, str]] = set()
    wrong: set[int] = set()
    kinds: list[list[tuple[int, str]]] = []
    free = cycle(range(7, ROWS, 29))  # rows far from each other

    def spoil(column, change):
        """``EACH`` rows of one kind of error, found in that column."""
        kinds.append([])
        for _n in range(EACH):
            n = next(free)
            change(n)
            wrong.add(n)
            expected.add((FIRST_ROW + n, column))
            kinds[-1].append((FIRST_ROW + n, column))

    def cell(place, value):
        return lambda n: rows[n].__setitem__(place, value)

    outsiders = [TraineeFactory(county=region("622927")) for _n in range(EACH)]

    def not_in_class(n):
        other = outsiders.pop()
        rows[n][1:3] = [other.number, other.name]

    def present_elsewhere(n):
        enrol_rows(elsewhere.training_class, [room.people[n]])
        Attendance.objects.create(
            session=elsewhere, participation=room.people[n], state="present", minutes=9, marked_by=clerk
        )

    def marked_before(n):
        mark_attendance(room.sessions[0], marks={room.people[n].pk: ("absent", None)}, by=clerk)

    def left_before(n):
        room.training_class.enrolments.filter(participation=room.people[n]).update(
            state="left", since=room.sessions[0].starts_at + timedelta(minutes=1)
        )

    def twice(n):
        rows[n][1:3] = rows[n + 1][1:3]
        wrong.add(n + 1)
        expected.add((FIRST_ROW + n + 1, "学员编号"))

    spoil("学员编号", cell(1, "T2026-0000009"))  # 1 nobody
    spoil("学员编号", not_in_class)  # 2 not in this class
    spoil("学员编号", cell(2, "张三"))  # 3 the name does not fit
    spoil("学员编号", twice)  # 4 the same person twice
    spoil("学员编号", cell(1, ""))  # 5 an empty cell
    spoil(first, cell(3, "来过"))  # 6 an unknown word
    spoil(first, cell(3, -1))  # 7 negative minutes
    spoil(second, cell(4, HOURS + 1))  # 8 more minutes than the session
    spoil(first, present_elsewhere)  # 9 at two places at once
    spoil(second, left_before)  # 10 left before
    spoil(first, marked_before)  # 11 a correction without a reason
    spoil(second, cell(4, "迟到"))  # 12 late, nobody knows how long
    assert len(wrong) == EACH * 13  # somebody twice is two rows

    staged = upload_attendance(book_of(headers, rows), training_class=room.training_class, by=clerk)
    with CaptureQueriesContext(connection) as checking:
        check_attendance(staged, at=timezone.now())
    staged.refresh_from_db()

    found = {(row, column): sentence for row, column, sentence in told(staged)}
    assert set(found) == expected and len(found) == staged.findings.count()
    assert len({plain(found[places[0]]) for places in kinds}) == len(kinds) == 12
    assert (staged.wrong_count, staged.new_count) == (len(wrong), ROWS - len(wrong)) and sums_up(staged)
    assert len(checking) <= 25

    before = Attendance.objects.count()
    with pytest.raises(RuleBroken):
        apply_attendance(staged, by=clerk, at=timezone.now())
    assert Attendance.objects.count() == before

    apply_attendance(staged, by=clerk, at=timezone.now(), is_partial=True)

    marks = {key for key, mark in room.marks().items() if mark == ("present", HOURS)}
    assert marks == {(n, s) for n in range(ROWS) if n not in wrong for s in (0, 1)}
    assert staged.rows.filter(status="wrong").count() == len(wrong)
    assert Attendance.objects.filter(method="workbook").count() == len(marks)
    assert not AttendanceChange.objects.exists()


WORDS = st.sampled_from(["出勤", "缺勤", "请假", "迟到", "迟到20", "45", "-3", "200", "来了", "", "√", " "])
NUMBERS = st.sampled_from(["own", "own", "own", "", "T2026-0000009", "张三"])
LINES = st.lists(st.tuples(st.integers(0, 5), NUMBERS, WORDS, WORDS), min_size=1, max_size=8)
BELOW = st.lists(st.sampled_from([["合计", "6人"], ["填表人：王", "审核人：李"], ["备注：略"]]), max_size=2)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(lines=LINES, below=BELOW, marked=st.sets(st.integers(0, 5), max_size=3), has_reason=st.booleans())
def test_counts_add_up_whatever_stands_in_the_cells(db, lines, below, marked, has_reason):
    """new + known + changed + wrong + skipped are the rows; writing the good ones writes no mark of a wrong one."""
    clerk = official("622927")
    room = make_room(people=6)
    if marked:
        mark_attendance(room.sessions[0], marks={room.people[n].pk: ("absent", None) for n in marked}, by=clerk)
    rows = [room.line(n, one, two, number=None if number == "own" else number) for n, number, one, two in lines]
    file = book_of(room.headers, rows, below=below)
    staged = bring_in(file, room.training_class, clerk, reason="补录" if has_reason else "")
    if staged.state == "refused":
        return

    assert sums_up(staged)
    assert staged.row_count == len(rows) + len(below)
    assert staged.wrong_count == len({row for row, _c, _s in told(staged)})
    before = room.marks()
    if staged.can_be_applied or staged.can_be_applied_in_part:
        apply_attendance(staged, by=clerk, at=timezone.now(), is_partial=True)
    else:
        with pytest.raises(RuleBroken):
            apply_attendance(staged, by=clerk, at=timezone.now(), is_partial=True)
    good = {
        (row.participation_id, mark[0]): (mark[1], mark[2])
        for row in staged.rows.exclude(status="wrong")
        for mark in row.plain["marks"]
    }
    people = {p.pk: n for n, p in enumerate(room.people)}
    sessions = {s.pk: n for n, s in enumerate(room.sessions)}
    expected = before | {(people[p], sessions[s]): mark for (p, s), mark in good.items()}
    assert room.marks() == expected
