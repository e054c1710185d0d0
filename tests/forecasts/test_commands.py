"""``make_forecasts`` and ``backtest_forecasts``: what they say, write, and end with."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from incubator.forecasts.management.commands import backtest_forecasts
from incubator.forecasts.models import BackTest, Calibration, Forecast
from tests.factories import RuleFactory
from tests.forecasts.creators import restless_history
from tests.forecasts.test_services import populate
from tests.forecasts.world import TODAY, growing, supported

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule():
    return RuleFactory(followers=100_000)


def call(name, *arguments):
    said = StringIO()
    with override("en"):
        call_command(name, *arguments, stdout=said)
    return said.getvalue()


def refusal(name, *arguments):
    with pytest.raises(CommandError) as refused:
        call(name, *arguments)
    return refused.value


def test_forecasts_are_made_by_hand():
    supported(growing(90_000, 250), left=50)

    assert "Forecasts: 1." in call("make_forecasts")
    assert Forecast.objects.count() == 1


def test_a_dry_run_writes_nothing():
    supported(growing(90_000, 250), left=50)

    said = call("make_forecasts", "--dry-run")

    assert "would be made: 1." in said
    assert not Forecast.objects.exists() and not Calibration.objects.exists()


@pytest.mark.parametrize("name", ["make_forecasts", "backtest_forecasts"])
def test_a_day_to_come_is_a_wrong_argument(name):
    assert refusal(name, "--day", (TODAY + timedelta(days=1)).isoformat()).returncode == 2


def test_without_readings_a_back_test_cannot_be_done():
    error = refusal("backtest_forecasts")

    assert error.returncode == 1 and "no readings" in str(error)


def test_with_too_little_history_a_back_test_says_so():
    populate(restless_history(1, accounts=40, days=30, unread=0))

    error = refusal("backtest_forecasts")

    assert error.returncode == 1 and "too short" in str(error)


@pytest.fixture
def history():
    populate(restless_history(3, accounts=60, days=100, unread=0.1))


def test_a_back_test_tells_and_keeps_what_was_held(history):
    said = call("backtest_forecasts")

    week = BackTest.objects.get(horizon=7)
    assert f"7 days ahead: {week.cases:,} forecasts, range held {100 * week.coverage:.1f}%" in said
    assert "60 days ahead, on too little history" in said or BackTest.objects.get(horizon=60).unproven == 0
    assert "Day of reaching the next number" in said
    assert (
        f"Together: {sum(BackTest.objects.filter(horizon__gt=0).values_list('cases', flat=True)):,} forecasts" in said
    )


def test_a_dry_back_test_keeps_nothing(history):
    call("backtest_forecasts", "--dry-run", "--accounts", "50")

    assert not BackTest.objects.exists() and not Calibration.objects.exists()


def test_a_dishonest_range_ends_with_3(history, monkeypatch):
    monkeypatch.setattr(backtest_forecasts, "HELD_FROM", 0.99)

    assert refusal("backtest_forecasts").returncode == 3
    assert BackTest.objects.exists()
