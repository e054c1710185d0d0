"""A job's life: asked once, claimed once, watched, stopped, lost and found again, and ended with a sentence."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from incubator.common.encryption import Undecipherable
from incubator.common.errors import RuleBroken
from incubator.jobs import services
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.registry import HANDLERS
from incubator.jobs.services import (
    Cancelled,
    LeaseLost,
    TryAgain,
    ask_for_job,
    cancel_job,
    claim,
    live_jobs,
    run,
    sweep,
)
from tests import factories

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def sent(monkeypatch, settings):
    """What was put on the broker, in order."""
    settings.JOB_LEASE_SECONDS = LEASE.total_seconds()
    ids = []
    monkeypatch.setattr(services, "_send_now", ids.append)
    return ids


@pytest.fixture
def handled_by(monkeypatch):
    """Let a function do jobs of the kind ``test``."""
    return lambda handler: monkeypatch.setitem(HANDLERS, "test", handler)


def fresh(job):
    return Job.objects.get(pk=job.pk)


def ask(key="1", **more):
    return ask_for_job("test", key=key, **more)


def test_two_that_ask_for_the_same_get_one_job_until_it_ends(handled_by):
    handled_by(lambda running: None)
    first = ask()

    assert ask().pk == first.pk and ask("2").pk != first.pk and live_jobs("test") == 2
    run(first.pk)
    assert ask().pk != first.pk


def test_message_goes_out_once_the_row_is_committed(sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = ask()
        ask()
        assert sent == []

    assert sent == [job.pk]


def test_one_of_two_workers_gets_the_job():
    job = ask()

    assert claim(job.pk) is not None
    assert claim(job.pk) is None
    assert fresh(job).attempts == 1 and fresh(job).state == JobState.RUNNING


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_at_once_gets_the_job():
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from django.db import connection

    job, start = ask(), Barrier(6)

    def worker(_n):
        start.wait()
        try:
            return claim(job.pk) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as workers:
        assert sum(workers.map(worker, range(6))) == 1


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_message_for_what_has_ended_does_nothing(handled_by, state):
    handled_by(lambda running: pytest.fail("ran"))
    job = ask()
    Job.objects.filter(pk=job.pk).update(state=state)

    run(job.pk)
    run(job.pk + 1_000_000)

    assert fresh(job).state == state and fresh(job).attempts == 0


def test_finished_job_keeps_its_result_and_is_complete(handled_by):
    def handler(running):
        running.progress(3, 10)
        return {"rows": running.arguments["rows"]}

    handled_by(handler)
    job = ask(rows=7)

    run(job.pk)
    run(job.pk)

    job = fresh(job)
    assert (job.state, job.result, job.attempts, job.percent) == (JobState.DONE, {"rows": 7}, 1, 100)
    assert (job.done, job.total, job.error, job.lease_until) == (10, 10, "", None) and job.finished_at


def test_progress_renews_the_lease():
    job = ask()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        running = claim(job.pk)
        clock.shift(LEASE - timedelta(seconds=1))
        running.progress(1, 4)
        assert fresh(job).percent == 25
        assert sweep(at=timezone.now() + LEASE - timedelta(seconds=1)) == 0
        assert sweep(at=timezone.now() + LEASE + timedelta(seconds=1)) == 1


def test_worker_that_lost_its_lease_is_stopped_and_changes_nothing(sent, tmp_path, settings):
    job = ask()
    old = claim(job.pk)
    assert sweep(at=timezone.now() + LEASE * 2) == 1
    new = claim(job.pk)
    (tmp_path / "result").write_text("old")

    with pytest.raises(LeaseLost):
        old.progress(5, 10)
    with pytest.raises(LeaseLost):
        old.keep(tmp_path / "result", name="old.txt")
    assert not old.finish(JobState.FAILED, error="old")
    assert not old.hand_back(after=1, error="old")

    assert (fresh(job).state, fresh(job).done, fresh(job).error, fresh(job).result_file.name) == ("running", 0, "", "")
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []
    new.progress(1, 10)
    assert sent == [job.pk]


def test_second_attempt_replaces_the_file_of_the_first(tmp_path, settings):
    job = ask()
    for text in ("first", "second"):
        (tmp_path / "result").write_text(text)
        claim(job.pk).keep(tmp_path / "result", name=f"{text}.txt")
        sweep(at=timezone.now() + LEASE * 2)

    assert fresh(job).result_name == "second.txt"
    [kept] = [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
    assert fresh(job).result_file.read_unsealed() == b"second"
    assert b"second" not in kept.read_bytes(), "it lies sealed"


def test_a_result_put_in_the_place_of_another_jobs_is_not_opened(tmp_path):
    jobs = [ask(key=str(n)) for n in range(2)]
    for job in jobs:
        (tmp_path / "result").write_text(f"of {job.pk}")
        claim(job.pk).keep(tmp_path / "result", name="a.txt")
    first, second = map(fresh, jobs)
    Job.objects.filter(pk=second.pk).update(result_file=first.result_file.name)

    with pytest.raises(Undecipherable):
        fresh(second).result_file.read_unsealed()


def test_sweep_leaves_alone_what_is_well(sent):
    ask("waiting")
    claim(ask("running").pk)

    assert sweep(at=timezone.now()) == 0 and sent == []


def test_sweep_sends_what_was_never_sent(sent):
    job = ask()

    assert sweep(at=timezone.now() + LEASE * 2) == 1
    assert sweep(at=timezone.now() + LEASE * 2) == 0
    assert sent == [job.pk] and fresh(job).state == JobState.QUEUED


def test_sweep_revives_what_lost_its_worker(sent, handled_by):
    handled_by(lambda running: {"ok": True})
    job = ask()
    claim(job.pk)

    assert sweep(at=timezone.now() + LEASE * 2) == 1

    assert sent == [job.pk]
    run(job.pk)
    assert fresh(job).state == JobState.DONE and fresh(job).attempts == 2


def test_work_that_dies_every_time_ends_with_a_sentence():
    job = ask(max_attempts=2)
    at = timezone.now()
    for _attempt in range(2):
        assert claim(job.pk)
        at += LEASE * 3
        sweep(at=at)

    job = fresh(job)
    assert job.state == JobState.FAILED and "2" in job.error and job.finished_at == at
    assert claim(job.pk) is None and sweep(at=at + LEASE * 9) == 0


def test_waiting_job_is_cancelled_at_once(handled_by):
    handled_by(lambda running: pytest.fail("ran"))
    job = ask()

    assert cancel_job(job, by=factories.UserFactory()).state == JobState.CANCELLED
    run(job.pk)
    assert fresh(job).state == JobState.CANCELLED and fresh(job).attempts == 0


def test_running_job_is_cancelled_at_its_next_sign_of_progress(handled_by):
    steps = []

    def handler(running):
        for n in range(5):
            running.progress(n, 5)
            steps.append(n)
            if n == 1:
                cancel_job(fresh(running.job), by=user)

    user = factories.UserFactory()
    handled_by(handler)
    job = ask()
    run(job.pk)

    assert steps == [0, 1]
    assert fresh(job).state == JobState.CANCELLED and fresh(job).error == "" and fresh(job).finished_at


def test_cancelled_job_whose_worker_died_does_not_run_again(handled_by):
    handled_by(lambda running: pytest.fail("ran"))
    job = ask()
    claim(job.pk)
    cancel_job(job, by=factories.UserFactory())
    sweep(at=timezone.now() + LEASE * 2)

    run(job.pk)

    assert fresh(job).state == JobState.CANCELLED


def test_what_has_ended_cannot_be_cancelled(handled_by):
    handled_by(lambda running: None)
    job = ask()
    run(job.pk)

    with pytest.raises(RuleBroken):
        cancel_job(job, by=factories.UserFactory())
    assert fresh(job).state == JobState.DONE and not fresh(job).is_cancel_asked


def test_refusal_is_told_and_not_tried_again(handled_by):
    def handler(running):
        raise RuleBroken("The roster is empty.")

    handled_by(handler)
    job = ask()
    run(job.pk)

    assert (fresh(job).state, fresh(job).error) == (JobState.FAILED, "The roster is empty.")
    assert sweep(at=timezone.now() + LEASE * 9) == 0


def test_work_that_must_wait_is_sent_again_when_its_time_has_come(sent, handled_by):
    def handler(running):
        if running.job.attempts == 1:
            raise TryAgain("The platform is down.", after=120)
        return {}

    handled_by(handler)
    job = ask()
    before = timezone.now()
    run(job.pk)

    assert (fresh(job).state, fresh(job).error) == (JobState.QUEUED, "The platform is down.")
    assert sweep(at=before + timedelta(seconds=119)) == 0
    assert sweep(at=timezone.now() + timedelta(seconds=121)) == 1
    run(job.pk)
    assert (fresh(job).state, fresh(job).error, sent) == (JobState.DONE, "", [job.pk])


def test_work_that_must_wait_too_often_fails_with_its_sentence(handled_by):
    def handler(running):
        raise TryAgain("The platform is down.", after=0)

    handled_by(handler)
    job = ask(max_attempts=2)
    run(job.pk)
    run(job.pk)
    run(job.pk)

    assert (fresh(job).state, fresh(job).error, fresh(job).attempts) == (JobState.FAILED, "The platform is down.", 2)


def test_work_that_must_wait_is_not_taken_before_its_time_by_a_second_message(handled_by):
    runs = []

    def handler(running):
        runs.append(running.pk)
        raise TryAgain("The platform is down.", after=60)

    handled_by(handler)
    job = ask()
    run(job.pk)
    run(job.pk)

    assert runs == [job.pk] and fresh(job).attempts == 1


def test_waiting_for_somebody_else_is_no_attempt(handled_by):
    def handler(running):
        raise TryAgain("The platform is given a rest.", after=0, counts=False)

    handled_by(handler)
    job = ask(max_attempts=1)
    run(job.pk)
    run(job.pk)

    assert (fresh(job).state, fresh(job).attempts) == (JobState.QUEUED, 0)


def test_unforeseen_fault_says_so_without_its_details(handled_by, caplog):
    def handler(running):
        raise ValueError("phone 13800001234")

    handled_by(handler)
    job = ask(max_attempts=1)
    run(job.pk)

    assert fresh(job).state == JobState.FAILED
    assert "ValueError" in fresh(job).error and "13800001234" not in fresh(job).error
    assert "failed" in caplog.text


def test_unknown_kind_of_work_ends_with_a_sentence():
    job = ask_for_job("nobody_does_this", key="1", max_attempts=1)

    run(job.pk)

    assert fresh(job).state == JobState.FAILED and fresh(job).error


def test_cancelled_is_said_to_a_handler_that_says_how_far_it_is():
    job = ask()
    running = claim(job.pk)
    cancel_job(job, by=factories.UserFactory())

    with pytest.raises(Cancelled):
        running.progress(1)


def test_broker_that_is_away_loses_nothing(monkeypatch, settings):
    monkeypatch.undo()
    from incubator.jobs.tasks import run_job

    def away(*args, **kwargs):
        raise ConnectionError("no broker")

    monkeypatch.setattr(run_job, "apply_async", away)
    job = ask()
    services._send_now(job.pk)

    assert fresh(job).state == JobState.QUEUED
