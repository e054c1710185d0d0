"""Workers killed with ``kill -9`` at every step of their work, duplicated messages, and workers thought dead."""

import os
import signal
import time

import pytest

from incubator.jobs.models import Job
from incubator.jobs.services import ask_for_job
from incubator.jobs.tasks import run_job
from incubator.metrics.choices import AccountState, Failure
from incubator.metrics.models import CreatorAccount, Reading, RefreshBatch
from incubator.metrics.services import refresh
from tests.faults.celery_app import STEPS
from tests.faults.house import LEASE_SECONDS, REFRESH, USER_INFO
from tests.faults.state import assert_sound, fingerprint

pytestmark = pytest.mark.broker

LOSING = "tokens rotated"  # the one step at which a kill loses something: the new token was nowhere but in memory
SAFE = [step for step in STEPS if step != LOSING]


def needing_consent():
    return set(CreatorAccount.objects.filter(state=AccountState.NEEDS_CONSENT).values_list("handle", flat=True))


@pytest.mark.parametrize("step", SAFE)
def test_a_worker_killed_at_a_step_loses_nothing_and_calls_nobody_a_third_time(house, workers, step):
    house.connect(40, is_due=step in ("rotation claimed", "tokens stored"))
    if step == "tokens stored":  # the others of that moment are not stored yet, and this is about the one that is
        CreatorAccount.objects.exclude(handle="ks0000").update(state=AccountState.UNLINKED)
    count = CreatorAccount.objects.linked().count()
    house.order_death(step)

    run = house.finish(house.begin())

    house.wait(lambda: house.has_died(step) and not Job.objects.live().exists())
    assert run.finished_at and Reading.objects.count() == count and not run.failures.exists()
    assert needing_consent() == set()
    assert max(house.platform.calls(USER_INFO).values()) <= 2
    assert set(house.platform.calls(REFRESH).values()) <= {1}
    assert_sound(house, run)


def test_a_worker_killed_with_new_tokens_in_hand_costs_their_consents_and_says_so(house, workers):
    """The platform has discarded the old token and nobody else knows the new one: nothing can bring it back."""
    house.connect(40, is_due=True)
    house.order_death(LOSING)

    run = house.finish(house.begin())

    lost = {handle for handle, calls in house.platform.calls(REFRESH).items() if calls == 2}
    print(f"{len(lost)} of 40 exchanges were under way when the worker was killed")  # noqa: T201
    assert house.has_died(LOSING) and run.finished_at
    assert len(lost) > 0 and needing_consent() == lost
    assert dict(run.failures.values_list("account__handle", "kind")) == dict.fromkeys(lost, Failure.REAUTHORISE)
    assert Reading.objects.count() == 40 - len(lost)
    assert set(house.platform.calls(REFRESH).values()) <= {1, 2}
    assert_sound(house, run, lost=lost)


def test_a_worker_that_is_thought_dead_and_comes_back_doubles_nothing(house, workers):
    """It is stopped for longer than its lease, another one does its work, and then it goes on."""
    house.connect(200)
    run = house.begin()
    house.wait(Reading.objects.exists)
    asleep = workers.children()[0]
    os.kill(asleep, signal.SIGSTOP)
    try:
        awake_at = time.monotonic() + LEASE_SECONDS + 3
        house.wait(lambda: time.monotonic() > awake_at)
    finally:
        os.kill(asleep, signal.SIGCONT)

    run = house.finish(run)

    assert run.finished_at and Reading.objects.count() == 200
    assert max(house.platform.calls(USER_INFO).values()) <= 2
    assert_sound(house, run)
    house.rest_common_workers()  # the sleeper may still be at work


@pytest.mark.parametrize("times", [2, 4])
def test_every_message_many_times_at_once_leaves_the_tables_of_one(house, workers, times):
    hashes = []
    for copies in (1, times):
        house.clear()
        house.connect(200)
        house.platform.break_(USER_INFO, "missing_fan", handle="ks0003")
        run = house.begin()
        for job in Job.objects.live():
            for _n in range(copies - 1):
                run_job.apply_async([job.pk])
        run = house.finish(run)
        assert run.finished_at and set(house.platform.calls(USER_INFO).values()) == {1}
        assert_sound(house, run)
        hashes.append(fingerprint())
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("times", [2, 4])
def test_one_batch_done_by_many_at_once_leaves_the_tables_of_one(house, workers, times, monkeypatch):
    """Not the message but the work itself: as many jobs as workers, all of the same accounts at the same moment."""
    monkeypatch.setattr(refresh, "ACCOUNTS_PER_BATCH", 1000)
    hashes = []
    for workers_at_once in (1, times):
        house.clear()
        house.connect(200)
        run = house.begin()
        batch = RefreshBatch.objects.get()
        for n in range(workers_at_once - 1):
            ask_for_job("refresh_batch", key=f"again {n}", batch=batch.pk, total=200)
        run = house.finish(run)
        house.wait(lambda: not Job.objects.live().exists())
        assert run.finished_at and Reading.objects.count() == 200
        assert max(house.platform.calls(USER_INFO).values()) <= workers_at_once
        assert set(Job.objects.values_list("state", flat=True)) == {"done"}
        hashes.append(fingerprint())
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("times", [4])
def test_tokens_of_one_batch_are_exchanged_once_by_many_at_once(house, workers, times, monkeypatch):
    monkeypatch.setattr(refresh, "ACCOUNTS_PER_BATCH", 1000)
    house.connect(100, is_due=True)
    run = house.begin()
    batch = RefreshBatch.objects.get()
    for n in range(times - 1):
        ask_for_job("refresh_batch", key=f"again {n}", batch=batch.pk, total=100)
    run = house.finish(run)
    house.wait(lambda: not Job.objects.live().exists())

    assert Reading.objects.count() == 100 and needing_consent() == set()
    assert set(house.platform.calls(REFRESH).values()) == {1}
