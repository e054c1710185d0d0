"""The pages of followers: an account's chart and its marks, its readings as a file, cohorts beside each other."""

import csv
import io
import re
from datetime import datetime, time, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from courses.models import Attendance
from incubator.accounts.models import User
from incubator.grants.models import Grant, TrafficPool
from incubator.metrics.choices import Source
from incubator.metrics.models import Correction, Crossing, QuarantinedReading
from incubator.metrics.queries import first_read_on, thinned_history
from tests import factories
from tests.desk.world import county_staff
from tests.factories import SHANGHAI, CreatorAccountFactory, TraineeFactory, graduate_row, reading
from tests.world import trainee_with_login

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()


def back(days):
    return TODAY - timedelta(days=days)


@pytest.fixture
def staff(client):
    """The client, logged in as staff of the factories' county, who reads English."""
    client.force_login(county_staff("622927"))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def file_of(answer):
    """The rows of a CSV by heading."""
    assert answer.status_code == 200 and answer.streaming
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def csv_of(account):
    return reverse("admin:metrics_creatoraccount_readings", args=[account.pk])


def page_of(client, account, span=""):
    answer = client.get(reverse("admin:metrics_creatoraccount_change", args=[account.pk]), {"span": span})
    assert answer.status_code == 200
    return answer.content.decode()


def days_shown(page):
    """Days of the table of readings."""
    return re.findall(r'<tr data-x="[\d.]+" data-y="[\d.]+"><td>([\d-]+)</td>', page)


# --- History, thinned -------------------------------------------------------------------------------------------------


def test_a_short_span_is_every_reading():
    account = CreatorAccountFactory()
    for days in range(0, 200, 3):
        reading(account, back(days), 1_000 - days)

    found = thinned_history(account.pk, since=back(199), until=TODAY)

    assert [day for day, _f, _g in found] == [back(days) for days in range(198, -1, -3)]
    assert {gap for _d, _f, gap in found[1:]} == {3} and found[0][2] == 0


def test_a_long_span_is_the_last_reading_of_each_week_and_the_newest():
    account = CreatorAccountFactory()
    for days in range(365):
        reading(account, back(days), 1_000 - days)

    found = thinned_history(account.pk, since=back(364), until=TODAY)

    assert [day for day, _f, _g in found] == [back(days) for days in range(364, -1, -7)]
    assert found[-1][:2] == (TODAY, 1_000)


def test_thinning_keeps_the_first_reading_from_which_the_span_is_judged():
    account = CreatorAccountFactory()
    reading(account, TODAY - timedelta(days=362), 1_000)
    for days in range(361, 340, -1):
        reading(account, TODAY - timedelta(days=days), 5_000)

    points = thinned_history(account.pk, since=TODAY - timedelta(days=365), until=TODAY)

    assert points[0] == (TODAY - timedelta(days=362), 1_000, 0) and points[-1][1] == 5_000


def test_thinning_hides_no_gap():
    account = CreatorAccountFactory()
    for days in (0, 1, 2, 3, 14, 15, 300):
        reading(account, back(days), 500)

    found = thinned_history(account.pk, since=back(364), until=TODAY)

    assert [(day, gap) for day, _f, gap in found] == [(back(300), 0), (back(14), 285), (TODAY, 11)]


def test_the_first_day_is_that_of_the_oldest_reading():
    account, young = CreatorAccountFactory(), CreatorAccountFactory()
    reading(account, back(700), 5)
    reading(young, back(3), 5)

    assert first_read_on(account.pk, until=TODAY) == back(700)
    assert first_read_on(young.pk, until=TODAY) == back(69)


@pytest.mark.parametrize("years", [3, 8])
def test_points_stay_few_however_long_the_history(years):
    account = CreatorAccountFactory()
    for days in range(0, 365 * years, 5):
        reading(account, back(days), 500)

    assert 90 < len(thinned_history(account.pk, since=back(365 * years), until=TODAY)) <= 200


# --- An account's page ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "oldest"), [("30", 20), ("", 80), ("90", 80), ("365", 300), ("all", 1_000), ("nonsense", 80)]
)
def test_a_span_shows_its_days(staff, span, oldest):
    account = CreatorAccountFactory()
    for days in (0, 20, 80, 300, 1_000):
        reading(account, back(days), 500 + days)

    assert days_shown(page_of(staff, account, span))[0] == str(back(oldest))


def test_the_support_period_is_a_span_where_there_is_one(staff):
    account, other = CreatorAccountFactory(), CreatorAccountFactory()
    graduate_row(back(300), days=180, trainee=account.trainee)
    for days in (400, 307, 200, 121, 120, 0):
        reading(account, back(days), 500)

    page = page_of(staff, account, "support")

    assert days_shown(page) == [str(back(days)) for days in (307, 200, 121)]
    assert "history-window" in page
    assert "span=support" not in page_of(staff, other)


def test_the_newest_number_has_its_day_and_source(staff):
    account = CreatorAccountFactory()
    for days, followers in [(5, 120_000), (0, 123_456)]:
        reading(account, back(days), followers)

    page = page_of(staff, account)

    assert "123,456" in page and f"As of {TODAY}, platform interface" in page and "+3,456" in page


def test_what_happened_is_marked(staff):
    account = CreatorAccountFactory()
    for days, followers in [(50, 80_000), (40, 101_000), (0, 120_000)]:
        reading(account, back(days), followers)
    Crossing.objects.create(account=account, threshold=100_000, day=back(40), followers=101_000)
    QuarantinedReading.objects.create(
        account=account, day=back(30), followers=9, source="api", fetched_at=timezone.now(), last_day=back(31),
        last_followers=100_000, why="drop",
    )  # fmt: skip
    participation = graduate_row(back(45), trainee=account.trainee)
    given(participation, back(35), 250_000)
    attended(participation, [44, 42])

    page = page_of(staff, account)

    assert "Threshold reached (1)" in page and "Grant (1)" in page and "Class (1)" in page
    assert "level one, 250,000 impressions" in page
    assert f"{back(44)} – {back(42)}" in page
    assert "history-odd-inside" in page and "history-level-name" in page


def test_marks_need_the_permission_of_their_list(staff):
    account = CreatorAccountFactory()
    reading(account, TODAY, 80_000)
    participation = graduate_row(back(45), trainee=account.trainee)
    given(participation, back(35), 250_000)
    attended(participation, [44])
    user = factories.official("622927", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_creatoraccount"))
    staff.force_login(user)

    page = page_of(staff, account)

    assert "80,000" in page and "Grant" not in page and "250,000" not in page and "Class (" not in page


def test_a_page_without_readings_says_so(staff):
    page = page_of(staff, CreatorAccountFactory())

    assert f"No reading from {back(89)} to {TODAY}." in page and "data-history" not in page


def test_pages_of_one_persons_accounts_lead_to_each_other_and_the_trainees_to_each(staff):
    first = CreatorAccountFactory()
    second = CreatorAccountFactory(trainee=first.trainee, platform="douyin")
    urls = [reverse("admin:metrics_creatoraccount_change", args=[a.pk]) for a in (first, second)]

    assert urls[1] in page_of(staff, first) and urls[0] in page_of(staff, second)
    trainee = staff.get(reverse("admin:trainees_trainee_change", args=[first.trainee_id])).content.decode()
    assert urls[0] in trainee and urls[1] in trainee


def test_queries_of_a_page_do_not_grow_with_what_it_shows(staff):
    account = CreatorAccountFactory()
    participation = graduate_row(back(45), trainee=account.trainee)

    def add(days):
        reading(account, back(days), 80_000)
        Crossing.objects.create(account=account, threshold=10_000, day=back(days), followers=80_000)
        given(participation, back(days), 250)
        attended(participation, [days])

    def queries():
        with CaptureQueriesContext(connection) as captured:
            page_of(staff, account)
        return len(captured)

    add(0)
    queries()
    one = queries()
    for days in range(1, 30):
        add(days)
    assert queries() == one


def given(participation, day, impressions):
    pool = TrafficPool.objects.first() or factories.TrafficPoolFactory()
    staff = User.objects.first()
    Grant.objects.create(
        pool=pool, participation=participation, impressions=impressions, state="approved", proposed_by=staff,
        proposed_on=day, approved_on=day,
    )  # fmt: skip


def attended(participation, days):
    """A class with a session on each of the days, all attended."""
    training_class = factories.TrainingClassFactory(cohort=participation.cohort)
    for n in days:
        starts_at = datetime.combine(back(n), time(8), tzinfo=SHANGHAI)
        session = factories.SessionFactory(training_class=training_class, starts_at=starts_at)
        Attendance.objects.create(
            session=session, participation=participation, state="present", minutes=45, marked_by=User.objects.first()
        )


# --- Readings as a file -----------------------------------------------------------------------------------------------


def test_a_file_has_every_reading_with_its_change_and_correction(staff):
    account = CreatorAccountFactory(handle="ks1")
    for days, followers in [(400, 100), (3, 150), (0, 140)]:
        reading(account, back(days), followers)
    Correction.objects.create(
        account=account,
        day=back(3),
        old_followers=1_140,
        new_followers=150,
        old_source=Source.FILE,
        new_source=Source.API,
        old_fetched_at=timezone.now(),
        new_fetched_at=datetime(2026, 6, 1, 23, 30, tzinfo=SHANGHAI),
    )

    rows = file_of(staff.get(csv_of(account)))

    assert [(r["Day"], r["Followers"], r["Change since the reading before"]) for r in rows] == [
        (str(back(400)), "100", ""),
        (str(back(3)), "150", "50"),
        (str(TODAY), "140", "-10"),
    ]
    assert rows[0]["Following"] == "" and rows[0]["Fetched at"] == f"{back(400)} 02:00"
    assert [r["Note"] != "" for r in rows] == [False, True, False]
    assert "2026-06-01" in rows[1]["Note"] and "1,140" in rows[1]["Note"]


def test_an_account_number_that_looks_like_a_formula_stays_a_text(staff):
    account = CreatorAccountFactory(handle='=HYPERLINK("http://x")')
    reading(account, TODAY, 5)

    answer = staff.get(csv_of(account))

    assert file_of(answer)[0]["Account number"] == '\'=HYPERLINK("http://x")'
    assert f"{account.trainee.number}_kuaishou__HYPERLINK_http_x_" in answer["Content-Disposition"]
    assert str(TODAY) in answer["Content-Disposition"]


def test_a_file_without_readings_is_its_headings(staff):
    assert file_of(staff.get(csv_of(CreatorAccountFactory()))) == []


def test_readings_of_a_stranger_and_without_the_permission_are_not_there(staff):
    there = CreatorAccountFactory(trainee=TraineeFactory(county=factories.region("520526")))
    here = CreatorAccountFactory()
    bare = factories.official("622927", is_staff=True)

    assert staff.get(csv_of(there)).status_code == 404
    staff.force_login(bare)
    assert staff.get(csv_of(here)).status_code == 404


def test_a_trainee_takes_the_own_readings_and_nobody_elses(client):
    own, other = (CreatorAccountFactory(trainee=trainee_with_login(name)) for name in ("T1", "T2"))
    for account in (own, other):
        reading(account, TODAY, 77)
    client.force_login(own.trainee.user)

    assert reverse("account_readings", args=[own.pk]) in client.get(reverse("account")).content.decode()
    [row] = file_of(client.get(reverse("account_readings", args=[own.pk]), headers={"accept-language": "en"}))
    assert row["Followers"] == "77"
    assert client.get(reverse("account_readings", args=[other.pk])).status_code == 404
