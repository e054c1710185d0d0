"""The sample catalogue, and the demo's classes examined and heard: who graduates is the same, however often built."""

from collections import Counter
from datetime import date

import pytest

from courses.models import (
    Attempt,
    Course,
    Graduation,
    LearningRecord,
    Lecturer,
    SatisfactionAnswer,
    SatisfactionTicket,
    Session,
    TrainingInstitution,
)
from courses.satisfaction import satisfaction_of
from incubator.accounts.models import User
from incubator.demo import stage, training
from incubator.demo.cast import ANSWERS, COUNTIES, PASSWORD, TIMETABLE
from incubator.demo.catalogue import CATALOGUE
from incubator.demo.clock import DemoClock
from incubator.programmes.models import Participation
from tests import factories
from trainees.services import open_login

CLOCK = DemoClock(date(2026, 11, 1))
PEOPLE = 30  # of a county


def test_the_catalogue_has_fifty_courses_of_140_hours():
    assert (len(CATALOGUE), sum(course.hours for course in CATALOGUE)) == (50, 140)
    assert len({course.code for course in CATALOGUE}) == len({course.title for course in CATALOGUE}) == 50
    assert all(course.syllabus and course.hours > 0 for course in CATALOGUE)
    assert set(Counter(course.kind for course in CATALOGUE)) == {"general", "professional", "practice", "visit"}
    assert {code for _day, _hour, code, _hours in TIMETABLE} <= {course.code for course in CATALOGUE}


@pytest.mark.django_db
def test_classes_are_taught_examined_and_heard_and_again_without_a_change():
    for code in COUNTIES:
        factories.region(code)
    manager = factories.superuser()
    cohort = stage.set_the_scene(CLOCK, by=manager)
    for code in COUNTIES:
        for _n in range(PEOPLE):
            trainee = factories.TraineeFactory(county=factories.region(code))
            factories.ParticipationFactory(trainee=trainee, cohort=cohort, state="admitted")

    def build():
        stage.teach(cohort, CLOCK, by=manager)
        training.study_online(cohort, CLOCK)
        training.examine(cohort, CLOCK, by=manager)
        stage.graduate_who_may(cohort, CLOCK, by=manager)
        training.hear(cohort, CLOCK)
        rows = (Course, LearningRecord, Session, Attempt, Graduation, SatisfactionAnswer, SatisfactionTicket, Lecturer)
        return {model.__name__: model.objects.count() for model in rows}

    once = build()

    often_enough = sum(place % 9 != 0 and place % 13 != 0 for place in range(1, PEOPLE + 1))
    assert once == {
        "Course": 50,
        "Session": 24,
        "Attempt": len(COUNTIES) * (PEOPLE - PEOPLE // 13 + 2),  # two resit in each class
        "Graduation": len(COUNTIES) * often_enough,
        "SatisfactionAnswer": len(ANSWERS),
        "SatisfactionTicket": len(ANSWERS),
        "Lecturer": 6,
        "LearningRecord": len(COUNTIES) * PEOPLE // 2,
    }
    assert build() == once
    training_class = TrainingInstitution.objects.get().classes.order_by("pk").first()
    assert satisfaction_of([training_class])[training_class.pk].is_shown
    assert Attempt.objects.waiting_for_second_marker().count() == 1
    sessions = Session.objects.filter(lecturer=Lecturer.objects.first())
    assert sessions.values("starts_at").distinct().count() == sessions.count() > 0  # nobody is at two places
    assert not Participation.objects.filter(state="admitted").exists()


@pytest.mark.django_db
def test_whoever_is_told_as_a_login_can_log_in():
    trainee = factories.TraineeFactory()
    factories.ParticipationFactory(trainee=trainee, cohort=(cohort := factories.CohortFactory()), state="training")
    open_login(trainee, password=None)
    assert not User.objects.get(username=trainee.number).has_usable_password()

    assert stage.open_trainee_logins(cohort) == [(trainee.number, "training not finished")]

    assert User.objects.get(username=trainee.number).check_password(PASSWORD)
