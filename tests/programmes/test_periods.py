"""When a support period ends: edge days by hand, and against counting day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incubator.programmes.periods import Pause, Period, stage_due

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)  # thirty days
LATER = date(2027, 1, 1)


def d(text):
    return date.fromisoformat(text)


def pause(first, last, *, is_open=False):
    return Pause(d(first), d(last), is_open)


EDGES = {
    "as given": (0, [], "2026-06-30"),
    "extended by a day": (1, [], "2026-07-01"),
    "a pause inside": (0, [pause("2026-06-10", "2026-06-12")], "2026-07-03"),
    "a pause of one day": (0, [pause("2026-06-10", "2026-06-10")], "2026-07-01"),
    "a pause on the first day": (0, [pause("2026-06-01", "2026-06-01")], "2026-07-01"),
    "a pause on the last day": (0, [pause("2026-06-30", "2026-06-30")], "2026-07-01"),
    "a pause over the end": (0, [pause("2026-06-29", "2026-07-10")], "2026-07-12"),
    "a pause from the day after the end": (0, [pause("2026-07-01", "2026-07-10")], "2026-06-30"),
    "a pause that the extension reaches": (1, [pause("2026-07-01", "2026-07-10")], "2026-07-11"),
    "a pause that another pause reaches": (
        0,
        [pause("2026-07-01", "2026-07-05"), pause("2026-06-30", "2026-06-30")],
        "2026-07-06",
    ),
    "two pauses that touch": (0, [pause("2026-06-10", "2026-06-12"), pause("2026-06-13", "2026-06-13")], "2026-07-04"),
    "a pause from before the start": (0, [pause("2026-05-25", "2026-06-02")], "2026-07-02"),
    "a pause before the start": (0, [pause("2026-05-25", "2026-05-31")], "2026-06-30"),
    "a pause over all of it": (0, [pause("2026-06-01", "2026-06-30")], "2026-07-30"),
    "all together": (5, [pause("2026-06-30", "2026-07-03"), pause("2026-07-08", "2026-07-08")], "2026-07-10"),
}


@pytest.mark.parametrize("what", EDGES)
def test_the_end_is_that_of_the_edge(what):
    extended, pauses, end = EDGES[what]

    assert Period(FIRST, LAST, extended, tuple(pauses)).ends_on(LATER) == d(end)


@pytest.mark.parametrize(
    ("start", "base", "end"),
    [("2028-02-01", "2028-02-28", "2028-03-01"), ("2027-02-01", "2027-02-28", "2027-03-02")],
)
def test_a_leap_day_is_a_day(start, base, end):
    period = Period(d(start), d(base), 1, (Pause(d(start) + DAY, d(start) + DAY),))

    assert period.ends_on(LATER) == d(end)


# The day on which one asks, the last day, whether the period stands still on it.
OPEN = [
    ("2026-06-19", "2026-06-30", False),  # not begun
    ("2026-06-20", "2026-07-01", True),  # its first day counts at once
    ("2026-06-21", "2026-07-02", True),
    ("2026-07-15", "2026-07-26", True),  # past the end as given
    ("2026-07-30", "2026-08-10", True),
    ("2026-08-01", "2026-08-12", True),  # the latest day it may have
    ("2026-08-02", "2026-08-12", False),  # and no further
    ("2027-08-02", "2026-08-12", False),
]


@pytest.mark.parametrize(("on", "end", "stands_still"), OPEN)
def test_an_open_pause_moves_the_end_by_the_day_until_it_is_used_up(on, end, stands_still):
    period = Period(FIRST, LAST, 0, (pause("2026-06-20", "2026-08-01", is_open=True),))

    assert period.ends_on(d(on)) == d(end)
    assert (period.pause_on(d(on)) is not None) == stands_still


def test_a_pause_outside_the_period_does_not_run():
    period = Period(FIRST, LAST, 0, (pause("2026-05-20", "2026-06-02"), pause("2026-07-20", "2026-07-30")))

    assert period.pause_on(d("2026-05-31")) is None
    assert period.pause_on(d("2026-06-02")) is not None
    assert period.pause_on(d("2026-06-03")) is None
    assert period.pause_on(d("2026-07-20")) is None


def test_days_given_count_whole_whether_they_move_the_end_or_not():
    period = Period(
        FIRST, LAST, 0, (pause("2026-05-31", "2026-06-01"), pause("2026-06-10", "2026-06-30", is_open=True))
    )

    assert period.paused_days() == 2 + 21


@pytest.mark.parametrize(
    ("first", "last", "meets"),
    [
        ("2026-06-01", "2026-06-09", False),
        ("2026-06-01", "2026-06-10", True),
        ("2026-06-11", "2026-06-11", True),
        ("2026-06-12", "2026-06-20", True),
        ("2026-06-13", "2026-06-20", False),
        ("2026-06-01", "2026-06-30", True),
    ],
)
def test_pauses_meet_where_they_share_a_day(first, last, meets):
    period = Period(FIRST, LAST, 0, (pause("2026-06-10", "2026-06-12"),))

    assert (period.meets(pause(first, last)) is not None) == meets


@pytest.mark.parametrize(
    ("days", "stage"), [(31, None), (30, 30), (15, 30), (14, 14), (4, 14), (3, 3), (1, 3), (0, 3), (-1, None)]
)
def test_the_stage_is_the_newest_that_is_due(days, stage):
    assert stage_due(days) == stage


# Against counting day by day


def day_by_day(starts_on, length, pauses, on):
    """Walk the calendar until as many days have run as were given."""
    paused = {p.first + DAY * n for p in pauses for n in range(p.days) if not p.is_open or p.first + DAY * n <= on}
    day, run = starts_on, 0
    while True:
        run += day not in paused
        if run == length:
            return day
        day += DAY


@st.composite
def histories(draw):
    starts_on = date(2028, 1, 15) + DAY * draw(st.integers(0, 60))  # over a leap day
    given_days, extended = draw(st.integers(1, 60)), draw(st.integers(0, 30))
    pauses, day = [], starts_on - DAY * draw(st.integers(0, 5))
    for _n in range(draw(st.integers(0, 5))):
        day += DAY * draw(st.integers(0, 25))
        last = day + DAY * draw(st.integers(0, 20))
        pauses.append(Pause(day, last, is_open=False))
        day = last + DAY
    if pauses and draw(st.booleans()):
        pauses[-1] = Pause(pauses[-1].first, pauses[-1].last, is_open=True)
    on = starts_on + DAY * draw(st.integers(-5, 200))
    return starts_on, given_days, extended, draw(st.permutations(pauses)), on


@given(histories())
def test_the_end_is_that_of_counting_day_by_day(history):
    starts_on, given_days, extended, pauses, on = history
    period = Period(starts_on, starts_on + DAY * (given_days - 1), extended, tuple(pauses))

    assert period.ends_on(on) == day_by_day(starts_on, given_days + extended, pauses, on)
