"""What a timetable must keep to, what a change of it asks about, and where two classes clash."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.translation import override

from courses.models import GraduationQuestion, GraduationRule, Lecturer, Session, TrainingInstitution
from courses.services import enrol, graduate, mark_attendance, plan_sessions, remove_session
from courses.timetable import clashes
from incubator.common.errors import RuleBroken
from tests import factories
from tests.factories import SHANGHAI

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    with override("en"):
        yield


def at(day, hour, minute=0):
    return datetime(2026, 6, day, hour, minute, tzinfo=SHANGHAI)


def planned(training_class, starts_at, ends_at, **kwargs):
    """A session as a form makes it: not written yet."""
    version = factories.CourseFactory().current
    return Session(training_class=training_class, version=version, starts_at=starts_at, ends_at=ends_at, **kwargs)


@pytest.fixture
def staff():
    return factories.superuser()


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "says"),
    [
        (at(1, 8), at(2, 9), "longer than 24 hours"),
        (at(1, 22), at(2, 0, 1), "second day"),
        (at(1, 8), at(2, 8), "second day"),
        (at(1, 8), at(1, 8), "end after it starts"),
        (at(1, 9), at(1, 8), "end after it starts"),
    ],
)
def test_session_lies_within_one_day(staff, starts_at, ends_at, says):
    training_class = factories.TrainingClassFactory()
    with pytest.raises(RuleBroken, match=says):
        plan_sessions(training_class, [planned(training_class, starts_at, ends_at)], by=staff)
    assert not Session.objects.exists()


def test_session_may_end_at_midnight(staff):
    """In Shanghai: 00:30 there is the evening before in UTC."""
    training_class = factories.TrainingClassFactory()
    sessions = [planned(training_class, at(1, 22), at(2, 0)), planned(training_class, at(2, 0, 30), at(2, 9))]
    assert plan_sessions(training_class, sessions, by=staff) == 2


def test_database_refuses_25_hours_whoever_writes_them():
    with pytest.raises(IntegrityError, match="session_is_at_most_a_day_long"), transaction.atomic():
        factories.SessionFactory(starts_at=at(1, 8), ends_at=at(2, 9))


def test_sessions_of_a_class_do_not_overlap(staff):
    there = factories.SessionFactory(starts_at=at(1, 8), ends_at=at(1, 10))
    training_class = there.training_class
    with pytest.raises(RuleBroken, match="same time"):
        plan_sessions(training_class, [planned(training_class, at(1, 9, 59), at(1, 11))], by=staff)
    two = [planned(training_class, at(1, 12), at(1, 14)), planned(training_class, at(1, 13), at(1, 15))]
    with pytest.raises(RuleBroken, match="same time"):
        plan_sessions(training_class, two, by=staff)
    assert list(Session.objects.all()) == [there]
    assert plan_sessions(training_class, [planned(training_class, at(1, 10), at(1, 12))], by=staff) == 1


def test_marked_session_keeps_its_course_and_times_but_may_change_its_room(staff):
    session = factories.SessionFactory()
    person = factories.ParticipationFactory(cohort=session.training_class.cohort, state="admitted")
    enrol([person], training_class=session.training_class, by=staff)
    session.ends_at += timedelta(minutes=45)
    plan_sessions(session.training_class, [session], by=staff)  # nobody is marked yet
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    for change in (
        {"ends_at": session.ends_at - timedelta(minutes=45)},
        {"version": factories.CourseFactory(kind="general").current},
    ):
        changed = Session.objects.get(pk=session.pk)
        for name, value in change.items():
            setattr(changed, name, value)
        with pytest.raises(RuleBroken, match="marked already"):
            plan_sessions(session.training_class, [changed], by=staff)
    session.room = "302"
    plan_sessions(session.training_class, [session], by=staff)
    assert Session.objects.get().room == "302"


def test_session_is_taken_out_only_while_nothing_is_kept_of_it(staff):
    session = factories.SessionFactory()
    person = factories.ParticipationFactory(cohort=session.training_class.cohort, state="admitted")
    enrol([person], training_class=session.training_class, by=staff)
    mark_attendance(session, marks={person.pk: ("absent", None)}, by=staff)
    with pytest.raises(RuleBroken):
        remove_session(session, by=staff)
    empty = factories.SessionFactory(training_class=session.training_class)
    remove_session(empty, by=staff)
    assert list(Session.objects.all()) == [session]


def test_more_teaching_after_a_graduation_becomes_a_question(staff):
    """Attendance of 80 % is asked; a session planned afterwards makes it 50 %."""
    session = factories.SessionFactory(starts_at=at(1, 8), ends_at=at(1, 20))
    training_class = session.training_class
    GraduationRule.objects.filter(cohort=training_class.cohort).update(min_days=1, min_attendance_percent=80)
    person = factories.ParticipationFactory(cohort=training_class.cohort, state="admitted")
    enrol([person], training_class=training_class, by=staff)
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    person.refresh_from_db()
    graduate(person, on=at(5, 8).date(), by=staff)
    plan_sessions(training_class, [planned(training_class, at(2, 8), at(2, 20))], by=staff)
    question = GraduationQuestion.objects.get()
    assert training_class.name in question.cause
    remove_session(training_class.sessions.get(starts_at=at(2, 8)), by=staff)
    question.refresh_from_db()
    assert question.answer == "settled"


# Clashes


def two_classes(**kwargs):
    return [factories.TrainingClassFactory(**kwargs) for _ in range(2)]


def test_room_of_one_institution_is_wanted_once(staff):
    institution = TrainingInstitution.objects.create(name="院", region=factories.region("622927"))
    own, other = two_classes(institution=institution)
    mine = factories.SessionFactory(training_class=own, room="302", starts_at=at(1, 8), ends_at=at(1, 10))
    factories.SessionFactory(training_class=other, room="302", starts_at=at(1, 9), ends_at=at(1, 11))
    factories.SessionFactory(training_class=other, room="303", starts_at=at(1, 8), ends_at=at(1, 9))
    factories.SessionFactory(training_class=other, room="302", starts_at=at(2, 8), ends_at=at(2, 10))
    factories.SessionFactory(
        training_class=other, room="302", starts_at=at(1, 7), ends_at=at(1, 8)
    )  # ends as it begins
    [clash] = clashes(own, staff)
    assert (clash.session, clash.is_room, clash.other_class) == (mine, True, other)
    assert (clash.starts_at, clash.ends_at) == (at(1, 9), at(1, 11))


def test_rooms_of_the_same_name_elsewhere_are_other_rooms(staff):
    region = factories.region("622927")
    times = {"room": "302", "starts_at": at(1, 8), "ends_at": at(1, 10)}
    here = factories.TrainingClassFactory(region=region, place="县委党校")
    same = factories.TrainingClassFactory(region=region, place="县委党校")
    for training_class in (
        here,
        same,
        factories.TrainingClassFactory(region=region, place="职教中心"),
        factories.TrainingClassFactory(region=factories.region("520526"), place="县委党校"),
        factories.TrainingClassFactory(region=region),
        factories.TrainingClassFactory(
            region=region,
            place="县委党校",
            institution=TrainingInstitution.objects.create(name="院", region=region),
        ),
    ):
        factories.SessionFactory(training_class=training_class, **times)
    assert [clash.other_class for clash in clashes(here, staff)] == [same]


def test_rooms_of_no_known_place_do_not_clash(staff):
    own, other = two_classes(region=factories.region("622927"))
    for training_class in (own, other):
        factories.SessionFactory(training_class=training_class, room="302", starts_at=at(1, 8), ends_at=at(1, 10))
    assert clashes(own, staff) == []


def test_sessions_without_a_room_do_not_clash(staff):
    own, other = two_classes(place="县委党校")
    for training_class in (own, other):
        factories.SessionFactory(training_class=training_class, starts_at=at(1, 8), ends_at=at(1, 10))
    assert clashes(own, staff) == []


def test_lecturer_is_at_one_place_and_a_strangers_class_is_not_told():
    lecturer = Lecturer.objects.create(name="马老师")
    own = factories.TrainingClassFactory(region=factories.region("622927"))
    other = factories.TrainingClassFactory(region=factories.region("520526"))
    for training_class in (own, other):
        factories.SessionFactory(
            training_class=training_class, lecturer=lecturer, starts_at=at(1, 8), ends_at=at(1, 10)
        )
    [clash] = clashes(own, factories.official("622927"))
    assert (clash.is_room, clash.other_class, clash.starts_at) == (False, None, at(1, 8))
    [clash] = clashes(own, factories.superuser())
    assert clash.other_class == other
