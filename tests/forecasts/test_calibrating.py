"""Learning without looking ahead, and the 80 % range: on the demo's history, and on one that the method never saw."""

import numpy as np
import pytest

from incubator.forecasts.calibrating import (
    EVERY,
    FEWEST_CASES,
    JOINED,
    LOOKED_BACK,
    SHORTEST_SPAN,
    TESTED_EVERY,
    Past,
    _joined,
    back_test,
    back_test_dates,
    learn,
    origins,
    widened,
)
from incubator.forecasts.method import GROUPS, HORIZONS, LEVELS, PRIOR
from incubator.metrics.rollups import EDGES
from tests.forecasts.creators import PEOPLE, demo_history, restless_history

HONEST = (0.75, 0.85)  # what an 80 % range has to hold
NAN = np.nan


def is_honest(coverage):
    return HONEST[0] <= coverage <= HONEST[1]


# --- The 80 % range ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_key", [1, 1_001, 2_001, 5_001])
def test_the_range_is_honest_on_the_history_of_the_demo(first_key):
    """The 90 days of the demo county: up to 14 days ahead there is enough to learn from, for 30 days there is not."""
    tested = back_test(Past(demo_history(first_key=first_key)))

    assert is_honest(tested.of_calibrated().coverage)
    for horizon in (7, 14):
        own = tested.of(horizon, calibrated=True)
        assert len(own) > 1_500 and is_honest(own.coverage), horizon
    assert len(tested.of(30, calibrated=True)) == 0
    assert tested.of(30, calibrated=False).coverage >= HONEST[0]
    assert is_honest(tested.coverage)  # with what promises nothing


def test_the_range_is_honest_at_every_horizon_on_a_longer_history_of_the_demo():
    tested = back_test(Past(demo_history(days=240)))

    for horizon in HORIZONS:
        own = tested.of(horizon, calibrated=True)
        assert len(own) > 2_000 and is_honest(own.coverage), horizon


@pytest.mark.parametrize("seed", [1, 2, 3, 11, 12])
def test_the_range_is_honest_on_creators_it_was_not_fitted_to(seed):
    past = Past(restless_history(seed))
    tested = back_test(past)

    for horizon in HORIZONS:
        own = tested.of(horizon, calibrated=True)
        assert len(own) > 5_000 and is_honest(own.coverage), horizon
    assert is_honest(tested.of_calibrated().coverage)
    assert back_test_dates(past, EDGES).coverage >= HONEST[0]


def test_what_is_learned_is_better_than_going_on_with_the_pace():
    tested = back_test(Past(restless_history(1))).of_calibrated()

    for horizon in HORIZONS:
        here = tested.horizon == horizon
        assert np.median(tested.error[here]) < np.median(tested.naive_error[here])


def test_a_range_for_everybody_would_be_honest_for_nobody():
    """Guards that the test above can fail: the range of the prior is far from honest on the same history."""
    tested = back_test(Past(restless_history(1)))
    past = Past(restless_history(1))
    cases = past.cases(150, 30)
    held = (cases.scores >= PRIOR[2]) & (cases.scores <= PRIOR[-3])

    assert len(tested) and not is_honest(held.mean())


# --- Nothing of the future --------------------------------------------------------------------------------------------


def test_what_came_later_teaches_nothing():
    history = restless_history(4, accounts=150, days=200)
    changed, on = history.copy(), 140
    changed[:, on + 1 :] = 7

    before, after = learn(Past(history), on), learn(Past(changed), on)

    assert (before.table.scores == after.table.scores).all()
    assert (before.cases == after.cases).all() and before.cases.sum() > 0


def test_a_truth_that_is_known_only_later_is_not_used():
    """With no reading on day ``on`` what came of an earlier day is known by a later reading only."""
    history = restless_history(4, accounts=150, days=200, unread=0)
    on = 141 + 7
    history[:, on] = NAN

    cases = Past(history).cases(141, 7)

    assert len(cases) == 150 and (cases.known == on + 1).all()
    assert origins(on, 7)[-1] == 141
    assert learn(Past(history), on).cases[0].sum() == 150 * (len(origins(on, 7)) - 1)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_origins_end_where_their_future_begins(horizon):
    days = origins(200, horizon)

    assert max(days) + horizon <= 200 and max(days) + horizon > 200 - EVERY
    assert min(days) >= 200 - horizon - LOOKED_BACK
    assert {day % 7 for day in days} == set(range(7))


def test_every_day_of_the_week_is_tested():
    assert {day % 7 for day in range(0, 7 * TESTED_EVERY, TESTED_EVERY)} == set(range(7))


# --- Gaps -------------------------------------------------------------------------------------------------------------


def test_short_gaps_are_joined_and_long_ones_are_not():
    followers = np.full((1, 30), NAN)
    followers[0, [0, 7, 15, 29]] = [100, 170, 250, 400]

    truth, known = _joined(followers)

    assert truth[0, :8].tolist() == [100, 110, 120, 130, 140, 150, 160, 170]
    assert np.isnan(truth[0, 8:15]).all() and np.isnan(truth[0, 16:29]).all()
    assert (known[0, 0], known[0, 3], known[0, 7], known[0, 10]) == (0, 7, 7, -1)
    assert JOINED == 7


def test_who_was_not_read_on_a_day_is_no_case_of_it():
    history = restless_history(5, accounts=50, days=60, unread=0)
    history[:10, 30] = NAN

    places, _shapes = Past(history).shapes_on(30)

    assert places.tolist() == list(range(10, 50))


# --- Too little history -----------------------------------------------------------------------------------------------


def test_without_history_the_prior_stands_and_is_not_believed():
    learned = learn(Past(np.full((5, 40), NAN)), 39)

    assert not learned.table.is_calibrated.any()
    assert (learned.table.scores == PRIOR).all()
    assert (learned.first == -1).all() and learned.cases.sum() == 0


def test_few_cases_are_no_history():
    few = restless_history(6, accounts=3, days=60, unread=0)

    assert learn(Past(few), 59).cases[0].sum() < FEWEST_CASES
    assert (learn(Past(few), 59).table.scores == PRIOR).all()


def test_a_range_is_believed_once_its_origins_span_the_horizon():
    past = Past(restless_history(7, accounts=40, days=200, unread=0))
    first = {}
    for on in range(20, 200):
        for place, horizon in enumerate(HORIZONS):
            if learn(past, on).table.is_calibrated[place].all():
                first.setdefault(horizon, on)

    for horizon in HORIZONS:
        days = origins(first[horizon], horizon)
        span = max(SHORTEST_SPAN, horizon)
        assert span <= days[-1] - days[0] < span + EVERY


def test_a_short_span_widens_the_range_the_more_the_shorter_it_is():
    once, longer = widened(0), widened(0.9)

    assert once[LEVELS == 0.1] == pytest.approx(0.05) and once[LEVELS == 0.9] == pytest.approx(0.95)
    assert 0.05 < longer[LEVELS == 0.1] < 0.1
    assert once[LEVELS == 0.5] == longer[LEVELS == 0.5] == 0.5
    assert (np.diff(once) > 0).all()


def test_a_kind_with_few_cases_borrows_from_its_neighbours():
    past = Past(demo_history())
    learned = learn(past, 89)
    rare = int(np.argmin(learned.cases[0]))

    assert learned.cases[0, rare] == 0  # everybody of the demo is read every day
    assert (learned.table.scores[0, rare] == learned.table.scores[0, rare + GROUPS // 2]).all()
    assert PEOPLE == 222
