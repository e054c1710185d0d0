"""Background work as its asker sees it. Who may not see it is tested with the reports."""

import pytest
from django.urls import reverse

from incubator.jobs import services
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.registry import HANDLERS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client):
    user = factories.UserFactory()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return user


@pytest.fixture
def job(user):
    return services.ask_for_job("test", key="1", title="A long list", by=user)


def status(client, job):
    return client.get(reverse("job_status", args=[job.pk])).json()


def test_page_follows_the_work_from_waiting_to_done(client, job, monkeypatch):
    monkeypatch.setitem(HANDLERS, "test", lambda running: None)
    waiting = client.get(reverse("job", args=[job.pk])).content.decode()
    assert "waiting" in waiting and "jobs.js" in waiting and "http-equiv" in waiting
    assert status(client, job)["percent"] is None

    running = services.claim(job.pk)
    running.progress(1, 3)
    assert (status(client, job)["percent"], status(client, job)["label"]) == (33, "running")

    running.finish(JobState.DONE)
    done = client.get(reverse("job", args=[job.pk])).content.decode()
    assert "jobs.js" not in done and "http-equiv" not in done and not status(client, job)["is_live"]


def test_what_went_wrong_is_told(client, job):
    Job.objects.update(state=JobState.FAILED, error="Row 7 has no <name>.")

    assert "Row 7 has no &lt;name&gt;." in client.get(reverse("job", args=[job.pk])).content.decode()
    assert status(client, job)["error"] == "Row 7 has no <name>."


def test_asker_cancels(client, job):
    answer = client.post(reverse("job_cancel", args=[job.pk]), follow=True)
    assert b"cancelled" in answer.content

    again = client.post(reverse("job_cancel", args=[job.pk]), follow=True)
    assert b"ended already" in again.content


def test_cancelling_by_a_link_does_nothing(client, job):
    assert client.get(reverse("job_cancel", args=[job.pk])).status_code == 405
    assert Job.objects.get().state == JobState.QUEUED


def test_list_shows_own_work_newest_first_and_is_flat(client, user, job, django_assert_num_queries):
    services.ask_for_job("test", key="x", title="Somebody else's", by=factories.UserFactory())
    for n in range(29):
        services.ask_for_job("test", key=f"more {n}", title=f"List {n}", by=user)

    with django_assert_num_queries(4):
        text = client.get(reverse("jobs")).content.decode()

    assert text.index("List 28") < text.index("A long list") and "Somebody" not in text


def test_list_without_work_says_what_appears_here(client, user):
    assert b"not asked for anything yet" in client.get(reverse("jobs")).content


@pytest.mark.parametrize("pk", ["0", "99999999999999999999999"])
def test_work_that_never_was_is_not_there(client, user, pk):
    assert client.get(f"/jobs/{pk}/").status_code == 404
