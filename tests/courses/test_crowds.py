"""What marking and deciding cost where thousands are taught: a number of queries that does not grow with them."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.models import Attendance, Enrolment, Graduation, Session, TrainingClass
from courses.services import decide_graduation, mark_attendance
from incubator.programmes.models import Participation
from tests import factories
from tests.bench.deciding import SESSIONS, fill

pytestmark = pytest.mark.django_db
PEOPLE = 5_000


def queries_of(do) -> int:
    with CaptureQueriesContext(connection) as queries:
        do()
    return len(queries)


def test_5000_trainees_of_30_sessions_cost_what_50_do():
    factories.region("622927")
    cohort, by = fill(PEOPLE)
    assert Attendance.objects.count() == PEOPLE * SESSIONS
    training_class = TrainingClass.objects.first()
    people = list(training_class.enrolments.values_list("participation", flat=True))
    assert len(people) == 50

    def mark(some):
        session = Session.objects.create(
            training_class=training_class,
            version=training_class.sessions.first().version,
            starts_at=f"2026-06-{len(some):02} 08:00+08",
            ends_at=f"2026-06-{len(some):02} 09:30+08",
        )
        count = queries_of(lambda: mark_attendance(session, marks=dict.fromkeys(some, ("present", None)), by=by))
        again = queries_of(
            lambda: mark_attendance(session, marks=dict.fromkeys(some, ("present", 30)), by=by, reason="早退")
        )
        return count, again

    assert mark(people[:1]) == mark(people[:28])
    one_class = Participation.objects.filter(enrolments__training_class=training_class)
    few = queries_of(lambda: decide_graduation(one_class, cohort=cohort, on=date(2026, 7, 1), by=by))
    everybody = queries_of(lambda: decide_graduation(cohort=cohort, on=date(2026, 7, 1), by=by))
    assert few == everybody + 1  # the class's people are read first; the cohort's never leave the database
    assert Graduation.objects.count() > PEOPLE * 0.8

    # After graduation a correction asks about everybody concerned, again in a constant number.
    assert mark(people[:2]) == mark(people[:27])


def test_only_those_of_the_class_are_decided_about():
    factories.region("622927")
    cohort, by = fill(100)
    first, second = TrainingClass.objects.order_by("pk")
    people = Participation.objects.filter(enrolments__training_class=first)
    decide_graduation(list(people), cohort=cohort, on=date(2026, 7, 1), by=by, training_class=first)
    graduated = set(Graduation.objects.values_list("participation", flat=True))
    assert graduated
    assert not Enrolment.objects.filter(training_class=second, participation__in=graduated).exists()
