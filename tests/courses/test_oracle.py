"""Hours, days and the graduation rule against an oracle in plain Python, for generated timetables and marks.

The oracle knows the rule's words only: it shares no code with the statement or with ``TrainingStanding``.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses.models import (
    Assessment,
    Attempt,
    Attendance,
    CarriedTraining,
    Enrolment,
    Graduation,
    GraduationRule,
    LearningRecord,
    Session,
    Taught,
)
from courses.queries import class_hours, ready_to_graduate, standings_among, training_standings
from courses.services import decide_graduation
from incubator.programmes.models import Participation
from tests import factories
from tests.factories import SHANGHAI

pytestmark = pytest.mark.django_db
KINDS = ("general", "professional", "practice", "visit")
FIRST = datetime(2026, 5, 4, 8, tzinfo=SHANGHAI)

tenths = st.integers(0, 200).map(lambda n: Decimal(n) / 10)


@st.composite
def rules(draw):
    """Numbers of a rule: minimum and cap by kind (the cap at least the minimum, or none), days, total, share."""
    numbers = {
        "min_days": draw(st.integers(0, 4)),
        "min_hours": draw(st.sampled_from([Decimal(0), Decimal("8.0"), Decimal("8.1"), Decimal("24.0")])),
        "min_attendance_percent": draw(st.sampled_from([0, 50, 80, 100])),
        "needs_assessments": draw(st.booleans()),
    }
    for kind in KINDS:
        least = draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("0.1"), Decimal("4.0"), Decimal("16.0")]))
        cap = draw(st.none() | tenths)
        numbers |= {f"min_{kind}_hours": least, f"{kind}_hours_cap": None if cap is None else max(cap, least)}
    return numbers


timetables = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 4), st.integers(0, 3), st.integers(1, 180)),
    max_size=10,
    unique_by=lambda row: row[1:3],
)
people = st.fixed_dictionaries(
    {
        # a mark for every session of both classes: absent, on leave, unmarked, whole session, or a share of it
        "marks": st.lists(st.sampled_from(["absent", "on_leave", None, 1.0, 1.0, 0.5]), min_size=20, max_size=20),
        "first": st.sampled_from(["enrolled", "enrolled", "waiting", "left"]),
        "second": st.sampled_from(["enrolled", "left", None]),
        "left_after": st.integers(0, 5),
        "online": st.lists(
            st.tuples(st.sampled_from(KINDS), st.integers(1, 600)), max_size=2, unique_by=lambda r: r[0]
        ),
        "carried": st.lists(
            st.tuples(st.sampled_from(KINDS), st.integers(0, 4), st.booleans(), st.integers(1, 300)),
            max_size=3,
            unique_by=lambda r: r[:3],
        ),
        "attempts": st.lists(
            st.tuples(st.sampled_from([None, 0, 59.5, 60, 100]), st.sampled_from([None, None, 59, 60])), max_size=2
        ),
    }
)


class Written:
    """One generated cohort in the database, and what the oracle needs of it."""

    def __init__(self, rule, tables, persons):
        self.rule, self.persons = rule, persons
        self.staff, self.other = factories.UserFactory(), factories.UserFactory()
        self.cohort = factories.CohortFactory()
        GraduationRule.objects.filter(cohort=self.cohort).update(**rule)
        self.courses = {kind: factories.CourseFactory(kind=kind, hours=Decimal("8.5")).current for kind in KINDS}
        self.classes = [factories.TrainingClassFactory(cohort=self.cohort) for _table in tables]
        self.sessions = [
            self._sessions(training_class, table, n)
            for n, (training_class, table) in enumerate(zip(self.classes, tables, strict=True))
        ]
        self.assessment = Assessment.objects.create(training_class=self.classes[0], title="考核")
        self.rows = [self._person(person) for person in persons]

    def _sessions(self, training_class, table, n):
        return [
            Session.objects.create(
                training_class=training_class,
                version=self.courses[kind],
                starts_at=(starts := FIRST + timedelta(days=day + n, hours=4 * slot)),
                ends_at=starts + timedelta(minutes=minutes),
            )
            for kind, day, slot, minutes in table
        ]

    def _person(self, person):
        row = factories.ParticipationFactory(cohort=self.cohort, state="training")
        for place, training_class in (("first", self.classes[0]), ("second", self.classes[1])):
            if person[place] is not None:
                since = FIRST + timedelta(days=person["left_after"])
                Enrolment.objects.create(
                    training_class=training_class, participation=row, state=person[place], since=since
                )
        for session, mark in self.marks(person):
            Attendance.objects.create(session=session, participation=row, marked_by=self.staff, **mark)
        for kind, minutes in person["online"]:
            LearningRecord.objects.create(
                participation=row, version=self.courses[kind], minutes=minutes, finished_at=FIRST
            )
        before = factories.ParticipationFactory(trainee=row.trainee)
        for kind, day, is_day, minutes in person["carried"]:
            CarriedTraining.objects.create(
                participation=row,
                came_from=before,
                kind=kind,
                on=(FIRST + timedelta(days=day)).date(),
                is_training_day=is_day,
                minutes=minutes,
            )
        for number, (marks, second) in enumerate(person["attempts"], 1):
            second = None if marks is None else second
            Attempt.objects.create(
                assessment=self.assessment,
                participation=row,
                number=number,
                marks=marks,
                marked_by=self.staff,
                marked_at=FIRST,
                appealed_at=FIRST if second is not None else None,
                appeal_reason="请复核" if second is not None else "",
                second_marks=second,
                second_by=self.other if second is not None else None,
            )
        return row

    def marks(self, person):
        """``(session, fields of the mark)``; nobody is at two places, so the second class's sessions move a day."""
        every = [session for sessions in self.sessions for session in sessions]
        for session, mark in zip(every, person["marks"], strict=False):
            if isinstance(mark, float):
                yield session, {"state": "present", "minutes": max(1, int(session.minutes * mark))}
            elif mark is not None:
                yield session, {"state": mark, "minutes": 0}


def oracle(written, person):
    """The rule in its own words: figures and what is missing, by exact fractions."""
    minutes, days, attended = dict.fromkeys(KINDS, 0), set(), 0
    for session, mark in written.marks(person):
        if mark["state"] == "present":
            minutes[session.version.kind] += mark["minutes"]
            attended += mark["minutes"]
            days.add(session.starts_at.astimezone(SHANGHAI).date())
    for kind, told in person["online"]:
        minutes[kind] += min(told, 382)  # a course of 8.5 hours has 382 full minutes
    for kind, day, is_day, carried in person["carried"]:
        minutes[kind] += carried
        if is_day:
            days.add((FIRST + timedelta(days=day)).date())
    due = 0
    for place, sessions in zip(("first", "second"), written.sessions, strict=True):
        gone = FIRST + timedelta(days=person["left_after"])
        if person[place] == "enrolled":
            due += sum(session.minutes for session in sessions)
        elif person[place] == "left":
            due += sum(session.minutes for session in sessions if session.starts_at < gone)
    passed = any((second if second is not None else marks or 0) >= 60 for marks, second in _final(person["attempts"]))
    to_pass = 1 if person["first"] == "enrolled" and not passed else 0
    return verdict(written.rule, minutes, days, attended, due, to_pass)


def _final(attempts):
    return [(marks, None if marks is None else second) for marks, second in attempts]


def verdict(rule, minutes, days, attended, due, to_pass):
    missing, total = set(), Fraction(0)
    if len(days) < rule["min_days"]:
        missing.add("days")
    for kind in KINDS:
        counted, cap = Fraction(minutes[kind], 45), rule[f"{kind}_hours_cap"]
        counted = counted if cap is None else min(counted, Fraction(cap))
        total += counted
        if counted < Fraction(rule[f"min_{kind}_hours"]):
            missing.add(f"{kind}_hours")
    if total < Fraction(rule["min_hours"]):
        missing.add("hours")
    if due and Fraction(attended, due) < Fraction(rule["min_attendance_percent"], 100):
        missing.add("attendance")
    if rule["needs_assessments"] and to_pass:
        missing.add("assessments")
    hours = Decimal(int(total * 10)) / 10
    return {"minutes": minutes, "days": len(days), "attended": attended, "due": due, "open": to_pass}, hours, missing


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules(), timetables, timetables, st.lists(people, min_size=4, max_size=8))
def test_the_statement_and_the_reasons_say_what_the_oracle_says(rule, first, second, persons):
    written = Written(rule, [first, second], persons)
    standings = training_standings(written.rows)
    graduated = set(ready_to_graduate(Participation.objects.filter(cohort=written.cohort)))
    for row, person in zip(written.rows, persons, strict=True):
        figures, hours, missing = oracle(written, person)
        standing = standings[row.pk]
        told = {
            "minutes": standing.minutes,
            "days": standing.days,
            "attended": standing.attended,
            "due": standing.due,
            "open": standing.open_assessments,
        }
        assert told == figures
        assert standing.counted_hours == hours
        assert {reason.code for reason in standing.reasons()} == missing
        assert standing.is_enough == (missing == set()) == (row in graduated)
        for reason in standing.reasons():
            assert (reason.missing > 0 and str(reason.missing) in reason.sentence) or reason.code == "attendance"

    decision = decide_graduation(cohort=written.cohort, on=date(2026, 12, 1), by=written.staff)
    kept = {g.participation_id: g.facts for g in decision.graduations.all()}
    assert kept == {row.pk: standings[row.pk].facts() for row in graduated}


# --- Edges, pinned in SQL and in Python alike -------------------------------------------------------------------------

ENOUGH = [("professional", day, 240) for day in (0, 1, 2)]  # exactly 3 days and 16.0 hours


def person_with(*lessons, **rule):
    """Somebody in training who was present at ``(kind, day, minutes)``, under a rule of these numbers."""
    row = factories.ParticipationFactory(state="training")
    GraduationRule.objects.filter(cohort=row.cohort).update(**rule)
    staff = factories.UserFactory()
    for number, (kind, day, minutes) in enumerate(lessons):
        starts_at = FIRST + timedelta(days=day, hours=2 * (number % 6))
        session = factories.SessionFactory(
            training_class=factories.TrainingClassFactory(cohort=row.cohort),
            course=factories.CourseFactory(kind=kind),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes),
        )
        Attendance.objects.create(session=session, participation=row, state="present", minutes=minutes, marked_by=staff)
    return row


EDGES = [
    ("exactly 3 days and 16 hours", ENOUGH, {}, set()),
    ("two days", [("professional", 0, 360), ("professional", 1, 360)], {}, {"days"}),
    ("a minute short of 16 hours", [*ENOUGH[:2], ("professional", 2, 239)], {}, {"professional_hours"}),
    ("8.0 general hours asked and there", [*ENOUGH, ("general", 3, 360)], {"min_general_hours": 8}, set()),
    ("a minute less", [*ENOUGH, ("general", 3, 359)], {"min_general_hours": 8}, {"general_hours"}),
    ("24 hours by 16 and 8.0", [*ENOUGH, ("general", 3, 360)], {"min_hours": 24}, set()),
    ("8.1 general hours count as 8", [*ENOUGH, ("general", 3, 365)], {"min_hours": Decimal("24.1")}, {"hours"}),
    (
        "no cap, 8.1 hours",
        [*ENOUGH, ("general", 3, 365)],
        {"min_hours": Decimal("24.1"), "general_hours_cap": None},
        set(),
    ),
    ("a cap of nothing", ENOUGH, {"general_hours_cap": 0}, set()),
    ("professional capped at its minimum", [*ENOUGH, ("professional", 3, 90)], {"professional_hours_cap": 16}, set()),
]


@pytest.mark.parametrize(("lessons", "rule", "missing"), [edge[1:] for edge in EDGES], ids=[edge[0] for edge in EDGES])
def test_edges_are_the_same_in_sql_and_python(lessons, rule, missing):
    row = person_with(*lessons, **rule)
    standing = training_standings([row])[row.pk]
    assert {reason.code for reason in standing.reasons()} == missing
    assert standing.is_enough == (not missing)
    assert list(ready_to_graduate(Participation.objects.all())) == ([] if missing else [row])


def test_counted_hours_never_read_more_than_there_are():
    row = person_with(*ENOUGH[:2], ("professional", 2, 239))
    standing = training_standings([row])[row.pk]
    assert (str(standing.professional_hours), str(standing.missing_professional_hours)) == ("15.9", "0.1")
    with translation.override("en"):
        assert standing.missing() == ["0.1 more hours of professional courses"]


def test_attendance_is_of_the_minutes_that_were_due():
    """80 % of 600 minutes are 480; 479 are not."""
    for minutes, is_enough in ((480, True), (479, False)):
        row = factories.ParticipationFactory(state="training")
        GraduationRule.objects.filter(cohort=row.cohort).update(
            min_days=0, min_professional_hours=0, min_attendance_percent=80
        )
        training_class = factories.TrainingClassFactory(cohort=row.cohort)
        Enrolment.objects.create(training_class=training_class, participation=row)
        session = factories.SessionFactory(
            training_class=training_class, starts_at=FIRST, ends_at=FIRST + timedelta(minutes=600)
        )
        staff = factories.UserFactory()
        Attendance.objects.create(session=session, participation=row, state="present", minutes=minutes, marked_by=staff)
        assert training_standings([row])[row.pk].is_enough is is_enough


def test_hours_are_usable_by_person_class_county_and_period():
    """The same view added up four ways."""
    row = person_with(("professional", 0, 90), ("general", 1, 45))
    LearningRecord.objects.create(
        participation=row,
        version=factories.CourseFactory(kind="general", hours=1).current,
        minutes=600,
        finished_at=datetime(2026, 5, 31, 16, tzinfo=UTC),  # June in Shanghai
    )
    by_person = Taught.objects.filter(participation=row).aggregate(n=Sum("minutes"))["n"]
    by_county = dict(Taught.objects.values_list("participation__trainee__county").annotate(n=Sum("minutes")))
    by_class = list(
        Taught.objects.exclude(training_class=None).values_list("training_class").annotate(n=Sum("minutes"))
    )
    in_may = Taught.objects.filter(on__range=("2026-05-01", "2026-05-31")).aggregate(n=Sum("minutes"))["n"]
    assert by_person == 90 + 45 + 45
    assert by_county == {row.trainee.county_id: 180}
    assert sorted(minutes for _pk, minutes in by_class) == [45, 90]
    assert in_may == 135
    assert class_hours(by_person) == 4


def test_standings_cost_one_statement_whatever_the_number(django_assert_num_queries):
    rows = [person_with(*ENOUGH) for _n in range(3)]
    for some in (rows[:1], rows):
        with django_assert_num_queries(2):
            training_standings(some)
    with django_assert_num_queries(2):
        standings_among("SELECT id FROM programmes_participation", [])


def test_deciding_costs_the_same_for_one_and_for_many(django_assert_num_queries):
    staff = factories.UserFactory()
    cohort = factories.CohortFactory()
    people = []
    for _n in range(12):
        row = person_with(*ENOUGH)
        Participation.objects.filter(pk=row.pk).update(cohort=cohort)
        row.refresh_from_db()
        people.append(row)
    counts = []
    for some in (people[:1], people[1:]):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            decide_graduation(some, cohort=cohort, on=date(2026, 12, 1), by=staff)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Graduation.objects.count() == 12
    assert set(Participation.objects.values_list("state", flat=True)) == {"graduated"}
