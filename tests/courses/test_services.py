"""Hours from attendance, the graduation rule at its edges, and the support period it opens."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from courses.models import Attendance, Enrolment, Graduation, GraduationRule
from courses.queries import class_hours, ready_to_graduate, training_standings
from courses.services import enrol, graduate, graduate_all, mark_attendance
from incubator.common.errors import RuleBroken
from incubator.programmes.models import Participation
from tests import factories
from tests.factories import SHANGHAI

ON = date(2026, 8, 1)
HOUR = 45  # minutes
GENERAL, PROFESSIONAL = "general", "professional"


@pytest.fixture
def staff(db):
    return factories.UserFactory()


def attended(person, *sessions, by):
    """Mark somebody present: ``(kind, day of June, minutes)``; each a session of its own."""
    training_class = factories.TrainingClassFactory(cohort=person.cohort)
    for number, (kind, day, minutes) in enumerate(sessions):
        starts_at = datetime(2026, 6, day, 8 + number % 3 * 4, number, tzinfo=SHANGHAI)
        session = factories.SessionFactory(
            training_class=training_class,
            course=factories.CourseFactory(kind=kind),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=max(minutes, 1)),
        )
        Attendance.objects.create(session=session, participation=person, state="present", minutes=minutes, marked_by=by)


# Days, professional minutes, general minutes → enough? Both bounds count; general hours never stand in for others.
EDGES = [
    ([(PROFESSIONAL, 1, 240), (PROFESSIONAL, 2, 240), (PROFESSIONAL, 3, 240)], True),  # exactly 3 days and 16.0 hours
    ([(PROFESSIONAL, 1, 240), (PROFESSIONAL, 2, 240), (PROFESSIONAL, 3, 239)], False),  # a minute short
    ([(PROFESSIONAL, 1, 360), (PROFESSIONAL, 2, 360)], False),  # 16 hours in two days
    ([(PROFESSIONAL, 1, 360), (PROFESSIONAL, 2, 360), (GENERAL, 3, 1)], True),  # any course makes a day
    ([(PROFESSIONAL, 1, 240), (PROFESSIONAL, 1, 240), (PROFESSIONAL, 1, 240)], False),  # three sessions of one day
    ([(GENERAL, 1, 900), (GENERAL, 2, 900), (GENERAL, 3, 900)], False),
    ([("practice", 1, 360), ("practice", 2, 360), ("visit", 3, 360)], False),
    ([], False),
]


@pytest.mark.parametrize(("sessions", "is_enough"), EDGES)
def test_rule_says_the_same_in_sql_and_in_python(staff, sessions, is_enough):
    person = factories.ParticipationFactory(state="training")
    attended(person, *sessions, by=staff)
    in_sql = ready_to_graduate(Participation.objects.all()).exists()
    in_python = not training_standings([person])[person.pk].reasons()
    assert in_sql == in_python == is_enough
    if is_enough:
        assert graduate(person, on=ON, by=staff).participation == person
    else:
        with pytest.raises(RuleBroken):
            graduate(person, on=ON, by=staff)


@pytest.mark.parametrize(
    ("general_minutes", "counted"),
    [(0, "16.0"), (8 * HOUR - 5, "23.8"), (8 * HOUR, "24.0"), (8 * HOUR + 5, "24.0"), (30 * HOUR, "24.0")],
)
def test_general_hours_are_capped_at_eight(staff, general_minutes, counted):
    person = factories.ParticipationFactory(state="training")
    sessions = [(PROFESSIONAL, day, 240) for day in (1, 2, 3)]
    attended(person, *sessions, *([(GENERAL, 4, general_minutes)] if general_minutes else []), by=staff)
    assert training_standings([person])[person.pk].counted_hours == Decimal(counted)


@pytest.mark.parametrize(
    ("minutes", "hours"), [(0, "0.0"), (44, "0.9"), (45, "1.0"), (67, "1.4"), (719, "15.9"), (720, "16.0")]
)
def test_class_hour_is_45_minutes(minutes, hours):
    assert class_hours(minutes) == Decimal(hours)


def test_day_is_a_day_of_shanghai(staff):
    """23:30 and 00:30 in Shanghai are two days there, though one in UTC."""
    person = factories.ParticipationFactory(state="training")
    for hour, day in ((23, 1), (1, 2)):
        starts_at = datetime(2026, 6, day, hour, 30 if hour == 23 else 0, tzinfo=SHANGHAI)
        session = factories.SessionFactory(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=20))
        Attendance.objects.create(session=session, participation=person, state="present", minutes=20, marked_by=staff)
    assert training_standings([person])[person.pk].days == 2


def test_absent_people_have_neither_hours_nor_days(staff):
    person = factories.ParticipationFactory(state="training")
    session = factories.SessionFactory()
    Attendance.objects.create(session=session, participation=person, state="absent", minutes=0, marked_by=staff)
    standing = training_standings([person])[person.pk]
    assert (standing.days, standing.professional_minutes) == (0, 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attendance.objects.update(minutes=10)


def test_what_is_missing_is_said(staff):
    person = factories.ParticipationFactory(state="training")
    attended(person, (PROFESSIONAL, 1, 240), (PROFESSIONAL, 2, 240), by=staff)
    with pytest.raises(RuleBroken) as refusal:
        graduate(person, on=ON, by=staff)
    assert person.trainee.name in str(refusal.value)
    assert "5.4" in str(refusal.value)


def ready(by, **kwargs):
    person = factories.ParticipationFactory(state="training", **kwargs)
    attended(person, *[(PROFESSIONAL, day, 240) for day in (1, 2, 3)], by=by)
    return person


def test_graduation_opens_the_support_period_that_day(staff):
    person = ready(staff)
    graduation = graduate(person, on=ON, by=staff)
    person.refresh_from_db()
    assert (person.state, person.graduated_on, person.support_starts_on) == ("graduated", ON, ON)
    assert (person.support_ends_on - ON).days + 1 == person.cohort.support_days
    assert graduation.facts["professional_minutes"] == 720
    assert (graduation.facts["days"], graduation.facts["counted_hours"]) == (3, "16.0")
    assert person.moves.get().by == staff


def test_all_graduate_or_none(staff):
    cohort = factories.CohortFactory()
    people = [ready(staff, cohort=cohort), factories.ParticipationFactory(state="training", cohort=cohort)]
    with pytest.raises(RuleBroken):
        graduate_all(people, on=ON, by=staff)
    assert not Graduation.objects.exists()
    assert set(Participation.objects.values_list("state", flat=True)) == {"training"}


def test_nobody_graduates_twice_or_before_the_last_session_or_without_a_rule(staff):
    person = ready(staff)
    with pytest.raises(RuleBroken):
        graduate(person, on=date(2026, 6, 2), by=staff)
    graduate(person, on=date(2026, 6, 3), by=staff)
    with pytest.raises(RuleBroken):
        graduate(person, on=ON, by=staff)
    other = ready(staff)
    GraduationRule.objects.filter(cohort=other.cohort).delete()
    with pytest.raises(RuleBroken):
        graduate(Participation.objects.get(pk=other.pk), on=ON, by=staff)


@pytest.mark.parametrize("state", ["nominated", "admitted", "withdrawn"])
def test_only_people_in_training_graduate(staff, state):
    person = ready(staff)
    Participation.objects.filter(pk=person.pk).update(state=state)
    with pytest.raises(RuleBroken):
        graduate(Participation.objects.get(pk=person.pk), on=ON, by=staff)
    assert not Graduation.objects.exists()


def test_rule_of_each_cohort_is_its_own(staff):
    easy = ready(staff)
    hard = ready(staff)
    GraduationRule.objects.filter(cohort=hard.cohort).update(min_days=4)
    assert list(ready_to_graduate(Participation.objects.all())) == [easy]


# Enrolling and marking


def test_class_takes_as_many_as_it_has_places(staff):
    training_class = factories.TrainingClassFactory(capacity=2)
    people = [factories.ParticipationFactory(cohort=training_class.cohort, state="admitted") for _ in range(3)]
    with pytest.raises(RuleBroken):
        enrol(people, training_class=training_class, by=staff)
    assert not Enrolment.objects.exists()
    assert enrol(people[:2], training_class=training_class, by=staff) == 2
    assert enrol(people[:2], training_class=training_class, by=staff) == 0
    assert sorted(Participation.objects.values_list("state", flat=True)) == ["admitted", "training", "training"]


def test_class_is_of_one_cohort(staff):
    stranger = factories.ParticipationFactory(state="admitted")
    with pytest.raises(RuleBroken):
        enrol([stranger], training_class=factories.TrainingClassFactory(), by=staff)


@pytest.mark.parametrize("state", ["nominated", "withdrawn", "refused"])
def test_only_admitted_people_are_taught(staff, state):
    training_class = factories.TrainingClassFactory()
    person = factories.ParticipationFactory(cohort=training_class.cohort, state=state)
    with pytest.raises(RuleBroken):
        enrol([person], training_class=training_class, by=staff)
    assert not Enrolment.objects.exists()


@pytest.fixture
def taught(staff):
    """A session of 360 minutes and somebody in its class."""
    session = factories.SessionFactory()
    person = factories.ParticipationFactory(cohort=session.training_class.cohort, state="admitted")
    enrol([person], training_class=session.training_class, by=staff)
    return session, person


def test_mark_made_again_replaces_the_earlier_one(taught, staff):
    session, person = taught
    other = factories.UserFactory()
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    assert Attendance.objects.get().minutes == 360
    with pytest.raises(RuleBroken):
        mark_attendance(session, marks={person.pk: ("on_leave", 100)}, by=other)
    mark_attendance(session, marks={person.pk: ("on_leave", 100)}, by=other, reason="请假条后补")
    mark = Attendance.objects.get()
    assert (mark.state, mark.minutes, mark.marked_by) == ("on_leave", 0, other)


def test_marks_are_of_the_class_and_within_the_session(taught, staff):
    session, person = taught
    stranger = factories.ParticipationFactory()
    for marks in (
        {stranger.pk: ("present", None)},
        {person.pk: ("present", 361)},
        {person.pk: ("present", -1)},
        {person.pk: ("present", 0)},
    ):
        with pytest.raises((RuleBroken, IntegrityError)), transaction.atomic():
            mark_attendance(session, marks=marks, by=staff)
    assert not Attendance.objects.exists()
