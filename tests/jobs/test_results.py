"""Result files: sealed, given to their asker alone where the kind says so, cleared away in time."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incubator.common.encryption import Undecipherable
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.services import ask_for_job, claim, clear_results, working_folder
from tests import factories

NOW = timezone.now


@pytest.fixture
def kept(tmp_path, client):
    """A finished job whose sealed result its asker, logged in, may fetch for a day."""
    asker = factories.UserFactory()
    client.force_login(asker)
    (tmp_path / "made").write_bytes(b"secret " * 300_000)
    job = ask_for_job("private", key="1", by=asker)
    running = claim(job.pk)
    running.keep(tmp_path / "made", name="名单.xlsx", until=NOW() + timedelta(days=1))
    running.finish(JobState.DONE)
    return Job.objects.get(pk=job.pk)


def get(client, job):
    answer = client.get(reverse("job_file", args=[job.pk]))
    return answer.status_code, answer.getvalue() if answer.streaming else b""


@pytest.mark.django_db
def test_a_sealed_result_lies_encrypted_and_comes_back(kept, client):
    with kept.result_file.open() as file:
        assert b"secret" not in file.read()

    answer = client.get(reverse("job_file", args=[kept.pk]))
    assert answer.getvalue() == b"secret " * 300_000
    assert "spreadsheet" in answer["Content-Type"] and "attachment" in answer["Content-Disposition"]


@pytest.mark.django_db
def test_a_sealed_result_of_another_job_is_not_opened(kept, client):
    other = ask_for_job("private", key="2", by=kept.asked_by)
    fields = {"state": JobState.DONE, "result_file": kept.result_file.name}
    Job.objects.filter(pk=other.pk).update(**fields)

    with pytest.raises(Undecipherable):
        Job.objects.get(pk=other.pk).result_file.read_unsealed()
    assert get(client, other) == (404, b"")


@pytest.mark.django_db
def test_a_kind_for_its_asker_alone_is_not_given_to_a_superuser(kept, client, monkeypatch):
    boss = Client()
    boss.force_login(factories.superuser())
    assert get(boss, kept)[0] == 200

    monkeypatch.setattr("incubator.jobs.views.FOR_ASKERS_ONLY", {"private"})
    assert get(boss, kept) == (404, b"")
    assert get(client, kept)[0] == 200


@pytest.mark.django_db
def test_results_go_when_their_time_is_over_and_not_before(kept, client):
    without_end = Job.objects.create(kind="k", key="2", state=JobState.DONE)
    assert clear_results(at=NOW()) == 0 and get(client, kept)[0] == 200

    late = NOW() + timedelta(days=1, minutes=1)
    assert (clear_results(at=late), clear_results(at=late)) == (1, 0)
    kept.refresh_from_db()
    assert not Path(kept.result_file.path).exists() and kept.state == JobState.DONE
    assert get(client, kept)[0] == 404
    assert Job.objects.filter(pk=without_end.pk).exists()


@pytest.mark.django_db
def test_what_a_killed_worker_left_is_cleared_after_a_day():
    (working_folder() / "left").mkdir()
    (working_folder() / "left" / "part").write_bytes(b"x")

    clear_results(at=NOW() + timedelta(hours=23))
    assert (working_folder() / "left" / "part").exists()
    clear_results(at=NOW() + timedelta(hours=25))
    assert list(working_folder().iterdir()) == []
    assert working_folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.django_db(transaction=True)
def test_a_long_step_keeps_its_lease(settings):
    settings.JOB_LEASE_SECONDS = 1
    running = claim(ask_for_job("k", key="1").pk)

    with running.staying_alive():
        time.sleep(1.5)
        job = Job.objects.get(pk=running.pk)
    assert job.lease_until > NOW() - timedelta(seconds=0.2)
    assert not Job.objects.lost(NOW()).exists()
    time.sleep(1.2)
    assert Job.objects.lost(NOW()).exists()
