"""What a trainee reads about the support period: how long, until when, whether it stands still, and that it ends."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incubator.programmes.models import Participation, SupportReminder
from incubator.programmes.reminders import remind_support
from incubator.programmes.support import extend_support, pause_support, resume_support
from tests import factories
from tests.world import certified, graduate

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture(autouse=True)
def rule():
    return factories.RuleFactory()


@pytest.fixture
def staff():
    return factories.UserFactory()


def supported(left, name="T1"):
    """Somebody with so many days of support left, today counted."""
    return graduate(name, followers=[50_000], days=60, started=60 - left)


def read(client, participation):
    client.force_login(participation.trainee.user)
    response = client.get("/me/", headers={"accept-language": "en"})
    return " ".join(response.content.decode().split())


def remind():
    return remind_support(on=TODAY(), at=timezone.now())


def paused(participation, staff, *, first=0, last=None):
    day = TODAY()
    days = {"first_day": day + timedelta(days=first), "last_day": None if last is None else day + timedelta(days=last)}
    pause_support(participation, **days, cause="illness", reason="住院两周", by=staff, on=day)


@pytest.mark.parametrize(("left", "urgency"), [(31, "soon"), (15, "urgent"), (4, "last"), (1, "last")])
def test_the_end_is_told_from_thirty_days_before(client, left, urgency):
    participation = supported(left)
    assert "notice-" not in read(client, participation)
    remind()
    text = read(client, participation)

    assert f"notice notice-{urgency}" in text
    assert "Your support period ends on" in text and f": {left} day" in text


def test_it_is_not_told_before_or_once_the_end_has_moved(client, staff):
    early = supported(32, "T2")
    remind()
    assert "notice-" not in read(client, early)
    participation = supported(10)
    remind()
    Participation.objects.filter(pk=participation.pk).update(support_ends_on=TODAY() + timedelta(days=50))
    assert "notice-" not in read(client, participation)  # an end that moved behind our back


def test_an_extension_is_read_at_once(client, staff):
    participation = supported(10)
    remind()
    extend_support(participation, days=40, cause="other", reason="内部原因", by=staff, on=TODAY())
    text = read(client, participation)

    assert "notice-" not in text and "50 <small>days left" in text
    assert "extensions and pauses have moved it" in text and "内部原因" not in text


def test_an_open_pause_says_since_when_why_and_what_becomes_of_the_end(client, staff):
    participation = supported(10)
    remind()
    paused(participation, staff, first=-2)
    text = read(client, participation)

    assert "Paused since" in text and "(illness)" in text and "住院两周" not in text
    assert "moves the last day on by one day" in text and "notice-urgent" not in text
    assert "13 <small>days left" in text


def test_a_pause_with_a_last_day_is_in_the_end_already(client, staff):
    participation = supported(10)
    paused(participation, staff, last=4)
    text = read(client, participation)

    assert "Paused from" in text and "are in the last day already" in text and "15 <small>days left" in text
    resume_support(participation, goes_on_on=TODAY() + timedelta(days=1), reason="x", by=staff, on=TODAY())
    assert "11 <small>days left" in read(client, participation)


def test_the_page_computes_the_end_where_no_night_did(client, staff):
    participation = supported(10)
    paused(participation, staff, first=-3)
    Participation.objects.update(support_ends_on=TODAY() + timedelta(days=9))

    assert "14 <small>days left" in read(client, participation)


def test_the_reminder_is_seen_once_and_by_its_trainee_only(client, staff):
    participation, other = supported(10), supported(10, "T2")
    remind()
    read(client, participation)
    seen_at = SupportReminder.objects.get(participation=participation).seen_at
    read(client, participation)

    assert seen_at is not None
    assert SupportReminder.objects.get(participation=participation).seen_at == seen_at
    assert SupportReminder.objects.get(participation=other).seen_at is None


def test_a_certified_person_is_not_hurried(client):
    held = certified("T1")
    participation = held.candidate.participation
    Participation.objects.update(support_ends_on=TODAY() + timedelta(days=5))
    assert remind() == 0
    SupportReminder.objects.create(
        participation=participation,
        ends_on=TODAY() + timedelta(days=5),
        stage=14,
        due_on=TODAY(),
        made_at=timezone.now(),
    )

    assert "notice-" not in read(client, participation)


def test_the_page_asks_as_often_for_many_changes_as_for_none(client, staff):
    used = []
    for name, changes in (("T1", 0), ("T2", 20)):
        participation = supported(40, name)
        for _n in range(changes):
            extend_support(participation, days=1, cause="other", reason="x", by=staff, on=TODAY())
        read(client, participation)
        with CaptureQueriesContext(connection) as captured:
            read(client, participation)
        used.append(len(captured))

    assert used[0] == used[1]
