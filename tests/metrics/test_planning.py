"""The rule of who is read today, over columns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incubator.metrics.planning import Accounts, Reason, choose

THRESHOLDS = (10_000, 100_000, 1_000_000)


def columns(*rows):
    """``(followers, age, growth, support days left or None, granted, held)``; the last three may be left out."""
    full = [(*row, *(None, False, False)[len(row) - 3 :]) for row in rows]
    followers, age, growth, left, granted, held = zip(*full, strict=True)
    return Accounts(
        np.array(followers, np.int64),
        np.array(age, np.int32),
        np.array([np.nan if g is None else g for g in growth]),
        np.array([-1 if days is None else days for days in left], np.int32),
        np.array(granted, bool),
        np.array(held, bool),
    )


DULL = (1_500, 3, 0.5)


def chosen(accounts, budget, **more):
    choice = choose(accounts, budget, THRESHOLDS, **more)
    return {int(place): Reason(int(reason)) for place, reason in zip(choice.places, choice.reasons, strict=True)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((99_500, 1, 300), Reason.THRESHOLD),
        ((96_000, 1, 50), Reason.THRESHOLD),
        ((80_000, 10, 2_500), Reason.THRESHOLD),
        ((40_000, 1, 10, 6), Reason.SUPPORT),
        ((2_000, 1, 1, None, True), Reason.GRANT),
        ((5_000, 1, 200), Reason.FAST),
        ((5_000, 1, 3, None, False, True), Reason.HELD),
    ],
)
def test_a_reading_that_could_decide_something_comes_before_a_turn(row, reason):
    accounts = columns(*[DULL] * 40, row, *[DULL] * 40)

    assert chosen(accounts, 6)[40] == reason


@pytest.mark.parametrize("row", [(1_500, 1, 0.5), (60_000, 1, 20), (400_000, 1, 100), (40_000, 1, 10, 60)])
def test_a_reading_that_decides_nothing_waits_for_its_turn(row):
    accounts = columns(row, *[(1_500, 9, 0.5)] * 80)

    assert 0 not in chosen(accounts, 6)


def test_who_was_never_read_takes_the_first_turn():
    accounts = columns((1_500, 20, 1), (-1, 0, None), *[DULL] * 60)

    assert chosen(accounts, 3)[1] == Reason.NEW


def test_calls_enough_for_all_read_all_the_decisive_first():
    accounts = columns(DULL, (99_900, 1, 500), (-1, 0, None))

    assert list(chosen(accounts, 10)) == [1, 2, 0]


def test_no_budget_reads_nobody():
    assert chosen(columns(DULL, (99_900, 1, 500)), 0) == {}


def test_a_share_goes_round_even_when_everything_could_decide():
    accounts = columns(*[(99_900, 1, 500)] * 200, *[(1_500, 19, 0.1)] * 10)

    assert {place for place in chosen(accounts, 20) if place >= 200} == set(range(200, 210))


ROW = st.tuples(
    st.integers(-1, 2_000_000),
    st.integers(0, 400),
    st.none() | st.floats(-1e6, 1e6),
    st.none() | st.integers(0, 400),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(ROW, min_size=1, max_size=60), st.integers(0, 80))
def test_the_budget_is_kept_and_used_and_nobody_is_chosen_twice(rows, budget):
    choice = choose(columns(*rows), budget, THRESHOLDS)

    assert len(choice.places) == len(set(choice.places.tolist())) == min(budget, len(rows))
    assert sum(choice.counts().values()) == len(choice.places)
    assert np.array_equal(choice.places, choose(columns(*rows), budget, THRESHOLDS).places)
