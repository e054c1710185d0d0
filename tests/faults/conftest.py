"""A house for the fault tests, and what every one of them has to leave behind."""

import itertools
import logging

import pytest

from incubator.metrics.services import refresh
from tests.cluster import CLUSTER
from tests.faults.house import LOG_LINE, House
from tests.faults.state import secrets_in_logs

HOUSES = itertools.count()  # a process may be given files of this folder at several times, and builds a house for each


@pytest.fixture(scope="package")
def servers():
    """The servers, and the logs of this process beside theirs: the simulator's and the desk's lines land there."""
    made = House(CLUSTER.folder / f"faults-{next(HOUSES)}")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def house(servers, django_db_blocker, settings, monkeypatch):
    """The house, empty. When a test is over, no log of it holds a secret."""
    settings.JOB_LEASE_SECONDS = 4
    monkeypatch.setattr(refresh, "ACCOUNTS_PER_BATCH", 50)
    handler = logging.FileHandler(servers.logs / "desk.log")
    handler.setFormatter(LOG_LINE)
    logging.getLogger().addHandler(handler)
    with django_db_blocker.unblock(), servers.at_home():
        servers.clear()
        yield servers
    logging.getLogger().removeHandler(handler)
    handler.close()
    assert secrets_in_logs(servers) == []


@pytest.fixture
def workers(house):
    """Four processes of the common worker."""
    return house.common_workers()
