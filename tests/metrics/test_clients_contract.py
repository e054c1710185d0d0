"""What every adapter does, over real HTTP against the simulator: every failure in its class, none ever a figure."""

import asyncio
import logging
import resource
import time
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from incubator.demo.simulator import faults
from incubator.demo.vendor import Vendor as Browser
from incubator.metrics.clients import base
from tests.metrics.vendors import AT, DOUYIN, KUAISHOU


@pytest.fixture(params=[KUAISHOU, DOUYIN], ids=lambda vendor: vendor.name)
def vendor(request):
    return request.param


@pytest.fixture
def tokens(platform, vendor):
    platform.set_clock(AT)
    return vendor.consent(platform)


# --- Consent ---------------------------------------------------------------------------------------------------------


def test_the_way_over_the_consent_page_ends_in_a_reading(platform, vendor):
    platform.set_clock(AT)
    way = "http://127.0.0.1:8000/back?next=1"
    address = vendor.client(vendor.app, vendor.secret, base_url=platform.url).authorize_url("s t&1", redirect_uri=way)

    state, code = Browser(platform.url).agree(address, handle="ks7")
    tokens = vendor.ask(platform, lambda client: client.exchange(code, at=AT))

    assert state == "s t&1"
    assert vendor.fetch(platform, tokens)[-1].followers == platform.state.followers("ks7")


def test_exchange_gives_identity_and_absolute_expiry(vendor, tokens):
    assert tokens.external_id and tokens.scopes
    assert tokens.access_expires_at == AT + vendor.access_life
    assert abs(tokens.refresh_expires_at - AT - vendor.consent_life) <= timedelta(seconds=2)
    assert tokens.access_token not in repr(tokens) and tokens.refresh_token not in repr(tokens)


def test_a_code_counts_once_and_not_for_long(platform, vendor):
    platform.set_clock(AT)
    used, late = (platform.state.issue_code("ks1", vendor.name) for _ in range(2))
    vendor.ask(platform, lambda client: client.exchange(used, at=AT))
    platform.set_clock(AT + vendor.code_life + timedelta(seconds=1))

    for code in (used, late):
        with pytest.raises(base.Reauthorise):
            vendor.ask(platform, lambda client, code=code: client.exchange(code, at=AT))


def test_a_consent_to_less_than_is_read_is_none(platform, vendor):
    platform.set_clock(AT)
    platform.break_(vendor.exchange_path, "other_scope")

    with pytest.raises(base.Reauthorise) as caught:
        vendor.consent(platform)
    assert caught.value.code == "scope"


# --- Tokens ----------------------------------------------------------------------------------------------------------


def test_refreshing_gives_tokens_that_work_and_never_prolongs_consent(platform, vendor, tokens):
    later = AT + vendor.consent_life / 4
    platform.set_clock(later)

    fresh = vendor.refresh(platform, tokens, at=later)
    again = vendor.refresh(platform, fresh, at=later)

    assert fresh.external_id == tokens.external_id and fresh.scopes == tokens.scopes
    assert fresh.access_token != tokens.access_token
    assert fresh.access_expires_at == later + vendor.access_life
    assert again.refresh_expires_at <= fresh.refresh_expires_at <= tokens.refresh_expires_at
    assert vendor.fetch(platform, again)


def test_an_expired_access_token_asks_for_a_refresh(platform, vendor, tokens):
    platform.set_clock(AT + vendor.access_life + timedelta(minutes=1))

    with pytest.raises(base.RefreshNeeded):
        vendor.fetch(platform, tokens)


def test_at_the_end_of_consent_the_creator_must_consent_again(platform, vendor, tokens):
    platform.set_clock(AT + vendor.consent_life + timedelta(minutes=1))

    with pytest.raises(base.Reauthorise):
        vendor.refresh(platform, tokens)


def test_a_withdrawn_consent_asks_for_a_new_one(platform, vendor, tokens):
    platform.state.revoke("ks1", vendor.name)

    for ask in (vendor.fetch, vendor.refresh):
        with pytest.raises(base.Reauthorise):
            ask(platform, tokens)


def test_a_wrong_secret_is_a_matter_of_configuration(platform, vendor, tokens):
    with pytest.raises(base.Misconfigured):
        vendor.consent(platform, secret="wrong")

    for path, ask in ((vendor.refresh_path, vendor.refresh), (vendor.fetch_path, vendor.fetch)):
        platform.break_(path, "wrong_secret")
        with pytest.raises(base.Misconfigured):
            ask(platform, tokens)


def test_a_lost_answer_to_a_refresh_is_not_asked_for_twice(platform, vendor, tokens):
    platform.break_(vendor.refresh_path, "lost_answer", times=1)

    with pytest.raises(base.Transient):
        vendor.refresh(platform, tokens)
    assert len(platform.state.arrivals.of(vendor.refresh_path)) == 1


# --- Readings --------------------------------------------------------------------------------------------------------


def test_a_reading_is_of_the_platforms_day_in_china(platform, vendor, tokens):
    platform.set_clock(datetime(2026, 9, 1, 17, 30, tzinfo=UTC))  # half past one on the 2nd in China

    reading = vendor.fetch(platform, tokens)[-1]

    assert reading.day.isoformat() == "2026-09-02"
    assert reading.followers == platform.state.followers("ks1")


def test_numbers_written_as_texts_are_numbers(platform, vendor, tokens):
    plain = vendor.fetch(platform, tokens)
    for path in (vendor.exchange_path, vendor.fetch_path):
        platform.break_(path, "text_numbers")

    assert vendor.fetch(platform, vendor.consent(platform)) == plain


# --- Failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("http_500", base.Transient, "500"),
        ("http_429", base.RateLimited, "429"),
        ("truncated", base.BadAnswer, "not_json"),
        ("html", base.BadAnswer, "not_json"),
        ("missing_fan", base.BadAnswer, "missing"),
        ("null_fan", base.BadAnswer, "missing"),
        ("negative_fan", base.BadAnswer, "negative"),
        ("absurd_fan", base.BadAnswer, "absurd"),
        ("redirect", base.BadAnswer, "302"),
        ("drop", base.Transient, ""),
    ],
)
def test_a_fault_falls_in_its_class_and_is_no_figure(platform, vendor, tokens, kind, error, code):
    platform.break_(vendor.fetch_path, kind)

    with pytest.raises(error) as caught:
        vendor.fetch(platform, tokens)

    assert caught.value.code == code
    assert len(platform.state.arrivals.of(vendor.fetch_path)) == 1
    assert platform.state.arrivals.of(faults.TRAP) == []


@pytest.mark.parametrize("error", KUAISHOU.codes)
def test_a_business_code_falls_in_its_class(platform, vendor, tokens, error):
    platform.break_(vendor.fetch_path, "result", result=vendor.codes[error])

    with pytest.raises(base.PlatformError) as caught:
        vendor.fetch(platform, tokens)

    assert type(caught.value) is error and caught.value.code == str(vendor.codes[error])


def test_a_platform_that_is_not_there_is_a_passing_fault(platform, vendor, tokens):
    platform.stop_listening()

    with pytest.raises(base.Transient):
        vendor.fetch(platform, tokens)


@pytest.mark.parametrize(("value", "least", "most"), [("7", 7, 7), ("date:90", 88, 90), ("soon", None, None)])
def test_retry_after_is_read_as_seconds_or_date(platform, vendor, tokens, value, least, most):
    platform.break_(vendor.fetch_path, "http_429", retry_after=value)

    with pytest.raises(base.RateLimited) as caught:
        vendor.fetch(platform, tokens)

    asked = caught.value.retry_after
    assert asked is None if least is None else least <= asked <= most


# --- Limits ----------------------------------------------------------------------------------------------------------


def test_a_byte_every_five_seconds_ends_with_the_time_limit(platform, vendor, tokens):
    platform.break_(vendor.fetch_path, "slow")
    began = time.monotonic()

    with pytest.raises(base.Transient):
        vendor.fetch(platform, tokens, timeout=0.3)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("kind", ["huge", "huge_declared"])
def test_a_gigabyte_is_refused_without_being_read(platform, vendor, tokens, kind):
    platform.break_(vendor.fetch_path, kind)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()

    with pytest.raises(base.BadAnswer) as caught:
        vendor.fetch(platform, tokens)

    assert caught.value.code == "too_large"
    assert time.monotonic() - began < 2
    # The simulator runs in this process too: neither side held the body.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024


# --- The gate --------------------------------------------------------------------------------------------------------


class Watched:
    """A gate that writes down who passes; ``closed`` lets nobody in."""

    def __init__(self, closed=None):
        self.closed, self.seen = closed, []

    async def enter(self):
        self.seen.append("enter")
        if self.closed is not None:
            raise self.closed

    async def leave(self, outcome):
        self.seen.append(type(outcome).__name__ if outcome else "answered")


def test_every_call_passes_the_gate_token_calls_too(platform, vendor):
    platform.set_clock(AT)
    gate = Watched()
    tokens = vendor.consent(platform, gate=gate)
    vendor.refresh(platform, tokens, gate=gate)
    platform.break_(vendor.fetch_path, "result", result=vendor.codes[base.RateLimited])
    with pytest.raises(base.RateLimited):
        vendor.fetch(platform, tokens, gate=gate)

    assert gate.seen == ["enter", "answered", "enter", "answered", "enter", "RateLimited"]


def test_a_closed_gate_means_no_call(platform, vendor, tokens):
    gate = Watched(base.QuotaSpent())

    with pytest.raises(base.QuotaSpent):
        vendor.fetch(platform, tokens, gate=gate)
    assert gate.seen == ["enter"] and platform.state.arrivals.of(vendor.fetch_path) == []


def test_a_call_given_up_leaves_the_gate_without_blaming_the_platform(platform, vendor, tokens):
    platform.break_(vendor.fetch_path, "slow")
    gate = Watched()

    with pytest.raises(TimeoutError):
        vendor.ask(platform, lambda client: asyncio.wait_for(client.fetch(tokens), 0.2), gate=gate)
    assert gate.seen == ["enter", "GivenUp"]


# --- Secrets ---------------------------------------------------------------------------------------------------------


def test_neither_errors_nor_logs_hold_a_secret(platform, vendor, tokens, caplog):
    caplog.set_level(logging.DEBUG)
    code = platform.state.issue_code("ks1", vendor.name)
    secrets = (tokens.access_token, tokens.refresh_token, vendor.secret, code, f"127.0.0.1:{platform.port}")
    asks = {
        vendor.exchange_path: lambda: vendor.ask(platform, lambda client: client.exchange(code, at=AT)),
        vendor.refresh_path: lambda: vendor.refresh(platform, tokens, timeout=0.3),
        vendor.fetch_path: lambda: vendor.fetch(platform, tokens, timeout=0.3),
    }
    told = []
    for path, ask in asks.items():
        for kind in ("http_500", "http_429", "html", "redirect", "drop", "slow", "result"):
            platform.break_(path, kind, times=1, result=vendor.codes[base.RefreshNeeded])
            with pytest.raises(base.PlatformError) as caught:
                ask()
            told += [*everything_said_by(caught.value)]
    platform.stop_listening()
    with pytest.raises(base.PlatformError) as caught:
        vendor.fetch(platform, tokens)
    told += [*everything_said_by(caught.value), caplog.text]

    assert not [secret for secret in secrets for text in told if secret in text]


def everything_said_by(error):
    """The texts of an error and of all it came from, hidden ones included: error trackers show those too."""
    while error is not None:
        yield from (repr(error), str(error), *map(repr, error.args), repr(getattr(error, "detail", "")))
        yield "".join(traceback.format_exception_only(error))
        error = error.__cause__ or error.__context__
