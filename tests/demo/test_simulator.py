"""The simulated platform: curves that can be trusted, and a memory that outlives the process."""

from datetime import date, datetime, timedelta

import pytest

from incubator.demo.simulator.curves import KINDS, Curve, default_curve, followers_on
from incubator.demo.simulator.state import State
from tests.factories import SHANGHAI

START, END = date(2026, 6, 1), date(2026, 8, 30)
DAYS = [START + timedelta(days=n) for n in range((END - START).days + 1)]
AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 7, 99])
def test_a_curve_keeps_its_ends_and_repeats_itself(kind, seed):
    curve = Curve(kind, START, 12_000, END, 18_000, seed)

    figures = [followers_on(curve, day) for day in DAYS]

    assert (figures[0], figures[-1]) == (12_000, 18_000)
    assert figures == [followers_on(curve, day) for day in DAYS]
    assert followers_on(curve, END + timedelta(days=400)) == 18_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(20))
def test_a_curve_that_ends_below_the_line_never_reaches_it(kind, seed):
    curve = Curve(kind, START, 60_000, END, 99_900, seed)

    assert max(followers_on(curve, day) for day in DAYS) < 100_000


@pytest.mark.parametrize("seed", range(20))
def test_a_rise_crosses_between_and_stays_above_at_the_end(seed):
    curve = Curve("rise", START, 41_000, END, 128_000, seed)
    figures = [followers_on(curve, day) for day in DAYS]

    first = next(n for n, figure in enumerate(figures) if figure >= 100_000)
    assert 10 < first < len(DAYS) - 3
    assert all(figure >= 100_000 for figure in figures[-5:])


@pytest.mark.parametrize("seed", range(20))
def test_a_burst_doubles_within_three_days(seed):
    curve = Curve("burst", START, 38_000, END, 131_000, seed)
    figures = [followers_on(curve, day) for day in DAYS]

    assert any(after > 2 * before for before, after in zip(figures, figures[3:], strict=False))


def test_an_undescribed_creator_is_small_and_always_the_same():
    first = followers_on(default_curve("someone"), END)

    assert 0 < first < 20_000 and first == followers_on(default_curve("someone"), END)


@pytest.fixture
def remember(tmp_path):
    """``remember()`` opens the simulator's memory; every one opened is closed."""
    opened = []

    def open_state():
        opened.append(State(tmp_path))
        return opened[-1]

    yield open_state
    for state in opened:
        state.close()


def test_consents_creators_and_the_clock_outlive_the_process(tmp_path, remember):
    state = remember()
    state.set_clock(AT)
    curve = {"kind": "steady", "start_on": "2026-06-01", "start": 5, "end_on": "2026-08-30", "end": 50}
    state.cast([{"handle": "ks1", "name": "甲", "curve": curve}])
    consent = state.consents["kuaishou"].give("ks1")
    first = consent.refresh_token
    state.consents["kuaishou"].replace_refresh(consent)
    state.consents["douyin"].give("ks1")
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('["consent", {"handle": "ks1", "open')  # the line a kill -9 cut off

    again = remember()

    assert again.today() == AT.date()
    assert again.followers("ks1") == 50
    assert again.consents["kuaishou"].by_refresh[first] == consent
    assert again.consents["douyin"].by_handle == state.consents["douyin"].by_handle


def test_creators_are_cast_all_or_none(remember):
    state = remember()
    curve = {"kind": "steady", "start_on": "2026-06-01", "start": 5, "end_on": "2026-08-30", "end": 9}
    good = {"handle": "a", "curve": curve}

    with pytest.raises(ValueError, match="unknown kind"):
        state.cast([good, {"handle": "b", "curve": {**curve, "kind": "magic"}}])
    assert state.creators == {}


def test_calls_beyond_the_limits_of_a_day_are_refused(remember):
    state = remember()
    state.user_calls_a_day = 2

    assert [state.record("/openapi/user_info", "ks1") for _call in range(3)] == [True, True, False]
    assert state.record("/openapi/user_info", "ks2")
