"""The simulated platform: curves that can be trusted, and a memory that outlives the process."""

import json
import random
import threading
import urllib.request
from datetime import date, datetime, timedelta

import pytest

from incubator.demo.simulator.curves import KINDS, Curve, default_curve, followers_on
from incubator.demo.simulator.recorder import most_within
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


# --- The recorder and the switches -----------------------------------------------------------------------------------


def switch(platform, method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(platform.url + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


@pytest.mark.parametrize(
    ("instants", "most"),
    [
        ([], 0),
        ([5.0], 1),
        ([5.0, 6.0], 1),  # a second apart: not within one second
        ([5.0, 5.999], 2),
        ([0.9, 1.0, 1.1, 1.2], 4),  # around the turn of a clock's second
        ([0.0, 0.5, 1.0, 1.4, 1.49, 3.0], 4),
    ],
)
def test_the_busiest_second_is_found_wherever_it_lies(instants, most):
    assert most_within(instants) == most


@pytest.mark.parametrize("seed", range(5))
def test_the_busiest_second_is_exact(seed):
    chance = random.Random(seed)
    instants = sorted(chance.uniform(0, 20) for _call in range(300))

    slow = max(sum(1 for other in instants if instant <= other < instant + 1) for instant in instants)
    assert most_within(instants) == slow


def test_arrivals_are_counted_by_path_even_when_the_call_is_refused_or_broken(platform):
    platform.break_("/openapi/user_info", "html")
    askers = [
        threading.Thread(target=lambda: urllib.request.urlopen(platform.url + "/openapi/user_info", timeout=5).close())
        for _call in range(5)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    seen = switch(platform, "GET", "/_simulator/arrivals?path=/openapi/user_info")
    assert (seen["count"], seen["most_in_a_second"]) == (5, 5) and 0 <= seen["last"] - seen["first"] < 5
    assert switch(platform, "GET", "/_simulator/arrivals?path=/other")["count"] == 0
    assert switch(platform, "GET", "/_simulator/arrivals")["count"] == 5
    switch(platform, "DELETE", "/_simulator/arrivals")
    assert switch(platform, "GET", "/_simulator/arrivals") == {
        "count": 0,
        "most_in_a_second": 0,
        "first": None,
        "last": None,
    }


def test_many_consents_are_given_at_once_and_limits_can_be_raised(platform):
    given = switch(platform, "POST", "/_simulator/consents", {"platform": "douyin", "handles": ["a", "b"]})

    assert [consent["handle"] for consent in given] == ["a", "b"]
    assert list(platform.state.consents["douyin"].by_access) == [token for one in given for token in one["access"]]
    assert switch(platform, "POST", "/_simulator/limits", {"app_calls_a_day": 7})["app_calls_a_day"] == 7
    assert platform.state.app_calls_a_day == 7 and platform.state.user_calls_a_day == 1000


def test_figures_follow_the_clock_and_a_new_cast(remember):
    state = remember()
    state.set_clock(AT)
    curve = {"kind": "steady", "start_on": "2026-06-01", "start": 5, "end_on": "2026-08-30", "end": 50}
    before = state.followers("ks1")
    state.cast([{"handle": "ks1", "curve": curve}])
    assert state.followers("ks1") == 50 != before

    state.set_clock(AT.replace(month=6, day=1))
    assert state.followers("ks1") == 5
