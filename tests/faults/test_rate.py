"""Eight worker processes under one rate and one budget, by the platform's own count."""

import os

import pytest

from incubator.demo.simulator.recorder import most_within
from incubator.metrics.models import CallBudget, Reading
from tests.faults.house import USER_INFO
from tests.faults.state import assert_sound

pytestmark = pytest.mark.broker

RATE = 20  # calls a second
ACCOUNTS = 320


@pytest.fixture
def start_workers(house):
    """Processes with the limits of this test; the common ones rest."""
    house.rest_common_workers()
    started = []

    def start(children, **limits):
        started.append(house.start_workers(children, **limits))
        return started[-1]

    yield start
    for workers in started:
        workers.kill()


def test_eight_workers_keep_one_rate_and_use_it(house, start_workers):
    """The rate is kept whatever happens; it can be used where the processor is not taken by others, so three tries."""
    start_workers(8, KUAISHOU_RATE_PER_SECOND=RATE)
    best = 0.0
    for _try in range(3):
        best = max(best, share_used(house))
        if best >= 0.9:
            break
        house.clear()
    busy = os.getloadavg()[0]
    if best < 0.9 and busy > 2 * (os.cpu_count() or 1):
        pytest.skip(f"{best:.0%} of the limit used: not judged on a machine with a load of {busy:.0f}")
    assert best >= 0.9


def share_used(house):
    """The share of the limit that a run of some fifteen seconds made use of, after a look at all that must hold."""
    house.connect(ACCOUNTS)
    run = house.finish(house.begin(), 120)
    arrivals = house.platform.state.arrivals.of(USER_INFO)
    most, busy = most_within(arrivals), arrivals[-1] - arrivals[0]
    used = (len(arrivals) - 1) / (busy * RATE)
    print(f"most calls in any second: {most} of {RATE}; used: {used:.1%} of the limit over {busy:.1f} s")  # noqa: T201
    assert most <= RATE and Reading.objects.count() == ACCOUNTS
    assert_sound(house, run)
    return used


def test_the_budget_is_not_exceeded_by_one_call_though_all_workers_are_killed(house, start_workers, settings):
    """More accounts are planned than the workers' budget allows: it was set lower since."""
    budget = 250
    limits = {"KUAISHOU_RATE_PER_SECOND": 50, "KUAISHOU_DAILY_BUDGET": budget}
    first = start_workers(2, **limits)
    house.connect(ACCOUNTS)
    run = house.begin()
    settings.KUAISHOU_DAILY_BUDGET = budget
    house.wait(lambda: Reading.objects.count() >= 20)
    first.kill()
    before = CallBudget.objects.get().spent
    start_workers(4, **limits)

    run = house.finish(run, 120)

    called, spent = sum(house.platform.calls(USER_INFO).values()), CallBudget.objects.get().spent
    print(f"budget {budget}: {before} spent when killed, then {spent}; the platform counted {called}")  # noqa: T201
    assert called <= spent == budget and before < budget
    assert 20 <= Reading.objects.count() < ACCOUNTS
    assert set(run.failures.values_list("kind", flat=True)) == {"quota_spent"}
    assert_sound(house, run)
