"""Alarms: raised when something is wrong, once, kept up to date, cleared when it is true no more."""

import logging
import threading
from datetime import date, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils.translation import override

from incubator.metrics import partitions
from incubator.metrics.choices import AccountState, AlarmKind, Platform
from incubator.metrics.freshness import (
    Watch,
    findings,
    reach_by_platform,
    sentence_of,
    spread_for,
    spread_of,
    wanted_percent,
    watch_at,
)
from incubator.metrics.models import Alarm, Authorisation, CreatorAccount, FreshnessCheck, RefreshRun
from incubator.metrics.partitions import ensure_partitions
from incubator.metrics.services.alarms import check_freshness
from incubator.programmes.choices import ParticipationState
from tests.factories import (
    SHANGHAI,
    CohortFactory,
    CreatorAccountFactory,
    ParticipationFactory,
    TraineeFactory,
    official,
    reading,
    region,
    superuser,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 9, 1)
NOON = datetime(2026, 9, 1, 12, 0, tzinfo=SHANGHAI)


def days_ago(days):
    return TODAY - timedelta(days=days)


@pytest.fixture
def months():
    """The months around the day of these tests."""
    make_months()


def make_months():
    for on in (days_ago(40), TODAY):
        ensure_partitions(on=on)


@pytest.fixture
def all_well(months):
    """One Kuaishou account read today by a run that is finished."""
    account = CreatorAccountFactory(platform=Platform.KUAISHOU)
    reading(account, TODAY, 500)
    run = RefreshRun.objects.create(
        platform=Platform.KUAISHOU, day=TODAY, started_at=NOON.replace(hour=2), finished_at=NOON.replace(hour=3)
    )
    return account, run


def consent(account, at):
    Authorisation.objects.create(
        account=account,
        external_id=str(account.pk),
        access_token="a",
        refresh_token="r",
        access_expires_at=at,
        refresh_expires_at=at,
        granted_at=at,
    )


def open_alarms():
    return {(alarm.kind, alarm.platform) for alarm in Alarm.objects.open()}


def rows():
    return list(Alarm.objects.order_by("pk").values())


# --- What is wrong ----------------------------------------------------------------------------------------------------


def test_all_well_raises_nothing_and_says_that_somebody_looked(all_well):
    assert check_freshness(at=NOON) == [] and rows() == []
    assert watch_at(NOON + timedelta(minutes=30)) == Watch(NOON, is_silent=False)
    assert watch_at(NOON + timedelta(minutes=31)) == Watch(NOON, is_silent=True)


def test_without_connected_accounts_nothing_is_wrong(months):
    CreatorAccountFactory(state=AccountState.NEEDS_CONSENT)
    assert check_freshness(at=NOON) == []


@pytest.mark.parametrize(("hour", "is_wrong"), [(3, False), (4, True)])
def test_a_run_that_has_not_started_by_its_hour_is_an_alarm(all_well, hour, is_wrong):
    at = datetime(2026, 9, 2, hour, 0, tzinfo=SHANGHAI)
    check_freshness(at=at)
    assert open_alarms() == ({(AlarmKind.NOT_STARTED, Platform.KUAISHOU)} if is_wrong else set())


def test_a_run_missing_since_yesterday_stays_an_alarm_through_the_night_and_ends_with_the_run(all_well):
    check_freshness(at=NOON + timedelta(days=1))
    check_freshness(at=datetime(2026, 9, 3, 0, 30, tzinfo=SHANGHAI))
    assert open_alarms() == {(AlarmKind.NOT_STARTED, Platform.KUAISHOU)}

    start = datetime(2026, 9, 3, 2, 0, tzinfo=SHANGHAI)
    RefreshRun.objects.create(platform=Platform.KUAISHOU, day=start.date(), started_at=start)
    check_freshness(at=start + timedelta(minutes=10))

    assert open_alarms() == set()
    assert Alarm.objects.get().cleared_at == start + timedelta(minutes=10)


def test_a_run_that_does_not_end_is_an_alarm_until_it_ends(all_well):
    _account, run = all_well
    RefreshRun.objects.update(finished_at=None)
    check_freshness(at=NOON.replace(hour=10))
    assert open_alarms() == set()

    check_freshness(at=NOON.replace(hour=10, minute=1))
    assert open_alarms() == {(AlarmKind.NOT_FINISHED, Platform.KUAISHOU)}
    assert Alarm.objects.get().facts["run"] == run.pk

    RefreshRun.objects.update(finished_at=NOON)
    check_freshness(at=NOON)
    assert open_alarms() == set()


def test_a_demos_run_is_judged_by_the_real_clock(all_well):
    """It replays a past day and has begun a minute ago."""
    shift = timedelta(hours=-9)
    RefreshRun.objects.update(finished_at=None, clock_shift=shift, started_at=NOON - timedelta(minutes=1) + shift)
    assert findings(at=NOON) == []


def test_too_few_accounts_read_lately_is_an_alarm(all_well):
    for n in range(9):
        reading(CreatorAccountFactory(), days_ago(7 if n == 0 else 6), 500)
    check_freshness(at=NOON)
    assert open_alarms() == set()

    reading(CreatorAccountFactory(), days_ago(8), 500)
    check_freshness(at=NOON + timedelta(minutes=10))

    alarm = Alarm.objects.get()
    assert alarm.kind == AlarmKind.COVERAGE
    assert alarm.facts == {"share": 81, "wanted": 90, "accounts": 11, "days": 7}


def test_with_fewer_calls_than_accounts_no_more_is_asked_than_the_planner_promises(settings):
    settings.ALARM_COVERAGE_PERCENT, settings.ALARM_COVERAGE_DAYS = 90, 7
    assert wanted_percent(100_000, 100_000) == 90
    assert wanted_percent(1_000_000, 100_000) == 31  # of the list, a twentieth a day goes round: 35 % in 7 days
    settings.ALARM_COVERAGE_DAYS = 60
    assert wanted_percent(1_000_000, 100_000) == 90


@pytest.mark.parametrize(("age", "is_wrong"), [(21, False), (22, True)])
def test_an_account_unread_for_longer_than_the_planner_allows_is_an_alarm(all_well, age, is_wrong):
    for _n in range(20):
        reading(CreatorAccountFactory(), TODAY, 500)
    reading(CreatorAccountFactory(), days_ago(age), 500)
    check_freshness(at=NOON)
    assert open_alarms() == ({(AlarmKind.OLDEST, Platform.KUAISHOU)} if is_wrong else set())
    if is_wrong:
        assert Alarm.objects.get().facts == {"accounts": 1, "days": 22, "gap": 21}


def test_whoever_consents_anew_after_a_long_time_is_not_late_at_once(all_well):
    """The old reading is no fault of the nights that have not come yet."""
    account = CreatorAccountFactory()
    reading(account, days_ago(40), 500)
    consent(account, NOON)

    assert reach_by_platform(TODAY)[Platform.KUAISHOU].late == 0
    assert reach_by_platform(TODAY + timedelta(days=22))[Platform.KUAISHOU].late >= 1


def test_an_account_never_read_counts_from_its_consent_on(all_well):
    account = CreatorAccountFactory()
    consent(account, NOON)
    assert reach_by_platform(TODAY)[Platform.KUAISHOU].accounts == 1  # it had no night yet
    assert reach_by_platform(TODAY + timedelta(days=2))[Platform.KUAISHOU].accounts == 2

    reading(all_well[0], TODAY + timedelta(days=20), 500)

    reach = reach_by_platform(TODAY + timedelta(days=22))[Platform.KUAISHOU]
    assert (reach.late, reach.oldest) == (1, TODAY)
    assert reach_by_platform(TODAY + timedelta(days=21))[Platform.KUAISHOU].late == 0


def test_readings_without_a_month_of_their_own_are_an_alarm_and_none_is_lost(all_well):
    account, _run = all_well
    orphan = date(2031, 5, 5)
    reading(account, orphan, 600)
    check_freshness(at=NOON)
    alarm = Alarm.objects.get(kind=AlarmKind.PARTITION)
    assert (alarm.platform, alarm.facts) == ("", {"months": ["2031-05"]})

    ensure_partitions(on=TODAY)
    check_freshness(at=NOON + timedelta(minutes=10))

    assert (AlarmKind.PARTITION, "") not in open_alarms()
    assert account.readings.filter(day=orphan).exists()


def test_a_month_not_made_ahead_is_an_alarm(months, monkeypatch):
    monkeypatch.setattr(partitions, "MONTHS_AHEAD", 14)
    check_freshness(at=NOON)
    [alarm] = Alarm.objects.open()
    assert alarm.kind == AlarmKind.PARTITION and "2027-11" in alarm.facts["months"]


# --- Raised once ------------------------------------------------------------------------------------------------------


@pytest.fixture
def much_wrong(months):
    """Accounts of two platforms, no run ever, nothing read lately."""
    for platform in (Platform.KUAISHOU, Platform.DOUYIN):
        reading(CreatorAccountFactory(platform=platform), days_ago(40), 500)
    return {
        (kind, platform)
        for kind in (AlarmKind.NOT_STARTED, AlarmKind.COVERAGE, AlarmKind.OLDEST)
        for platform in (Platform.KUAISHOU, Platform.DOUYIN)
    }


def test_a_second_look_changes_nothing(much_wrong):
    assert len(check_freshness(at=NOON)) == 6 and open_alarms() == much_wrong
    before = rows()
    check_freshness(at=NOON)
    assert rows() == before


def test_a_later_look_keeps_since_when_and_tells_the_new_facts(much_wrong):
    check_freshness(at=NOON)
    later = NOON + timedelta(days=1)
    check_freshness(at=later)

    alarm = Alarm.objects.get(kind=AlarmKind.OLDEST, platform=Platform.DOUYIN)
    assert (alarm.raised_at, alarm.seen_at, alarm.facts["days"]) == (NOON, later, 41)
    assert Alarm.objects.count() == 6


def test_a_look_that_comes_late_does_not_bring_back_what_is_over(all_well, much_wrong):
    check_freshness(at=NOON)
    CreatorAccount.objects.update(state=AccountState.UNLINKED)
    check_freshness(at=NOON + timedelta(minutes=20))
    assert open_alarms() == set()
    CreatorAccount.objects.update(state=AccountState.LINKED)

    check_freshness(at=NOON + timedelta(minutes=10))

    assert open_alarms() == set()
    assert FreshnessCheck.objects.get().checked_at == NOON + timedelta(minutes=20)


def test_what_comes_back_is_a_new_alarm(all_well):
    for day in (1, 2):
        check_freshness(at=NOON + timedelta(days=day))
        RefreshRun.objects.update(day=TODAY + timedelta(days=day))
        check_freshness(at=NOON + timedelta(days=day, minutes=10))
    assert Alarm.objects.filter(kind=AlarmKind.NOT_STARTED).count() == 2 and open_alarms() == set()


def test_an_alarm_is_told_to_the_logs_once(much_wrong, caplog, django_capture_on_commit_callbacks):
    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        check_freshness(at=NOON)
        check_freshness(at=NOON + timedelta(minutes=10))
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 6 and any("has not started, though it is past 4:00" in line for line in errors)


@pytest.mark.django_db(transaction=True)
def test_four_looks_at_once_leave_one_alarm_of_each():
    make_months()
    for platform in (Platform.KUAISHOU, Platform.DOUYIN):
        reading(CreatorAccountFactory(platform=platform), days_ago(40), 500)
    start, faults = threading.Barrier(4), []

    def look():
        try:
            start.wait()
            check_freshness(at=NOON)
        except Exception as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert Alarm.objects.count() == len(open_alarms()) == 6


def test_every_sentence_is_one_and_has_no_gap_in_it(much_wrong):
    check_freshness(at=NOON)
    run = RefreshRun.objects.create(platform=Platform.DOUYIN, day=TODAY, started_at=NOON - timedelta(days=1))
    reading(CreatorAccount.objects.first(), date(2031, 5, 5), 600)
    check_freshness(at=NOON + timedelta(minutes=10))

    with override("en"):
        told = {alarm.kind: sentence_of(alarm) for alarm in Alarm.objects.all()}

    of_rooms_above = {AlarmKind.UNPROVEN, AlarmKind.NOT_AWARDED}
    assert set(told) | of_rooms_above == set(AlarmKind)
    assert "2031-05" in told[AlarmKind.PARTITION] and "Douyin" in told[AlarmKind.NOT_FINISHED]
    assert "Only 0% of 1 connected accounts" in told[AlarmKind.COVERAGE]
    assert not any("%(" in sentence or "None" in sentence for sentence in told.values()), run


# --- Who looks --------------------------------------------------------------------------------------------------------


def test_the_command_ends_with_one_while_an_alarm_is_open(all_well):
    out = StringIO()
    with time_machine.travel(NOON, tick=False):
        call_command("check_freshness", stdout=out)
    assert "Everything is fresh." in out.getvalue()

    with time_machine.travel(NOON + timedelta(days=1), tick=False), pytest.raises(CommandError) as ended:
        call_command("check_freshness", stdout=out)
    assert ended.value.returncode == 1 and "not_started: " in out.getvalue()


def test_the_commands_dry_run_writes_nothing(much_wrong):
    with time_machine.travel(NOON, tick=False), pytest.raises(CommandError, match="6"):
        call_command("check_freshness", "--dry-run", stdout=StringIO())
    assert not Alarm.objects.exists() and not FreshnessCheck.objects.exists()


def test_the_scheduler_is_told_to_look_and_to_make_months():
    from incubator.celery import app

    app.loader.import_default_modules()
    wanted = {"metrics.check_freshness", "metrics.count_coverage", "metrics.ensure_partitions"}
    assert wanted <= {entry["task"] for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    assert wanted <= set(app.tasks)


def test_the_tasks_look_and_make_months(much_wrong):
    from incubator.metrics import tasks

    with time_machine.travel(datetime(2031, 5, 1, 1, 0, tzinfo=SHANGHAI), tick=False):
        tasks.check_freshness()
        assert (AlarmKind.PARTITION, "") in open_alarms()
        tasks.ensure_partitions()
        tasks.check_freshness()
    assert date(2031, 5, 1) in partitions.months_there()
    assert (AlarmKind.PARTITION, "") not in open_alarms()


def test_the_number_of_questions_is_the_same_for_many_accounts(much_wrong, django_assert_num_queries):
    with django_assert_num_queries(8):
        findings(at=NOON)
    for n in range(30):
        reading(CreatorAccountFactory(), days_ago(n), 500)
    with django_assert_num_queries(8):
        findings(at=NOON)


# --- Where how much is read -------------------------------------------------------------------------------------------


@pytest.fixture
def two_counties():
    """Here: read today, read eight days ago, never read, not connected. There: read today on the other platform."""
    here, there = region("622927"), region("520526")
    cohort, other = CohortFactory(), CohortFactory()
    for day in (TODAY, days_ago(8), None):
        trainee = TraineeFactory(county=here)
        ParticipationFactory(trainee=trainee, cohort=cohort)
        account = CreatorAccountFactory(trainee=trainee)
        if day:
            reading(account, day, 500)
    ParticipationFactory(trainee=trainee, cohort=other, state=ParticipationState.REFUSED)
    CreatorAccountFactory(trainee=trainee, state=AccountState.UNLINKED)
    away = TraineeFactory(county=there)
    ParticipationFactory(trainee=away, cohort=cohort)
    ParticipationFactory(trainee=away, cohort=other)
    reading(CreatorAccountFactory(trainee=away, platform=Platform.DOUYIN), TODAY, 500)
    return cohort, other


def told(parts):
    return {
        part.key: (part.connected, part.fresh, part.never, part.percent, part.oldest, part.newest) for part in parts
    }


def test_coverage_is_counted_by_platform_cohort_and_county_with_the_worst_first(two_counties):
    cohort, other = two_counties
    spread = spread_of(CreatorAccount.objects.all(), at=NOON)

    here, there = (3, 1, 1, 33, days_ago(8), TODAY), (1, 1, 0, 100, TODAY, TODAY)
    assert told(spread.platforms) == {Platform.KUAISHOU: here, Platform.DOUYIN: there}
    assert told(spread.counties) == {"622927": here, "520526": there}
    assert [part.key for part in spread.counties] == ["622927", "520526"]
    assert told(spread.cohorts) == {cohort.pk: (4, 2, 1, 50, days_ago(8), TODAY), other.pk: there}


def test_coverage_is_of_the_accounts_one_may_see(two_counties):
    spread = spread_of(CreatorAccount.objects.visible_to(official("520526")), at=NOON)
    assert list(told(spread.counties)) == ["520526"] and list(told(spread.platforms)) == [Platform.DOUYIN]
    assert sum(part.connected for part in spread.cohorts) == 2


def test_coverage_is_kept_for_those_who_see_the_same(two_counties, settings, clean_cache, django_assert_num_queries):
    settings.COVERAGE_KEPT_SECONDS = 60
    one, same, other = official("622927"), official("622927"), official("520526")
    first = spread_for(one, at=NOON)
    with django_assert_num_queries(1):  # where the other one is posted
        assert spread_for(same, at=NOON + timedelta(seconds=30)) == first
        assert spread_for(one, at=NOON + timedelta(seconds=30)).at == NOON

    assert list(told(spread_for(other, at=NOON).counties)) == ["520526"]


def test_coverage_of_the_country_is_counted_ahead(two_counties, settings, clean_cache, django_assert_num_queries):
    from incubator.metrics import tasks

    settings.COVERAGE_KEPT_SECONDS = 60
    boss = superuser()
    with time_machine.travel(NOON, tick=False):
        tasks.count_coverage()
    with django_assert_num_queries(0):
        kept = spread_for(boss, at=NOON + timedelta(minutes=5))

    assert kept.at == NOON and len(kept.counties) == 2
    assert len(spread_for(official("520526"), at=NOON).counties) == 1


def test_coverage_is_counted_where_the_cache_is_away(two_counties, settings, monkeypatch):
    settings.COVERAGE_KEPT_SECONDS = 60
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/valkey.sock"}}
    assert len(spread_for(official("520526"), at=NOON).counties) == 1


def test_coverage_is_two_statements_whatever_the_number(two_counties, django_assert_num_queries):
    for n in range(20):
        reading(CreatorAccountFactory(trainee=TraineeFactory(county=region(f"5205{n + 30}"))), TODAY, 500)
    with django_assert_num_queries(2):
        spread_of(CreatorAccount.objects.all(), at=NOON)
    assert connection.vendor == "postgresql"
