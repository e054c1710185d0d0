"""``refresh_followers``: what the nightly task does, asked for by hand, with an exit code that a script can trust."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.translation import override

from incubator.jobs.models import Job
from incubator.metrics.management.commands import refresh_followers
from incubator.metrics.models import Reading, RefreshRun
from tests.factories import CreatorAccountFactory
from tests.metrics.test_refresh import accounts, connect, work_off  # noqa: F401

pytestmark = pytest.mark.django_db

NOW = timezone.now()
TODAY = timezone.localdate(NOW)


def refresh(*arguments):
    said = StringIO()
    with override("en"):
        call_command("refresh_followers", *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def connected(platform):
    platform.set_clock(NOW)
    return connect(platform, "ks1")


def test_a_refresh_begun_by_hand_is_the_days_run(connected):
    assert f"Kuaishou {TODAY}: 1 accounts planned." in refresh("--platform", "kuaishou")
    work_off()

    assert Reading.objects.get().account == connected
    assert "nothing left to do" in refresh("--platform", "kuaishou")  # a cron job that asks twice has not failed
    assert RefreshRun.objects.count() == 1


def test_waiting_tells_what_was_read(connected, monkeypatch):
    monkeypatch.setattr(refresh_followers.time, "sleep", lambda _seconds: work_off())
    assert f"Kuaishou {TODAY}: 1 accounts read, 0 failed." in refresh("--platform", "kuaishou", "--wait")


def test_waiting_for_a_run_that_stops_fails(connected, settings, monkeypatch):
    settings.KUAISHOU_APP_SECRET = "wrong"
    monkeypatch.setattr(refresh_followers.time, "sleep", lambda _seconds: work_off())
    connected.authorisation.access_expires_at = NOW
    connected.authorisation.save()
    with pytest.raises(CommandError, match="stopped before its end") as refusal:
        refresh("--platform", "kuaishou", "--wait")
    assert refusal.value.returncode == 1


def test_a_dry_run_says_what_would_be_read_and_writes_nothing(connected):
    assert "1 of 1 accounts would be read" in refresh("--platform", "kuaishou", "--dry-run")
    assert not RefreshRun.objects.exists() and not Job.objects.exists()


@pytest.mark.parametrize("days", [-1, 1])
def test_followers_of_another_day_are_refused_before_a_call_is_spent(connected, days):
    with pytest.raises(CommandError, match="for the day that is now only"):
        refresh("--day", (TODAY + timedelta(days=days)).isoformat())
    assert not RefreshRun.objects.exists()


def test_what_is_no_day_is_named(db):
    with pytest.raises(CommandError, match="is not a day"):
        refresh("--day", "yesterday")


def test_every_platform_is_begun_unless_one_is_named(platform):
    CreatorAccountFactory(state="unlinked")
    said = refresh()
    assert "Kuaishou" in said and "Douyin" in said and RefreshRun.objects.count() == 2
