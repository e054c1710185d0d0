"""A real Celery worker over the real broker, killed in the middle of its work; another one completes it, once."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection
from django.utils import timezone

from incubator.embedded import PROJECT_DIR
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.services import ask_for_job, cancel_job, sweep
from incubator.metrics.models import Reading
from tests import factories
from tests.jobs.celery_app import app

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]

LEASE_SECONDS = 3


@pytest.fixture
def start_worker(tmp_path, settings):
    """Starts workers on the test's own database; none is left afterwards."""
    settings.JOB_LEASE_SECONDS = LEASE_SECONDS
    app.control.purge()
    workers = []

    def start():
        log = (tmp_path / f"worker{len(workers)}.log").open("wb")
        flags = ["-A", "tests.jobs.celery_app", "worker", "--pool", "prefork", "--concurrency", "1"]
        workers.append(
            subprocess.Popen(
                [sys.executable, "-m", "incubator.embedded.child", "celery", *flags, "--without-mingle"],
                cwd=PROJECT_DIR,
                env={**os.environ, "DATABASE_URL": database_url(), "JOB_LEASE_SECONDS": str(LEASE_SECONDS)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )
        log.close()
        return workers[-1]

    yield start
    for worker in workers:
        kill(worker)
    app.control.purge()


def database_url():
    """The address of the database of this test; the environment names the one it was made beside."""
    before, name = os.environ["DATABASE_URL"].split("?")[0].rsplit("/", 1)
    test_name = connection.settings_dict["NAME"]
    assert test_name == f"test_{name}"
    return os.environ["DATABASE_URL"].replace(f"{before}/{name}", f"{before}/{test_name}", 1)


def kill(worker):
    """``kill -9`` for the worker and the process it forked."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)


def until(true, seconds):
    """Wait until something is true; False when it never was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False


def slow_job(days, pause=0.2):
    account = factories.CreatorAccountFactory()
    return ask_for_job("test_slow_readings", key="1", account=account.pk, days=days, pause=pause)


def state(job):
    return Job.objects.get(pk=job.pk).state


def test_killed_worker_loses_no_reading_and_doubles_none(start_worker):
    first = start_worker()
    job = slow_job(days=20)
    assert until(lambda: Job.objects.get(pk=job.pk).done >= 5, 30)
    kill(first)
    before = dict(Reading.objects.values_list("day", "pk"))
    assert 5 <= len(before) < 20 and state(job) == JobState.RUNNING
    assert sweep(at=timezone.now()) == 0  # the lease still holds

    start_worker()
    assert until(lambda: sweep(at=timezone.now()) == 1, LEASE_SECONDS + 2)
    assert until(lambda: state(job) == JobState.DONE, 30)

    job = Job.objects.get()
    assert (job.attempts, job.done, job.total) == (2, 20, 20)
    after = dict(Reading.objects.values_list("day", "pk"))
    assert len(after) == Reading.objects.count() == 20
    assert before.items() <= after.items()
    assert job.result == {"written": 20 - len(before)}


def test_running_work_is_cancelled_by_its_asker(start_worker):
    start_worker()
    job = slow_job(days=200)
    assert until(lambda: Job.objects.get(pk=job.pk).done >= 1, 30)

    cancel_job(job, by=factories.UserFactory())

    assert until(lambda: state(job) == JobState.CANCELLED, 5)
    assert Reading.objects.count() < 200
