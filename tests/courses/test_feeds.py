"""The calendar feed of a class: its sessions, no login, and nobody's name."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from courses.feeds import feed_address
from courses.models import Lecturer
from tests import factories
from tests.courses.world import ENDS, STARTS, after, enrolled, make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    group = factories.TrainingClassFactory(name="甲班", place="县委党校")
    lecturer = Lecturer.objects.create(name="马老师")
    return make_session(training_class=group, room="301; A", lecturer=lecturer)


def feed(session, client=None):
    return (client or Client()).get(f"/calendar/{session.training_class.feed_key}/class.ics")


def test_a_calendar_program_reads_the_sessions_without_a_login(session):
    make_session(training_class=session.training_class, starts_at=after(300))
    make_session()
    answer = feed(session)
    assert answer.status_code == 200 and answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "private" in answer["Cache-Control"] and answer["X-Robots-Tag"] == "noindex"
    calendar = Calendar.from_ical(answer.content)
    events = calendar.walk("VEVENT")
    assert calendar["X-WR-CALNAME"] == "甲班" and len(events) == 2
    first = events[0]
    assert (first.decoded("dtstart"), first.decoded("dtend")) == (STARTS, ENDS)
    assert str(first["summary"]) == session.version.title
    assert str(first["location"]) == "县委党校 301; A" and "马老师" in str(first["description"])
    assert first["dtstart"].params["TZID"] == "Asia/Shanghai" and calendar.walk("VTIMEZONE")
    assert len({str(event["uid"]) for event in events}) == 2
    assert b"\r\n" in answer.content and max(len(line) for line in answer.content.split(b"\r\n")) <= 75


def test_a_feed_names_nobody_who_is_taught(session):
    person = enrolled(session, name="T2026-100")
    person.trainee.name = "王小明"
    person.trainee.save()
    text = feed(session).content.decode().replace("\r\n ", "")
    assert session.version.title in text
    for word in ("王小明", person.trainee.number, "T2026", session.check_in_key, session.training_class.feed_key):
        assert word not in text


def test_uids_stay_when_a_session_moves(session):
    before = Calendar.from_ical(feed(session).content).walk("VEVENT")[0]["uid"]
    session.starts_at, session.room = after(30), "302"
    session.save()
    assert Calendar.from_ical(feed(session).content).walk("VEVENT")[0]["uid"] == before


def test_the_address_cannot_be_guessed(session):
    assert len(session.training_class.feed_key) >= 32
    for key in (session.training_class.pk, "x", session.training_class.feed_key[:-1]):
        assert Client().get(f"/calendar/{key}/class.ics").status_code == 404
    assert Client().post(f"/calendar/{session.training_class.feed_key}/class.ics").status_code == 405
    assert feed_address(session.training_class).endswith(f"/calendar/{session.training_class.feed_key}/class.ics")


def test_queries_do_not_grow_with_sessions(session):
    def count():
        with CaptureQueriesContext(connection) as captured:
            feed(session)
        return len(captured)

    few = count()
    for n in range(1, 30):
        make_session(training_class=session.training_class, starts_at=after(n * 1440), lecturer=session.lecturer)
    assert count() == few == 2
