"""The adapter against the simulator over real HTTP: every failure falls in its class, and none becomes a figure."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from incubator.metrics.clients import base
from incubator.metrics.clients.kuaishou import KuaishouClient
from tests.factories import SHANGHAI
from tests.platform import APP_ID, APP_SECRET

AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)
USER_INFO, REFRESH = "/openapi/user_info", "/oauth2/refresh_token"


def ask(platform, what, *, secret=APP_SECRET, timeout=5.0):
    """Run ``what(client)`` with a client of the simulator."""

    async def asked():
        async with KuaishouClient(APP_ID, secret, base_url=platform.url, timeout=timeout) as client:
            return await what(client)

    return asyncio.run(asked())


@pytest.fixture
def tokens(platform):
    platform.set_clock(AT)
    code = platform.state.issue_code("ks1")
    return ask(platform, lambda client: client.exchange(code, at=AT))


def fetch(platform, tokens, **kwargs):
    return ask(platform, lambda client: client.fetch(tokens), **kwargs)


def test_exchange_gives_identity_and_absolute_expiry(tokens):
    assert tokens.external_id
    assert tokens.access_expires_at == AT + timedelta(hours=48)
    assert abs(tokens.refresh_expires_at - AT - timedelta(days=180)) <= timedelta(seconds=2)
    assert tokens.access_token not in repr(tokens) and tokens.refresh_token not in repr(tokens)


def test_a_code_counts_once(platform, tokens):
    code = platform.state.issue_code("ks1")
    ask(platform, lambda client: client.exchange(code, at=AT))

    with pytest.raises(base.Reauthorise):
        ask(platform, lambda client: client.exchange(code, at=AT))


def test_a_code_lives_two_minutes(platform):
    platform.set_clock(AT)
    code = platform.state.issue_code("ks1")
    platform.set_clock(AT + timedelta(seconds=121))

    with pytest.raises(base.Reauthorise):
        ask(platform, lambda client: client.exchange(code, at=AT))


def test_a_reading_is_of_the_platforms_day_in_shanghai(platform, tokens):
    platform.set_clock(datetime(2026, 9, 1, 17, 30, tzinfo=UTC))  # half past one on the 2nd in Shanghai

    (reading,) = fetch(platform, tokens)

    assert reading.day.isoformat() == "2026-09-02"
    assert reading.followers == platform.state.followers("ks1")


def test_rotation_keeps_the_old_expiry_and_discards_the_old_token(platform, tokens):
    later = AT + timedelta(days=10)
    platform.set_clock(later)

    fresh = ask(platform, lambda client: client.refresh(tokens, at=later))

    assert fresh.external_id == tokens.external_id
    assert fresh.refresh_token != tokens.refresh_token
    assert fresh.refresh_expires_at <= tokens.refresh_expires_at
    with pytest.raises(base.Reauthorise):
        ask(platform, lambda client: client.refresh(tokens, at=later))
    assert fetch(platform, fresh)


def test_an_expired_access_token_asks_for_a_refresh(platform, tokens):
    platform.set_clock(AT + timedelta(hours=49))

    with pytest.raises(base.RefreshNeeded):
        fetch(platform, tokens)


def test_after_180_days_the_creator_must_consent_again(platform, tokens):
    platform.set_clock(AT + timedelta(days=181))

    with pytest.raises(base.Reauthorise):
        ask(platform, lambda client: client.refresh(tokens, at=AT))


def test_a_withdrawn_consent_asks_for_a_new_one(platform, tokens):
    platform.state.revoke("ks1")

    with pytest.raises(base.Reauthorise):
        fetch(platform, tokens)


def test_a_wrong_secret_is_a_matter_of_configuration(platform, tokens):
    with pytest.raises(base.Misconfigured):
        ask(platform, lambda client: client.refresh(tokens, at=AT), secret="wrong")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("http_500", base.Transient),
        ("http_429", base.RateLimited),
        ("truncated", base.BadAnswer),
        ("html", base.BadAnswer),
        ("missing_fan", base.BadAnswer),
        ("null_fan", base.BadAnswer),
        ("huge", base.BadAnswer),
        ("redirect", base.BadAnswer),
        ("drop", base.Transient),
    ],
)
def test_a_fault_falls_in_its_class_and_is_no_figure(platform, tokens, kind, error):
    platform.break_(USER_INFO, kind)

    with pytest.raises(error):
        fetch(platform, tokens)


def test_a_byte_every_five_seconds_ends_with_the_time_limit(platform, tokens):
    platform.break_(USER_INFO, "slow")

    with pytest.raises(base.Transient):
        fetch(platform, tokens, timeout=0.5)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (100200100, base.Misconfigured),
        (100200101, base.Misconfigured),
        (100200102, base.RefreshNeeded),
        (100200106, base.Reauthorise),
        (100200107, base.Gone),
        (100200108, base.RefreshNeeded),
        (100200109, base.Reauthorise),
        (100200113, base.Reauthorise),
        (100200410, base.RateLimited),
        (100200500, base.Transient),
        (100100402, base.QuotaSpent),
        (400000, base.Gone),
        (999, base.BadAnswer),
    ],
)
def test_a_result_code_falls_in_its_class(platform, tokens, result, error):
    platform.break_(USER_INFO, "result", result=result)

    with pytest.raises(error) as caught:
        fetch(platform, tokens)
    assert caught.value.code == str(result)


@pytest.mark.parametrize(("value", "seconds"), [("7", 7), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("soon", None)])
def test_retry_after_is_read_as_seconds_or_date(platform, tokens, value, seconds):
    platform.break_(USER_INFO, "http_429", retry_after=value)

    with pytest.raises(base.RateLimited) as caught:
        fetch(platform, tokens)
    assert caught.value.retry_after == seconds


def test_neither_errors_nor_logs_hold_a_secret(platform, tokens, caplog):
    caplog.set_level(logging.DEBUG)
    for kind in ("http_500", "html", "drop", "redirect"):
        platform.break_(USER_INFO, kind, times=1)
        with pytest.raises(base.PlatformError) as caught:
            fetch(platform, tokens)
        told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.detail}"
        assert tokens.access_token not in told and platform.url not in told

    assert tokens.access_token not in caplog.text and APP_SECRET not in caplog.text
