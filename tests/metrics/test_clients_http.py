"""The small rules both adapters rest on."""

from datetime import datetime, timedelta

import pytest

from incubator.metrics.clients import base, http
from tests.factories import SHANGHAI

AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)
GOOD = {"access_token": "a", "refresh_token": "r", "expires_in": 60, "lives": "120"}


def tokens(**changed):
    answer = GOOD | changed
    return http.tokens_of(answer, AT, external_id="x", refresh_seconds="lives", scopes=answer.get("scopes"))


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("7", "", 7),
        (" 0 ", "", 0),
        ("999999999", "", http.LONGEST_PAUSE),
        ("Tue, 01 Sep 2026 03:00:30 GMT", "Tue, 01 Sep 2026 03:00:00 GMT", 30),  # by the platform's clock, not ours
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Tue, 01 Sep 2026 03:00:00 GMT", 0),
        ("Tue, 01 Sep 2026 03:00:30", "Tue, 01 Sep 2026 03:00:00 GMT", 30),
        ("", "", None),
        ("soon", "", None),
        ("-5", "", None),
        ("²", "", None),
        ("1.5", "", None),
    ],
)
def test_retry_after_in_every_form(value, date, seconds):
    assert http.retry_after({"Retry-After": value, "Date": date}) == seconds


@pytest.mark.parametrize("value", ["", "yesterday", "Tue, 99 Sep 2026 03:00:00 GMT"])
def test_without_a_date_the_day_is_ours(value):
    assert abs(http.platform_day(value) - datetime.now(SHANGHAI).date()) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), ("-5", -5), (0, 0), (True, None), (1.0, None), ("", None), ("５", None), ("9" * 30, None)],
)
def test_a_whole_number_is_told_from_what_looks_like_one(value, number):
    assert http.whole_number(value) == number


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "missing"),
        ("many", "no_number"),
        (-1, "negative"),
        (http.MOST_FOLLOWERS + 1, "absurd"),
        ([], "no_number"),
    ],
)
def test_an_unusable_count_says_why(value, why):
    with pytest.raises(base.BadAnswer) as caught:
        http.follower_count({"fan": value}, "fan")
    assert caught.value.code == why


def test_tokens_carry_absolute_instants_and_scopes_in_either_form():
    assert tokens().refresh_expires_at == AT + timedelta(seconds=120)
    assert tokens(scopes="a, b").scopes == tokens(scopes=["a", "b"]).scopes == ("a", "b")


@pytest.mark.parametrize(
    "changed",
    [
        {"access_token": None},
        {"access_token": ""},
        {"refresh_token": "two\r\nlines"},
        {"access_token": "x" * 1025},
        {"expires_in": None},
        {"expires_in": -1},
        {"lives": 10**18},
    ],
)
def test_tokens_that_could_not_be_used_are_not_taken(changed):
    with pytest.raises(base.BadAnswer):
        tokens(**changed)


def test_a_consent_to_less_than_is_read_is_asked_for_again():
    with pytest.raises(base.Reauthorise):
        http.need_scope(tokens(scopes=["other"]), "user_info")
    assert http.need_scope(tokens(), "user_info")
