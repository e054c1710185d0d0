"""What the desk says of freshness: alarms on top, coverage below, events of the platforms; each to whom it concerns."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.choices import Role, StaffGroup
from incubator.accounts.models import Posting
from incubator.metrics.admin.alarms import place_of
from incubator.metrics.choices import AccountState, AlarmKind, Platform
from incubator.metrics.freshness import SILENT_AFTER
from incubator.metrics.models import Alarm, Authorisation, FreshnessCheck, PlatformEvent, RefreshRun
from incubator.metrics.services.alarms import check_freshness
from tests import factories

pytestmark = pytest.mark.django_db
HOME = "/admin/"
COVERAGE = "/admin/metrics/coverage/"
HERE, THERE = "622927", "520526"


@pytest.fixture
def boss(client):
    """Sees everything, reads English."""
    client.force_login(factories.superuser())
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def clerk(client):
    """A manager of one county."""
    user = factories.official(HERE, is_staff=True)
    user.groups.add(Group.objects.get(name=StaffGroup.MANAGER))
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def counties():
    """Here one account read today and one forty days ago; there one read today, on another platform."""
    today = timezone.localdate()
    for code, days, platform in ((HERE, 0, "kuaishou"), (HERE, 40, "kuaishou"), (THERE, 0, "douyin")):
        trainee = factories.TraineeFactory(county=factories.region(code, f"县{code}"))
        factories.ParticipationFactory(trainee=trainee)
        account = factories.CreatorAccountFactory(trainee=trainee, platform=platform, handle=f"ks{code}{days}")
        factories.reading(account, today - timedelta(days=days), 500)


def alarm(kind, **facts):
    now = timezone.now()
    return Alarm.objects.create(kind=kind, platform=Platform.KUAISHOU, facts=facts, raised_at=now, seen_at=now)


def event(days=0, platform=Platform.KUAISHOU):
    day = timezone.localdate() - timedelta(days=days)
    return PlatformEvent.objects.create(
        platform=platform, day=day, kind="cleaning", read=98_765, hit=43_210, lost=9, noticed_at=timezone.now()
    )


# --- Alarms -----------------------------------------------------------------------------------------------------------


def test_before_the_first_look_nothing_is_promised(boss):
    page = boss.get(HOME).content.decode()
    assert "the first look is yet to come" in page and "Everything is fresh" not in page


def test_without_alarms_everything_is_fresh_as_of_the_last_look(boss):
    now = timezone.now()
    FreshnessCheck.objects.create(pk=1, checked_at=now)
    assert f"Everything is fresh, as of {timezone.localtime(now):%H:%M}" in boss.get(HOME).content.decode()


def test_when_nobody_looks_any_more_that_is_said_and_nothing_is_called_fresh(boss):
    FreshnessCheck.objects.create(pk=1, checked_at=timezone.now() - SILENT_AFTER - timedelta(seconds=1))
    page = boss.get(HOME).content.decode()
    assert "Nobody has looked since" in page and "Everything is fresh" not in page


def test_open_alarms_stand_on_top_with_since_when_and_where_to_act(boss, counties):
    check_freshness(at=timezone.now())
    page = boss.get(HOME).content.decode()
    assert "Only 50% of 2 connected accounts of Kuaishou were read within 7 days; it should be 90%." in page
    assert "Since " in page and COVERAGE in page and "Everything is fresh" not in page
    Alarm.objects.update(cleared_at=timezone.now())
    assert "Everything is fresh" in boss.get(HOME).content.decode()


def test_every_alarm_leads_to_a_page_that_opens(boss, counties):
    run = RefreshRun.objects.create(platform="kuaishou", day=timezone.localdate(), started_at=timezone.now())
    alarm(AlarmKind.NOT_STARTED, day="2026-09-01", hour=4)
    alarm(AlarmKind.NOT_FINISHED, day="2026-09-01", hours=8, run=run.pk)
    alarm(AlarmKind.COVERAGE, share=5, wanted=90, accounts=10, days=7)
    alarm(AlarmKind.OLDEST, accounts=3, days=30, gap=21)
    alarm(AlarmKind.PARTITION, months=["2026-09"])
    alarm(AlarmKind.NOT_AWARDED, day="2026-09-01", count=3)
    alarm(AlarmKind.UNPROVEN, day="2026-09-01", count=2)

    alarms = boss.get(HOME).context["freshness"].alarms

    assert len({line.url for line in alarms}) == len(AlarmKind)
    assert [boss.get(line.url).status_code for line in alarms] == [200] * len(AlarmKind)
    listed = boss.get(reverse("admin:metrics_alarm_changelist")).content.decode()
    assert all(line.sentence[:40] in listed for line in alarms)


def test_the_oldest_alarm_leads_to_the_accounts_it_counts(boss, counties):
    found = alarm(AlarmKind.OLDEST, accounts=1, days=40, gap=21)
    [line] = boss.get(HOME).context["freshness"].alarms
    assert [str(row.handle) for row in boss.get(line.url).context["cl"].queryset] == [f"ks{HERE}40"], found


def test_alarms_are_for_those_who_see_the_whole_country(clerk, counties):
    found = alarm(AlarmKind.COVERAGE, share=5, wanted=90, accounts=10, days=7)
    assert clerk.get(HOME).context["freshness"] is None
    assert list(clerk.get(reverse("admin:metrics_alarm_changelist")).context["cl"].queryset) == []
    assert clerk.get(reverse("admin:metrics_alarm_change", args=[found.pk])).status_code == 302


def test_a_person_posted_to_the_whole_country_sees_alarms_only_with_the_permission(client):
    user = factories.UserFactory(role=Role.STAFF, is_staff=True)
    Posting.objects.create(user=user, is_whole_country=True, starts_on=timezone.localdate())
    client.force_login(user)
    assert client.get(HOME).context["freshness"] is None
    user.groups.add(Group.objects.get(name=StaffGroup.VIEWER))
    assert client.get(HOME).context["freshness"] is not None


# --- Coverage ---------------------------------------------------------------------------------------------------------


def tables(response):
    return {
        str(table.heading): {str(line.name): (line.part.connected, line.part.percent, line.age) for line in table.lines}
        for table in response.context["coverage"].tables
    }


@pytest.mark.parametrize("url", [HOME, COVERAGE])
def test_coverage_is_told_by_platform_cohort_and_county_with_the_worst_first(boss, counties, url):
    found = tables(boss.get(url))
    assert found["platform"] == {"Kuaishou": (2, 50, 40), "Douyin": (1, 100, 0)}
    assert list(found["county"].items()) == [(f"县{HERE}", (2, 50, 40)), (f"县{THERE}", (1, 100, 0))]
    assert sum(row[0] for row in found["cohort"].values()) == 3


@pytest.mark.parametrize("url", [HOME, COVERAGE])
def test_strangers_counties_are_neither_named_nor_counted(clerk, counties, url):
    response = clerk.get(url)
    assert tables(response)["platform"] == {"Kuaishou": (2, 50, 40)}
    assert THERE not in response.content.decode()


def test_a_county_leads_to_its_accounts_that_were_not_read(boss, counties):
    [line, _other] = boss.get(COVERAGE).context["coverage"].tables[2].lines
    assert [row.handle for row in boss.get(line.url).context["cl"].queryset] == [f"ks{HERE}40"]


def test_the_home_page_names_ten_counties_and_the_page_of_its_own_all(boss):
    for n in range(12):
        trainee = factories.TraineeFactory(county=factories.region(f"5205{n + 10}"))
        factories.CreatorAccountFactory(trainee=trainee)
    home = boss.get(HOME).context["coverage"].tables[-1]
    assert (len(home.lines), home.more) == (10, 2)
    assert len(boss.get(COVERAGE).context["coverage"].tables[-1].lines) == 12


def test_counties_come_by_pages(boss, monkeypatch):
    monkeypatch.setattr("incubator.metrics.admin.coverage.COUNTIES_A_PAGE", 5)
    for n in range(7):
        factories.CreatorAccountFactory(trainee=factories.TraineeFactory(county=factories.region(f"5205{n + 10}")))
    second = boss.get(COVERAGE, {"page": 2})
    assert len(second.context["coverage"].tables[-1].lines) == 2 and "?page=1" in second.content.decode()


def test_coverage_without_connected_accounts_says_so(boss):
    factories.CreatorAccountFactory(state=AccountState.UNLINKED)
    assert "nothing to read" in boss.get(COVERAGE).content.decode()
    assert boss.get(HOME).context["coverage"].tables == []


def test_coverage_is_for_those_who_may_see_accounts(client, counties):
    user = factories.official(HERE, is_staff=True)
    user.groups.add(Group.objects.get(name=StaffGroup.CLERK))
    client.force_login(user)
    assert client.get(COVERAGE).status_code == 403
    assert client.get(HOME).context["coverage"] is None


def test_the_page_asks_the_same_number_of_queries_for_many(boss, counties, django_assert_max_num_queries):
    for n in range(20):
        trainee = factories.TraineeFactory(county=factories.region(f"5205{n + 30}"))
        factories.ParticipationFactory(trainee=trainee)
        factories.CreatorAccountFactory(trainee=trainee)
    boss.get(COVERAGE)
    with django_assert_max_num_queries(6):
        boss.get(COVERAGE)


# --- Events of the platforms ------------------------------------------------------------------------------------------


def test_an_event_is_told_on_the_home_page_for_two_weeks_without_its_counts(clerk):
    event(14)
    event(15, Platform.DOUYIN)
    page = clerk.get(HOME).content.decode()
    assert page.count("removed followers from many accounts") == 1 and "Kuaishou removed" in page
    assert "98,765" not in page and "43,210" not in page


def test_an_event_stands_on_the_page_of_the_accounts_of_its_platform(clerk, counties):
    event(80)
    event(90, Platform.DOUYIN)
    account = factories.CreatorAccountFactory(trainee__county=factories.region(HERE))
    page = clerk.get(reverse("admin:metrics_creatoraccount_change", args=[account.pk])).content.decode()
    assert page.count("removed followers from many accounts") == 1 and "Kuaishou removed" in page


def test_events_with_their_counts_are_for_those_who_see_the_whole_country(boss, client):
    found = event()
    page = boss.get(reverse("admin:metrics_platformevent_changelist")).content.decode()
    assert "98,765" in page and "43%" in page
    assert boss.get(reverse("admin:metrics_platformevent_change", args=[found.pk])).status_code == 200
    client.force_login(factories.official(HERE, is_staff=True, is_superuser=False))
    assert client.get(reverse("admin:metrics_platformevent_change", args=[found.pk])).status_code in (302, 403)


# --- As of when -------------------------------------------------------------------------------------------------------


def test_the_list_of_trainees_says_as_of_when_their_followers_are(boss, counties):
    page = boss.get(reverse("admin:trainees_trainee_changelist")).content.decode()
    today = timezone.localdate()
    assert f"500 ({today})" in page and f"500 ({today - timedelta(days=40)})" in page


def test_the_late_accounts_are_those_the_alarm_counts(boss, counties):
    """Whoever connected yesterday is not late, and another platform is another alarm."""
    fresh, long_ago = (factories.CreatorAccountFactory(trainee__county=factories.region(HERE)) for _n in range(2))
    for account, days in ((fresh, 1), (long_ago, 40)):
        now = timezone.now()
        Authorisation.objects.create(
            account=account,
            external_id=f"x{days}",
            access_token="a",
            refresh_token="r",
            access_expires_at=now,
            refresh_expires_at=now,
            granted_at=now - timedelta(days=days),
        )
    row = alarm(AlarmKind.OLDEST, accounts=2, days=40, gap=21)

    url, _words = place_of(row, factories.superuser())
    page = boss.get(url).content.decode()

    assert long_ago.handle in page and f"ks{HERE}40" in page
    assert fresh.handle not in page and f"ks{THERE}0" not in page


def test_with_an_alarm_nobody_is_told_that_nothing_waits(boss):
    FreshnessCheck.objects.create(pk=1, checked_at=timezone.now())
    assert b"Enjoy the day" in boss.get(HOME).content

    alarm(AlarmKind.PARTITION, months=["2026-01"])
    assert b"Enjoy the day" not in boss.get(HOME).content


def test_who_may_not_start_a_refresh_is_led_to_the_runs(counties):
    row = alarm(AlarmKind.NOT_STARTED, day="2026-11-25", hour=4)

    assert place_of(row, factories.superuser())[0] == reverse("admin:metrics_refreshrun_add")
    assert place_of(row, factories.UserFactory())[0] == reverse("admin:metrics_refreshrun_changelist")
