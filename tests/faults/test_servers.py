"""The database and the broker away in the middle of a run of real workers: it completes, and no token is lost."""

import time

import pytest
import redis

from incubator.embedded import cache_url_of
from incubator.metrics.choices import AccountState
from incubator.metrics.models import CreatorAccount, Reading
from tests.faults.house import REFRESH
from tests.faults.state import assert_sound

pytestmark = pytest.mark.broker


def called(house, interface):
    """Calls the platform has counted."""
    return sum(house.platform.calls(interface).values())


def assert_all_were_read(house, run, count):
    assert list(run.failures.values_list("account__handle", "kind", "code")) == []
    assert run.finished_at and Reading.objects.count() == count
    assert not CreatorAccount.objects.exclude(state=AccountState.LINKED).exists()
    assert_sound(house, run)


def test_a_database_away_for_fifteen_seconds_loses_nothing(house, workers):
    house.connect(300, is_due=True)
    run = house.begin()
    house.wait(lambda: called(house, REFRESH) > 20)
    house.postgres.stop()
    away_until = time.monotonic() + 15
    house.wait(lambda: time.monotonic() > away_until)
    house.postgres.start()

    assert_all_were_read(house, house.finish(run), 300)


def test_a_broker_that_starts_anew_loses_nothing(house, workers):
    house.connect(300, is_due=True)
    run = house.begin()
    house.wait(lambda: called(house, REFRESH) > 20)
    house.valkey.stop()
    away_until = time.monotonic() + 2
    house.wait(lambda: time.monotonic() > away_until)
    house.valkey.start()

    assert_all_were_read(house, house.finish(run), 300)


def test_a_broker_that_forgets_all_loses_nothing(house, workers):
    house.connect(300, is_due=True)
    run = house.begin()
    house.wait(lambda: called(house, REFRESH) > 20)
    with redis.Redis.from_url(cache_url_of(house.valkey.url())) as broker:
        broker.flushall()

    assert_all_were_read(house, house.finish(run), 300)


def test_messages_lost_before_any_worker_saw_them_are_sent_again(house, workers):
    house.connect(300)
    with redis.Redis.from_url(cache_url_of(house.valkey.url())) as broker:
        run = house.begin()
        broker.flushall()

    assert_all_were_read(house, house.finish(run), 300)
