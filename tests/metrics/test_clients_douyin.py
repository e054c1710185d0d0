"""What only Douyin does; the rest is in the contract."""

from datetime import date, timedelta

import pytest

from incubator.metrics.clients import base
from incubator.metrics.clients.douyin import judge, series
from tests.metrics.vendors import AT, DOUYIN

RENEW = "/oauth/renew_refresh_token/"
TODAY = date(2026, 9, 1)


@pytest.fixture
def tokens(platform):
    platform.set_clock(AT)
    return DOUYIN.consent(platform)


def rows(*figures, last=TODAY):
    """Rows of the days up to ``last``, the newest figure last."""
    days = [last - timedelta(days=back) for back in reversed(range(len(figures)))]
    return [{"date": day.isoformat(), "total_fans": figure} for day, figure in zip(days, figures, strict=True)]


@pytest.mark.parametrize(("asked", "given"), [(1, 7), (7, 7), (8, 15), (16, 30), (30, 30), (400, 30)])
def test_days_are_filled_back_in_one_call(platform, tokens, asked, given):
    readings = DOUYIN.ask(platform, lambda client: client.fetch(tokens, days=asked))

    assert [reading.day for reading in readings] == [TODAY - timedelta(days=n) for n in reversed(range(given))]
    figures = [platform.state.followers_on("ks1", reading.day) for reading in readings]
    assert [reading.followers for reading in readings] == figures
    assert len(platform.state.arrivals.of(DOUYIN.fetch_path)) == 1


def test_a_refresh_can_be_repeated_when_its_answer_was_lost(platform, tokens):
    platform.break_(DOUYIN.refresh_path, "lost_answer", times=1)
    with pytest.raises(base.Transient):
        DOUYIN.refresh(platform, tokens)

    assert DOUYIN.fetch(platform, DOUYIN.refresh(platform, tokens))


def test_a_refresh_token_is_renewed_in_its_second_half_five_times(platform, tokens):
    at, ends = AT, []
    for _time in range(6):
        at += timedelta(days=14, hours=12)
        platform.set_clock(at)
        tokens = DOUYIN.refresh(platform, tokens, at=at)
        ends.append(round((tokens.refresh_expires_at - at) / timedelta(days=1), 1))
        assert DOUYIN.fetch(platform, tokens)

    assert ends == [30, 30, 30, 30, 30, 15.5]
    assert tokens.access_expires_at == at + DOUYIN.access_life  # it renews no more, and is not asked every day


@pytest.mark.parametrize("kind", ["http_500", "html", "drop"])
def test_a_renewal_that_fails_loses_no_access_token_and_is_tried_again_the_next_day(platform, tokens, kind):
    at = AT + timedelta(days=15)
    platform.set_clock(at)
    platform.break_(RENEW, kind, times=1)

    fresh = DOUYIN.refresh(platform, tokens, at=at)

    assert DOUYIN.fetch(platform, fresh)
    assert fresh.refresh_expires_at <= tokens.refresh_expires_at
    assert fresh.access_expires_at == at + timedelta(days=1)
    assert DOUYIN.refresh(platform, fresh, at=at).refresh_expires_at == at + timedelta(days=30)


def test_tokens_of_another_creator_need_consent_again(platform, tokens):
    other = DOUYIN.consent(platform, "ks2")
    mixed = base.Tokens(other.external_id, tokens.access_token, "", AT, AT)

    with pytest.raises(base.Reauthorise):
        DOUYIN.fetch(platform, mixed)


def test_a_series_that_ends_yesterday_is_one_of_yesterday():
    readings = series(rows(5, 6, last=TODAY - timedelta(days=1)), TODAY)

    assert [(reading.day, reading.followers) for reading in readings] == [
        (TODAY - timedelta(days=2), 5),
        (TODAY - timedelta(days=1), 6),
    ]


@pytest.mark.parametrize("bad", [None, -1, "many", 10**12, 1.5, True])
def test_an_older_day_without_a_usable_figure_is_left_out(bad):
    assert [reading.followers for reading in series(rows(5, bad, 7), TODAY)] == [5, 7]


def test_days_to_come_days_long_gone_and_rows_that_are_none_are_left_out():
    odd = [*rows(9, last=TODAY + timedelta(days=1)), *rows(9, last=date(1970, 1, 1)), None, {"date": "soon"}, {}]

    assert [reading.followers for reading in series([*odd, *rows("5")], TODAY)] == [5]


@pytest.mark.parametrize("nothing", [[], [None], rows(9, last=date(1970, 1, 1))])
def test_no_day_at_all_is_no_reading(nothing):
    with pytest.raises(base.BadAnswer) as caught:
        series(nothing, TODAY)
    assert caught.value.code == "missing"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (10008, base.RefreshNeeded),
        (2190008, base.RefreshNeeded),
        (28001008, base.RefreshNeeded),
        (28001003, base.RefreshNeeded),
        (10010, base.Reauthorise),
        (10007, base.Reauthorise),
        (2100005, base.Misconfigured),
        (10002, base.Misconfigured),
        (10013, base.Misconfigured),
        (10020, base.RateLimited),
        (28003017, base.QuotaSpent),
        (28001005, base.Transient),
        (28001006, base.Transient),
        (28001004, base.Gone),
        ("10008", base.RefreshNeeded),
        (999, base.BadAnswer),
        (None, base.BadAnswer),
    ],
)
def test_an_error_code_falls_in_its_class(code, error):
    with pytest.raises(base.PlatformError) as caught:
        judge({"data": {"error_code": code}})
    assert type(caught.value) is error


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": []}, {"message": "success"}])
def test_an_answer_of_another_shape_is_a_bad_one(answer):
    with pytest.raises(base.BadAnswer):
        judge(answer)
