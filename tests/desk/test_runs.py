"""The desk's pages of refresh runs: how far, stop and go on, and the plan."""

from datetime import date, datetime

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.choices import StaffGroup
from incubator.metrics.choices import Failure, Platform
from incubator.metrics.models import RefreshFailure, RefreshRun
from incubator.metrics.services import start_refresh, stop_run
from tests.factories import CreatorAccountFactory, official, reading, superuser

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    client.force_login(superuser())
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def run():
    for _n in range(3):
        CreatorAccountFactory()
    return start_refresh(platform=Platform.KUAISHOU, day=timezone.localdate(), at=timezone.now())


def page_of(run):
    return reverse("admin:metrics_refreshrun_change", args=[run.pk])


def test_a_running_run_shows_how_far_it_is_and_comes_anew(desk, run):
    run.batches.update(read=2)
    response = desk.get(page_of(run))

    assert response["Refresh"] == "3"
    assert b"66%" in response.content and b"never read" in response.content
    assert b">Stop<" in response.content.replace(b"\n", b"").replace(b"  ", b"")


def test_a_run_is_stopped_and_gone_on_with_from_its_page(desk, run):
    url = reverse("admin:metrics_refreshrun_move", args=[run.pk, "stop"])
    desk.post(url, {"confirmed": "1"})
    run.refresh_from_db()
    assert run.stop_asked_at and run.has_stopped
    response = desk.get(page_of(run))
    assert "Refresh" not in response and "Do what is left" in response.content.decode()

    desk.post(reverse("admin:metrics_refreshrun_move", args=[run.pk, "resume"]), {"confirmed": "1"})

    run.refresh_from_db()
    assert not run.has_stopped


def test_a_finished_run_says_why_accounts_failed_and_offers_them_again(desk, run):
    run.batches.update(read=2, finished_at=timezone.now())
    RefreshRun.objects.update(finished_at=timezone.now())
    account = CreatorAccountFactory(handle="unlucky")
    RefreshFailure.objects.create(run=run, account=account, kind=Failure.BAD_ANSWER, at=timezone.now())

    page = desk.get(page_of(run)).content.decode()

    assert "unlucky" in page and "answer without a usable figure" in page and "Do what is left" in page


def test_the_list_of_runs_asks_the_same_number_of_queries_for_many(desk, django_assert_max_num_queries):
    for n in range(1, 20):
        RefreshRun.objects.create(platform=Platform.KUAISHOU, day=date(2026, 1, n), started_at=timezone.now())
    with django_assert_max_num_queries(12):
        desk.get(reverse("admin:metrics_refreshrun_changelist"))


def test_the_plan_says_what_is_spent_and_what_other_budgets_buy(desk, settings):
    settings.KUAISHOU_DAILY_BUDGET = 4
    yesterday = date.fromordinal(timezone.localdate().toordinal() - 1)
    for n in range(30):
        reading(CreatorAccountFactory(), yesterday, 1_000 + n)
    reading(CreatorAccountFactory(), yesterday, 99_990)

    page = desk.get(reverse("admin:metrics_refreshrun_plan"), {"budget": 31}).content.decode()

    assert "4 of 4 calls are spent, on 31 connected accounts." in page
    assert "may have reached a threshold" in page and "never read" not in page
    assert page.count("<tr") >= 5


def test_the_plan_without_accounts_says_so(desk):
    assert "nothing to plan" in desk.get(reverse("admin:metrics_refreshrun_plan")).content.decode()


def test_the_plan_is_for_those_who_see_everything(client):
    client.force_login(official("622927", is_staff=True))
    assert client.get(reverse("admin:metrics_refreshrun_plan")).status_code == 403


def test_the_pace_is_judged_by_the_time_the_jobs_have_worked(run):
    from incubator.jobs.models import Job
    from incubator.metrics.admin import with_counts
    from incubator.metrics.queries import pace_of

    began = timezone.now() - timezone.timedelta(minutes=2)
    Job.objects.update(started_at=began)
    run.batches.update(read=2)

    pace = pace_of(with_counts(RefreshRun.objects.all()).get())

    assert (pace.left, pace.a_minute) == (1, 1)
    assert isinstance(pace.ends_at, datetime) and pace.ends_at > timezone.now()


def test_a_manager_of_one_county_cannot_spend_the_calls_of_the_whole_country(client, run):
    stop_run(run)
    user = official("622927", is_staff=True)
    user.groups.add(Group.objects.get(name=StaffGroup.MANAGER))
    client.force_login(user)

    assert client.post(reverse("admin:metrics_refreshrun_add"), {"platform": "kuaishou"}).status_code == 403
    run.refresh_from_db()
    assert run.has_stopped
