"""The pages of followers: an account's chart and its marks, its readings as a file, cohorts beside each other."""

import csv
import io
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incubator.metrics.choices import Source
from incubator.metrics.models import Correction
from tests import factories
from tests.desk.world import county_staff
from tests.factories import SHANGHAI, CreatorAccountFactory, TraineeFactory, reading
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
