"""The arithmetic: gaps, monotony, chances and days; no database."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incubator.forecasts.method import (
    BEYOND,
    CALM,
    GROUPS,
    HIGH,
    HORIZONS,
    KNOTS,
    LEAST,
    LEVELS,
    LOW,
    MIDDLE,
    MOST,
    PRIOR,
    Table,
    band_places,
    chance_by,
    chances,
    day_of,
    path,
    shapes_of,
)

NAN = np.nan
EDGES = [0.7, 0.3, 0.05]
DAYS = 15


def window(*values):
    """One account's last 15 days, the given ones at their end."""
    row = np.full(DAYS, NAN)
    row[DAYS - len(values) :] = values
    return row[None, :]


def steady(followers, pace, *, restless=0):
    """An account that gains ``pace`` every day and strays by ``restless`` every other day."""
    strays = np.where(np.arange(DAYS) % 2, restless, -restless)
    return window(*(followers + pace * (np.arange(DAYS) - DAYS + 1) + strays - strays[-1]))


# --- Shapes -----------------------------------------------------------------------------------------------------------


def test_pace_is_what_was_gained_by_the_days():
    shapes = shapes_of(steady(50_000, 120))

    assert (shapes.followers[0], shapes.pace[0], shapes.days[0], shapes.readings[0]) == (50_000, 120, 14, 15)


def test_pace_of_who_was_read_lately_only_is_by_the_days_between():
    shapes = shapes_of(window(100, 110, 130))

    assert (shapes.pace[0], shapes.days[0]) == (15, 2)


def test_the_calmest_account_strays_a_little():
    assert shapes_of(steady(10_000, 0)).spread(4)[0] == CALM * 2 + 1


def test_gaps_are_no_zeros():
    full = steady(50_000, 120)
    gappy = full.copy()
    gappy[0, [1, 2, 3, 6, 7, 11]] = NAN

    known, seldom = shapes_of(full), shapes_of(gappy)

    assert seldom.pace[0] == known.pace[0] == 120
    assert seldom.restless[0] == known.restless[0] == 0
    assert seldom.readings[0] == 9


def test_one_leap_makes_nobody_restless_but_counts_in_the_pace():
    calm = steady(10_000, 100)
    leapt = calm.copy()
    leapt[0, 8:] += 7_000

    assert shapes_of(leapt).restless[0] == shapes_of(calm).restless[0] == 0
    assert shapes_of(leapt).pace[0] == 100 + 7_000 / 14


def test_who_strays_every_day_is_restless():
    assert shapes_of(steady(10_000, 100, restless=50)).restless[0] == pytest.approx(148.26)


def test_a_step_over_several_days_strays_by_the_root_of_them():
    row = window(*(10_000 + 100 * np.arange(DAYS)))
    row[0, 5:8] = NAN
    row[0, 8:] += 400  # a step of 4 days that strays by 400
    even = window(*(10_000 + 100 * np.arange(DAYS)))
    even[0, 1::2] = even[0, 0] = NAN
    even[0, 4::4] += 30  # three steps too long, three too short

    assert shapes_of(row).restless[0] == 0  # one of eleven steps
    assert shapes_of(even).restless[0] == pytest.approx(1.4826 * 30 / np.sqrt(2))


@pytest.mark.parametrize(
    ("values", "is_enough"),
    [
        ([100, NAN, NAN, 103, NAN, NAN, 106, 107], True),
        ([100, NAN, NAN, 103, NAN, NAN, NAN, 107], False),  # three readings
        ([100, 101, 102, 103, 104, 105, 106], False),  # six days
        ([100, 101, 102, 103, 104, 105, 106, 107], True),
    ],
)
def test_of_fewer_readings_or_days_nothing_is_said(values, is_enough):
    assert shapes_of(window(*values)).is_enough[0] == is_enough


def test_nobody_read_gives_no_number_and_no_error():
    shapes = shapes_of(np.full((2, DAYS), NAN))

    assert not shapes.is_enough.any()
    assert np.isnan(shapes.followers).all()


@pytest.mark.parametrize(("pace", "restless", "kind"), [(-100, 20, 4), (0, 50, 5), (60, 50, 6), (100, 20, 7)], ids=str)
def test_kinds_go_by_pace_and_restlessness(pace, restless, kind):
    assert shapes_of(steady(10_000, pace, restless=restless)).groups[0] == kind


def test_those_read_seldom_are_kinds_of_their_own():
    row = steady(10_000, 100)
    row[0, [1, 2, 4, 5, 7, 8, 10, 11]] = NAN

    assert shapes_of(row).readings[0] == 7
    assert shapes_of(row).groups[0] == 3


def sure():
    """A table of scores that lie close together."""
    table = Table.prior()
    table.scores[:] *= 0.3
    return table


# --- Chances and days -------------------------------------------------------------------------------------------------


def reached(row, goal, table=None):
    """Shapes and chances of one account."""
    shapes = shapes_of(row)
    return shapes, chances(shapes, goal - shapes.followers, table or Table.prior())


def test_the_middle_of_the_prior_lies_below_the_pace():
    shapes = shapes_of(steady(50_000, 100, restless=10))

    low, middle, high = (path(shapes, Table.prior(), 30, level)[0] for level in (LOW, MIDDLE, HIGH))

    assert low < middle < 50_000 + 30 * 100 < high


def test_nobody_comes_to_have_fewer_than_none():
    falling = shapes_of(steady(300, -40))

    assert path(falling, Table.prior(), 30, 0.5)[0] == 0
    assert path(falling, Table.prior(), 2, 0.5)[0] > 0


def test_the_chance_of_who_loses_followers_does_not_fall_with_the_days():
    found = chances(shapes_of(steady(10_000, -100, restless=50)), np.array([100]), Table.prior())[0]

    assert (np.diff(found) >= 0).all() and 0 < found[0] < 1


def test_half_a_chance_is_the_expected_day():
    shapes, found = reached(steady(50_000, 100, restless=10), 51_500, sure())

    expected = day_of(found, MIDDLE)

    assert chance_by(found, expected)[0] >= 0.5 > chance_by(found, expected - 1)[0]
    assert path(shapes, sure(), expected[0] - 1, MIDDLE)[0] < 51_500 <= path(shapes, sure(), expected[0], MIDDLE)[0]
    assert day_of(found, LOW)[0] < expected[0] < day_of(found, HIGH)[0]


def test_beyond_sixty_days_no_day_is_named():
    _shapes, found = reached(steady(50_000, 100, restless=10), 90_000)

    assert np.isnan(day_of(found, LOW)[0])
    assert BEYOND == 60 == HORIZONS[-1]


def test_who_has_the_number_is_there_today_and_certain():
    _shapes, found = reached(steady(100_000, 100), 100_000)

    assert chance_by(found, np.array([0.0]))[0] == 1
    assert day_of(found, HIGH)[0] == 0


def test_one_follower_short_is_not_there():
    _shapes, found = reached(steady(99_999, 0, restless=30), 100_000)

    assert chance_by(found, np.array([0.0]))[0] == 0
    assert 0 < chance_by(found, np.array([1.0]))[0] < 1


def test_nothing_is_impossible_and_nothing_certain():
    _shapes, never = reached(steady(1_000, 0), 100_000, sure())
    _shapes, soon = reached(steady(99_000, 5_000), 100_000, sure())

    assert never.min() == pytest.approx(LEAST) and soon.max() == pytest.approx(MOST)


numbers = st.integers(min_value=-500, max_value=5_000)


@given(
    pace=numbers,
    restless=st.integers(0, 2_000),
    missing=st.integers(1, 200_000),
    more=st.integers(1, 100_000),
    days=st.integers(0, 400),
    longer=st.integers(1, 200),
    gaps=st.sets(st.integers(1, 13), max_size=9),
    scores=st.lists(st.lists(st.floats(-20, 20), min_size=13, max_size=13), min_size=4, max_size=4),
)
@example(1, 0, 1, 1, 1, 1, set(), [[1.0] * 11 + [5e-324, -5e-324], *[[0.0] * 13] * 3])
@settings(max_examples=300, deadline=None)
def test_more_followers_or_more_days_never_give_a_worse_band(pace, restless, missing, more, days, longer, gaps, scores):
    """Whatever was learned: of two who differ in nothing but followers, and of two who differ in nothing but days."""
    table = Table.prior()
    table.scores[:] = np.sort(scores, axis=1)[:, None, :]
    row = steady(500_000, pace, restless=restless)
    row[0, sorted(gaps)] = NAN
    goal = 500_000 + missing

    def band(followers_more, days_more):
        _shapes, found = reached(row + followers_more, goal, table)
        chance = chance_by(found, np.array([float(days + days_more)]))
        return band_places(chance, EDGES)[0], day_of(found, MIDDLE)[0]

    (at_first, expected), (larger, sooner), (later, _same) = band(0, 0), band(more, 0), band(0, longer)

    assert larger <= at_first
    assert later <= at_first
    assert np.isnan(expected) or sooner <= expected


def test_bands_begin_at_their_edges():
    places = band_places(np.array([1, 0.7, 0.69, 0.3, 0.29, 0.05, 0.049, 0]), EDGES)

    assert places.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_scores_between_horizons_lie_between():
    table = Table.prior()
    table.scores[0], table.scores[1] = 1.0, 2.0

    assert table.on(3)[0, 0] == table.on(7)[0, 0] == 1
    assert table.on(10.5)[0, 0] == 1.5
    assert table.on(200)[0, 0] == PRIOR[0]


def test_a_range_is_believed_as_far_as_every_horizon_on_the_way():
    table = Table.prior()
    table.is_calibrated[[0, 1, 3]] = True
    groups = np.array([2] * 5)

    assert table.believed(groups, np.array([3, 7, 14, 15, 90])).tolist() == [True, True, True, False, False]


def test_the_prior_is_in_order_and_as_long_as_its_levels():
    assert len(PRIOR) == len(LEVELS) and (np.diff(PRIOR) > 0).all() and (np.diff(KNOTS) > 0).all()
    assert Table.prior().scores.shape == (len(HORIZONS), GROUPS, len(LEVELS))
    assert CALM > 0
